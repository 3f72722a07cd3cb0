//! Requests with a key or a personal value where neither belongs.

use crate::client::Client;
use crate::fixture::{EMAIL, KEY, PHONE};

/// Sends every bad request. The API refuses all of them.
pub(super) fn send_all(client: &Client<'_>) {
    for value in [KEY, EMAIL, PHONE] {
        bodies(client, value);
        paths(client, value);
    }
}

fn bodies(client: &Client<'_>, value: &str) {
    for body in [
        format!(r#"{{"klaviyo":{{"apiKey":"{KEY}","secret":"{value}"}}}}"#),
        format!(r#"{{"klaviyo":{{"apiKey":"{KEY}","confirmAccountChange":"{value}"}}}}"#),
        format!(r#"{{"klaviyo":{{"apiKey":["{value}"]}}}}"#),
        format!(r#"{{"klaviyo":{{"apiKey":{{"{value}":"{value}"}}}}}}"#),
        format!(r#"{{"klaviyo":{{"apikey":"{value}"}}}}"#),
        format!(r#"{{"klaviyo":{{"{value}":1}}}}"#),
        format!(r#"{{"klaviyo":["{value}"]}}"#),
        format!(r#"{{"klaviyo":"{value}"}}"#),
        format!(r#"{{"apiKey":"{value}"}}"#),
        format!(r#"{{"{value}":"{value}"}}"#),
        format!(r#"["{value}"]"#),
        format!(r#""{value}""#),
        format!(r#"{{"klaviyo":{{"apiKey":"{value}""#),
        format!(r#"{{"klaviyo":{{"apiKey":"{value}"}},"klaviyo":{{"apiKey":"{value}"}}}} {value}"#),
        value.to_owned(),
    ] {
        let answer = client.put("/api/settings", &body);
        assert_eq!(answer.status, 400, "{answer:?}");
    }
    for body in [
        format!(r#"{{"listIds":["RtPqXs"],"apiKey":"{value}"}}"#),
        format!(r#"{{"listIds":["RtPqXs"],"{value}":1}}"#),
        format!(r#"{{"listIds":"{value}"}}"#),
        format!(r#"{{"listIds":[{{"{value}":"{value}"}}]}}"#),
        format!(r#"{{"listIds":["RtPqXs"],"sync":"{value}"}}"#),
        format!(r#"{{"listIds":["RtPqXs"],"refreshIntervalSeconds":"{value}"}}"#),
    ] {
        let answer = client.post("/api/audiences/import/klaviyo", &body);
        assert_eq!(answer.status, 400, "{answer:?}");
    }
}

fn paths(client: &Client<'_>, value: &str) {
    let value = value.replace('+', "%2B").replace('@', "%40");
    for path in [
        format!("/api/audiences/{value}"),
        format!("/api/audiences/{value}/members"),
        format!("/api/consumers/{value}"),
        format!("/api/sync-runs/{value}/events"),
        format!("/api/sync-sources/{value}"),
        format!("/api/klaviyo/lists/{value}/estimate"),
        format!("/api/{value}"),
        format!("/{value}"),
        format!("/api/settings?apiKey={value}"),
        format!("/api/settings?{value}=1"),
        format!("/api/audiences?first={value}"),
        format!("/api/audiences?after={value}"),
        format!("/api/audiences?include={value}"),
        format!("/api/sync-sources/search?syncStatus={value}"),
        format!("/api/consumers/search?{value}=1"),
    ] {
        let answer = client.get(&path);
        assert!([400, 404].contains(&answer.status), "{answer:?}");
    }
}

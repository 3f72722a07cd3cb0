//! Requests that are not what they should be.

use insta::assert_json_snapshot;
use serde_json::{Value, json};

use super::fixture::{Fixture, path};
use crate::middleware::Authentication;
use crate::{handlers, openapi};

const IMPORT: &str = "/api/audiences/import/klaviyo";

#[actix_web::test]
async fn a_body_must_be_json_and_say_so() {
    let fixture = Fixture::connected().await;
    for text in ["{", "", "{\"listIds\":[]}x", "\u{0}", "NaN"] {
        let answer = fixture.post(IMPORT).text("application/json", text).await;
        answer.blames(&["body"]);
    }
    for (content_type, status) in [
        ("application/json", 200),
        ("application/json; charset=utf-8", 200),
        ("APPLICATION/JSON", 200),
        ("application/merge-patch+json", 200),
        ("text/plain", 415),
        ("application/x-www-form-urlencoded", 415),
        ("multipart/form-data; boundary=x", 415),
    ] {
        let answer = fixture
            .post(IMPORT)
            .text(content_type, "{\"listIds\":[]}")
            .await;
        assert_eq!(answer.status, status, "{content_type}");
        if status == 415 {
            answer.refuses(415, "Unsupported media type", "UNSUPPORTED_MEDIA_TYPE");
        }
    }
}

#[actix_web::test]
async fn json_that_nests_without_end_is_refused() {
    let fixture = Fixture::connected().await;
    let answer = fixture
        .post(IMPORT)
        .text("application/json", "[".repeat(500_000))
        .await;
    answer.blames(&["body"]);
}

#[actix_web::test]
async fn faults_are_told_to_programs_as_fanfares_validator_would() {
    let fixture = Fixture::connected().await;
    let body = json!({"listIds": ["RtPqXs", 7], "sync": "WEEKLY", "more": 1});
    let answer = fixture.post(IMPORT).json(&body).await;
    assert_json_snapshot!("validation_error", answer.body);
}

#[actix_web::test]
async fn no_route_takes_a_parameter_it_does_not_know() {
    let fixture = Fixture::connected().await;
    for route in handlers::routes() {
        if route.authentication == Authentication::None {
            continue;
        }
        let path = [
            "{id}",
            "{listId}",
            "{segmentId}",
            "{snapshotId}",
            "{consumerId}",
        ]
        .iter()
        .fold(route.path.clone(), |path, id| path.replace(id, "unknown"));
        let ask = fixture.ask(route.method.clone(), &format!("{path}?frist=1"));
        let answer = ask.json(&json!({})).await;
        let details = answer.body["details"].as_array();
        let blamed = details.is_some_and(|d| d.iter().any(|fault| fault["field"] == "frist"));
        assert!(blamed, "{} {path}: {}", route.method, answer.text);
    }
}

#[actix_web::test]
async fn a_parameter_is_given_once() {
    let fixture = Fixture::new().await;
    let answer = fixture.get("/api/audiences?first=1&first=2").send().await;
    answer.blames(&["first"]);
}

/// The document and the decoding are written apart: here they meet.
#[actix_web::test]
async fn every_documented_field_and_parameter_is_known() {
    let fixture = Fixture::connected().await;
    let document = serde_json::to_value(openapi::document(handlers::routes())).unwrap();
    for (path, method, schema) in [
        ("/api/settings", "PUT", "SettingsUpdate"),
        (IMPORT, "POST", "KlaviyoImport"),
        ("/api/audiences/aud_1", "PUT", "AudienceUpdate"),
        ("/api/audiences/aud_1/sync", "POST", "SyncRequest"),
        ("/api/audiences/aud_1/snapshots", "POST", "SnapshotCreate"),
        ("/api/audiences/aud_1/check", "POST", "AudienceCheckRequest"),
    ] {
        let properties = document["components"]["schemas"][schema]["properties"].as_object();
        let body: serde_json::Map<_, _> = properties
            .unwrap()
            .keys()
            .map(|name| (name.clone(), json!({"wrong": 1})))
            .collect();
        let answer = fixture
            .ask(method.parse().unwrap(), path)
            .json(&body.into())
            .await;
        for fault in answer.body["details"].as_array().into_iter().flatten() {
            let is_unknown = fault["message"] == "is not a field of this request";
            // One step deeper nothing but what was made up here is unknown.
            assert!(
                !is_unknown || fault["field"].as_str().unwrap().contains('.'),
                "{fault}"
            );
        }
    }
    for (path, item) in document["paths"].as_object().unwrap() {
        for parameter in item["get"]["parameters"].as_array().into_iter().flatten() {
            if parameter["in"] != "query" {
                continue;
            }
            let name = parameter["name"].as_str().unwrap();
            let path = path.replace("{id}", "unknown");
            let answer = fixture.get(&format!("{path}?{name}=%00")).send().await;
            assert!(!answer.text.contains("is not a parameter"), "{path} {name}");
        }
    }
}

#[actix_web::test]
async fn answers_to_wrong_bodies_and_parameters_stay_the_same() {
    let (fixture, imported) = Fixture::imported().await;
    let audience = path("/api/audiences/{id}", &imported["audienceId"]);
    let sync = format!("{audience}/sync");
    let cancel = path("/api/sync-runs/{id}/cancel", &imported["runId"]);
    let text = "x".repeat(256);
    let ids: Vec<String> = (0..101).map(|n| format!("List{n}")).collect();
    let bodies = [
        ("PUT", "/api/settings", json!(null)),
        ("PUT", "/api/settings", json!([])),
        ("PUT", "/api/settings", json!("pk_1")),
        ("PUT", "/api/settings", json!({"klaviyo": 7})),
        ("PUT", "/api/settings", json!({"klaviyo": "pk_1"})),
        (
            "PUT",
            "/api/settings",
            json!({"klaviyo": {}, "other": true}),
        ),
        ("PUT", "/api/settings", json!({"klaviyo": {"apiKey": null}})),
        (
            "PUT",
            "/api/settings",
            json!({"klaviyo": {"apiKey": "sk_1", "confirmAccountChange": null}}),
        ),
        (
            "PUT",
            "/api/settings",
            json!({"klaviyo": {"confirmAccountChange": 1, "more": 1}}),
        ),
        ("POST", IMPORT, json!({})),
        (
            "POST",
            IMPORT,
            json!({"sync": "WEEKLY", "refreshIntervalSeconds": 900}),
        ),
        (
            "POST",
            IMPORT,
            json!({"listIds": null, "segmentIds": null, "sync": null}),
        ),
        (
            "POST",
            IMPORT,
            json!({"listIds": {}, "segmentIds": "SgMnt1", "sync": 7}),
        ),
        (
            "POST",
            IMPORT,
            json!({"listIds": [1, null, {}, "not an id", "", "Good01"], "sync": "CONTINUOUS"}),
        ),
        (
            "POST",
            IMPORT,
            json!({"listIds": ids, "segmentIds": [true, -1.5, "4915112345678"], "refreshIntervalSeconds": "x"}),
        ),
        (
            "PUT",
            &audience,
            json!({
                "name": text, "description": 1, "iconName": "a\u{0}b", "metadata": {"a": ["b", {"c\u{0}": 1}]},
                "groupId": text, "groupName": [], "groupType": "AGE", "lastRefreshedAt": "yesterday",
                "type": "DYNAMIC", "refreshIntervalSeconds": -900, "rules": [],
            }),
        ),
        (
            "PUT",
            &audience,
            json!({
                "name": null, "metadata": "a", "groupType": 7, "lastRefreshedAt": 1_700_000_000, "type": null,
                "refreshIntervalSeconds": "x",
            }),
        ),
        (
            "POST",
            &sync,
            json!({"confirmRemovals": "yes", "more": null}),
        ),
        ("POST", &sync, json!({"confirmRemovals": null})),
        ("POST", &cancel, json!({"more": 1})),
        ("POST", &cancel, json!([])),
    ];
    let mut answers = Vec::new();
    for (method, path, body) in bodies {
        let ask = fixture.ask(method.parse().unwrap(), path);
        let answer = ask.json(&body).await;
        assert_eq!(answer.status, 400, "{path} {body}: {}", answer.text);
        let route = path.replace(imported["audienceId"].as_str().unwrap(), "{id}");
        let route = route.replace(imported["runId"].as_str().unwrap(), "{id}");
        let sent = if body["listIds"]
            .as_array()
            .is_some_and(|ids| ids.len() > 100)
        {
            json!("101 lists")
        } else {
            body
        };
        answers.push(json!({"sent": [method, route, sent], "issues": answer.body["issues"]}));
    }
    for path in [
        format!("{audience}/members?first=0&after=nonsense&search=x&last=3"),
        format!("{audience}?include=members&include=rules"),
        "/api/audiences?first=&include=".to_owned(),
        "/api/consumers?audienceId=x&createdAfter=now&createdBefore=&search=a%00b".to_owned(),
        "/api/consumers/search".to_owned(),
        "/api/consumers/search?email=ada&phone=1&more=1".to_owned(),
        "/api/consumers/search?email=ada".to_owned(),
        "/api/consumers/search?phone=1".to_owned(),
        "/api/consumers/search?externalId=not+an+id".to_owned(),
        "/api/sync-sources/search?syncSource=&syncSourceId=&syncStatus=DONE&first=1001&after=x"
            .to_owned(),
        "/api/settings?more=1".to_owned(),
    ] {
        let answer = fixture.get(&path).send().await;
        assert_eq!(answer.status, 400, "{path}: {}", answer.text);
        let route = path.replace(imported["audienceId"].as_str().unwrap(), "{id}");
        answers.push(json!({"sent": ["GET", route], "issues": answer.body["issues"]}));
    }
    assert_json_snapshot!("answers_to_wrong_requests", answers);
}

/// A text, a number or an array of this size, as the schema wants it.
fn sized(schema: &Value, size: u64) -> Value {
    match schema["type"].as_str().or(schema["type"][0].as_str()) {
        Some("string") => "x".repeat(usize::try_from(size).unwrap()).into(),
        Some("integer") => size.into(),
        Some("array") => (0..size).map(|_| "RtPqXs").collect(),
        other => panic!("a bound of {other:?}"),
    }
}

/// The document's bounds stand beside the types that are decoded: a value at the bound is taken,
/// and one beyond it is not.
#[actix_web::test]
async fn documented_bounds_are_those_that_are_checked() {
    let (fixture, imported) = Fixture::imported().await;
    let document = serde_json::to_value(openapi::document(handlers::routes())).unwrap();
    let mut checked = 0;
    for (pattern, item) in document["paths"].as_object().unwrap() {
        let id = &imported["audienceId"];
        let route = path(pattern, id);
        for (method, operation) in item.as_object().unwrap() {
            let mut fields = Vec::new();
            for parameter in operation["parameters"].as_array().into_iter().flatten() {
                let name = parameter["name"].as_str().unwrap().to_owned();
                fields.push((name, &parameter["schema"], true));
            }
            let body = &operation["requestBody"]["content"]["application/json"]["schema"];
            let body = body["$ref"].as_str().or(body["oneOf"][0]["$ref"].as_str());
            let body = body.and_then(|body| document.pointer(body.trim_start_matches('#')));
            let properties = body.and_then(|body| body["properties"].as_object());
            for (name, schema) in properties.into_iter().flatten() {
                fields.push((name.clone(), schema, false));
            }
            for (name, schema, is_parameter) in fields {
                for (bound, beyond) in [
                    ("minLength", -1),
                    ("maxLength", 1),
                    ("minimum", -1),
                    ("maximum", 1),
                    ("maxItems", 1),
                ] {
                    let Some(at) = schema[bound].as_u64() else {
                        continue;
                    };
                    let Some(over) = at.checked_add_signed(beyond) else {
                        continue;
                    };
                    fixture.wait_a_minute();
                    for (size, is_taken) in [(at, true), (over, false)] {
                        let value = sized(schema, size);
                        let method = method.to_uppercase().parse().unwrap();
                        let answer = if is_parameter {
                            let value = value
                                .as_str()
                                .map_or_else(|| value.to_string(), str::to_owned);
                            let path = format!("{route}?{name}={value}");
                            fixture.ask(method, &path).send().await
                        } else {
                            let mut body = json!({name.as_str(): value});
                            if name == "refreshIntervalSeconds" && pattern.contains("import") {
                                body["sync"] = json!("CONTINUOUS");
                            }
                            fixture.ask(method, &route).json(&body).await
                        };
                        let details = answer.body["details"].as_array();
                        let is_blamed = details
                            .is_some_and(|all| all.iter().any(|one| one["field"] == name.as_str()));
                        assert_eq!(is_blamed, !is_taken, "{route} {name} {size}");
                    }
                    checked += 1;
                }
            }
        }
    }
    assert!(checked >= 20, "{checked}");
}

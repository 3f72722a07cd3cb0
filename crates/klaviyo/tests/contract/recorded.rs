//! Answers recorded from the live Klaviyo, replayed where they are present.

use std::fs;
use std::path::Path;

use fanfare_domain::ports::{Klaviyo, KlaviyoError};
use fanfare_domain::profile::Attribute;
use fanfare_domain::quota::{RateLimits, RetryAfter};
use fanfare_domain::source::CollectionKind;
use serde_json::Value;
use wiremock::ResponseTemplate;

use crate::support::{client, key, members_of, server_of, shared};

struct Recording(Value);

impl Recording {
    fn read(folder: &Path, name: &str) -> Self {
        let text = fs::read(folder.join(name)).unwrap();
        Self(serde_json::from_slice(&text).unwrap())
    }

    fn body(&self) -> &Value {
        &self.0["response"]["body"]
    }

    /// The answer, its links pointing at `origin`.
    fn answer(&self, origin: &str) -> ResponseTemplate {
        let response = &self.0["response"];
        let status = u16::try_from(response["status"].as_u64().unwrap()).unwrap();
        let body = self
            .body()
            .to_string()
            .replace("https://a.klaviyo.com", origin);
        let mut answer =
            ResponseTemplate::new(status).set_body_raw(body, "application/vnd.api+json");
        for (name, value) in response["headers"].as_object().unwrap() {
            if name != "content-type" {
                answer = answer.insert_header(name.as_str(), value.as_str().unwrap());
            }
        }
        answer
    }

    async fn server(&self) -> wiremock::MockServer {
        server_of(|own| self.answer(own)).await
    }
}

const L: RateLimits = RateLimits {
    burst: 75,
    steady: 750,
};

#[tokio::test]
async fn recorded_lists_segments_accounts_and_members_are_understood() {
    let Some(folder) = shared("klaviyo-recorded") else {
        return;
    };
    for (name, kind) in [
        ("get_lists.200.json", CollectionKind::List),
        ("get_segments.200.json", CollectionKind::Segment),
    ] {
        let recording = Recording::read(&folder, name);
        let server = recording.server().await;
        let answer = client(&server.uri())
            .collections(&key(), kind, None)
            .await
            .unwrap();
        let recorded = recording.body()["data"].as_array().unwrap();
        assert_eq!(answer.value.items.len(), recorded.len());
        assert_eq!(answer.rate_limits, Some(L));
        for (item, recorded) in answer.value.items.iter().zip(recorded) {
            assert_eq!(item.id.as_str(), recorded["id"]);
            assert_eq!(
                item.name.as_deref(),
                recorded["attributes"]["name"].as_str()
            );
            assert!(item.created.is_some() && item.updated.is_some());
        }
    }

    let recording = Recording::read(&folder, "get_accounts.200.json");
    let server = recording.server().await;
    let account = client(&server.uri()).account(&key()).await.unwrap();
    assert_eq!(account.value.id.as_str(), recording.body()["data"][0]["id"]);

    let recording = Recording::read(&folder, "get_profiles_for_list.200.json");
    let server = recording.server().await;
    let page = crate::support::members(&server.uri(), None)
        .await
        .unwrap()
        .value;
    let recorded = recording.body()["data"].as_array().unwrap();
    assert_eq!(page.profiles.len(), recorded.len());
    for (profile, recorded) in page.profiles.iter().zip(recorded) {
        let email = recorded["attributes"]["email"].as_str().unwrap();
        assert_eq!(profile.email, Attribute::text(email));
        assert_eq!(
            profile.first_name,
            Attribute::Absent,
            "what was not asked for is absent"
        );
        assert!(profile.joined_at.is_some());
    }
    let next = recording.body()["links"]["next"].as_str();
    assert_eq!(page.next.is_some(), next.is_some());
}

#[tokio::test]
async fn every_recorded_error_is_understood() {
    let Some(folder) = shared("klaviyo-recorded") else {
        return;
    };
    let want = |name: &str| match name {
        "get_accounts.401.json" => KlaviyoError::KeyRejected,
        "get_accounts.429.json" => KlaviyoError::Throttled(RetryAfter::Seconds(1)),
        "get_list.404.json" | "get_profile.404.json" => KlaviyoError::NotFound,
        "get_webhooks.403.json" => KlaviyoError::NotPermitted,
        // It is about the parameter `filter`.
        "get_campaigns.400.json" => KlaviyoError::RangeRefused,
        "create_profile.409.json" => {
            KlaviyoError::Refused("status 409, duplicate_profile".to_owned())
        }
        other => panic!("{other} is a recorded error that no test expects"),
    };
    let mut seen = 0;
    for entry in fs::read_dir(&folder).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let is_error = [".400.", ".401.", ".403.", ".404.", ".409.", ".429."]
            .iter()
            .any(|status| name.contains(status));
        if is_error {
            let recording = Recording::read(&folder, &name);
            let error = members_of(recording.answer("http://localhost"))
                .await
                .unwrap_err();
            assert_eq!(error, want(&name), "{name}");
            seen += 1;
        }
    }
    assert!(seen >= 6, "only {seen} recorded errors");
}

//! The connection to Klaviyo.

use fanfare_domain::ids::AccountId;
use fanfare_domain::ports::KlaviyoError;
use insta::assert_json_snapshot;
use serde_json::json;

use super::fixture::{Fixture, KLAVIYO_KEY, path};

fn connect(key: &str) -> serde_json::Value {
    json!({"klaviyo": {"apiKey": key}})
}

#[actix_web::test]
async fn settings_show_a_connection_and_never_its_key() {
    let fixture = Fixture::new().await;
    let before = fixture.get("/api/settings").send().await;
    assert_json_snapshot!("settings_without_a_connection", before.body);

    let put = fixture
        .put("/api/settings")
        .json(&connect(KLAVIYO_KEY))
        .await;
    assert_eq!(put.status, 200, "{}", put.text);
    assert_json_snapshot!("settings_with_a_connection", put.body);

    let after = fixture.get("/api/settings").send().await;
    assert_eq!(after.body, put.body);
    assert!(!after.text.contains(KLAVIYO_KEY));
}

#[actix_web::test]
async fn a_key_that_cannot_be_klaviyos_is_refused_without_asking() {
    let fixture = Fixture::new().await;
    for key in [
        "sk_live_abc",
        "pk_live_abc",
        "pk_test_abc",
        "abc",
        "",
        "pk_",
        "••••wxyz",
    ] {
        let answer = fixture.put("/api/settings").json(&connect(key)).await;
        answer.blames(&["klaviyo.apiKey"]);
        assert!(
            key.len() < 4 || !answer.text.contains(key),
            "{}",
            answer.text
        );
    }
    assert_eq!(fixture.klaviyo.calls(), []);
}

#[actix_web::test]
async fn a_body_that_is_wrong_in_many_ways_is_told_all_of_them_and_echoes_nothing() {
    let fixture = Fixture::new().await;
    let body = json!({
        "klaviyo": {"apiKey": 7, "confirmAccountChange": "pk_canary", "pk_canary2": "pk_canary3"},
        "shopify": {},
        "pk_canary4": 1,
    });
    let answer = fixture.put("/api/settings").json(&body).await;
    answer.blames(&[
        "klaviyo.apiKey",
        "klaviyo.confirmAccountChange",
        "klaviyo.…",
        "shopify",
        "…",
    ]);
    assert!(!answer.text.contains("canary"), "{}", answer.text);

    let answer = fixture.put("/api/settings").json(&json!({})).await;
    answer.blames(&["klaviyo"]);
    assert_json_snapshot!("a_body_that_does_not_validate", answer.body);
}

#[actix_web::test]
async fn a_key_that_klaviyo_refuses_leaves_the_stored_one() {
    let fixture = Fixture::connected().await;
    fixture
        .klaviyo
        .change(|klaviyo| klaviyo.keys = vec![KLAVIYO_KEY.to_owned()]);
    let put = |key| {
        fixture.wait_a_minute();
        fixture.put("/api/settings").json(&connect(key))
    };

    let answer = put("pk_unknown").await;
    answer.refuses(400, "Klaviyo API key not found", "KLAVIYO_KEY_REJECTED");

    fixture.klaviyo.change(|klaviyo| {
        klaviyo.keys.push("pk_narrow".to_owned());
        klaviyo.missing_scopes = vec!["lists:read".to_owned(), "profiles:read".to_owned()];
    });
    let answer = put("pk_narrow").await;
    answer.refuses(400, "Klaviyo scope missing", "KLAVIYO_SCOPE_MISSING");
    let message = answer.body["message"].as_str().unwrap();
    assert!(message.contains("lists:read, profiles:read"), "{message}");

    fixture.klaviyo.fail_others(lists_unavailable());
    let answer = put("pk_narrow").await;
    answer.refuses(502, "Klaviyo is unreachable", "KLAVIYO_UNREACHABLE");

    let settings = fixture.get("/api/settings").send().await;
    assert_eq!(settings.body["klaviyo"]["apiKey"], "••••wxyz");
}

/// The account is told; then the lists are not available, and not the second time either.
fn lists_unavailable() -> [Option<KlaviyoError>; 3] {
    let failure = Some(KlaviyoError::Unavailable("503".to_owned()));
    [None, failure.clone(), failure]
}

#[actix_web::test]
async fn scopes_of_optional_features_are_only_named() {
    let fixture = Fixture::new().await;
    let optional = ["accounts:read".to_owned(), "segments:read".to_owned()];
    fixture
        .klaviyo
        .change(|klaviyo| klaviyo.missing_scopes = optional.to_vec());

    let answer = fixture
        .put("/api/settings")
        .json(&connect(KLAVIYO_KEY))
        .await;

    assert_eq!(answer.status, 200, "{}", answer.text);
    assert_eq!(answer.body["klaviyo"]["missingScopes"], json!(optional));
    assert_eq!(answer.body["klaviyo"]["status"], "ACTIVE");
}

#[actix_web::test]
async fn another_account_has_to_be_confirmed() {
    let fixture = Fixture::new().await;
    let account = |id: &str| Some(AccountId::parse(id).unwrap());
    fixture
        .klaviyo
        .change(|klaviyo| klaviyo.account = account("AcCnt1"));
    fixture.put("/api/settings").json(&connect("pk_1")).await;
    fixture
        .klaviyo
        .change(|klaviyo| klaviyo.account = account("AcCnt2"));

    let answer = fixture.put("/api/settings").json(&connect("pk_2")).await;
    answer.refuses(409, "Klaviyo account differs", "KLAVIYO_ACCOUNT_DIFFERS");

    fixture.wait_a_minute();
    let body = json!({"klaviyo": {"apiKey": "pk_2", "confirmAccountChange": true}});
    let answer = fixture.put("/api/settings").json(&body).await;
    assert_eq!(answer.body["klaviyo"]["accountId"], "AcCnt2");
}

#[actix_web::test]
async fn null_disconnects_cancels_what_runs_and_keeps_the_audiences() {
    let fixture = Fixture::connected().await;
    let imported = fixture.import("RtPqXs").await;

    let answer = fixture
        .put("/api/settings")
        .json(&json!({"klaviyo": null}))
        .await;

    assert_eq!(answer.body["klaviyo"]["configured"], false);
    assert_eq!(answer.body["klaviyo"]["status"], "NOT_CONNECTED");
    let run = fixture
        .get(&path("/api/sync-runs/{id}", &imported["runId"]))
        .send()
        .await;
    assert_eq!(run.body["status"], "FAILED");
    assert_eq!(run.body["error"]["code"], "cancelled");
    let audience = fixture.get(&path("/api/audiences/{id}", &imported["audienceId"]));
    assert_eq!(audience.send().await.body["archived"], false);
}

#[actix_web::test]
async fn contacts_are_switched_on_without_a_key_beside_them() {
    let fixture = Fixture::connected().await;
    let shown = fixture.get("/api/settings").send().await;
    let off = json!({"enabled": false, "winner": "LATEST", "createProfiles": false});
    assert_eq!(shown.body["klaviyo"]["contacts"], off);
    let put = async |contacts: serde_json::Value| {
        let body = json!({"klaviyo": {"contacts": contacts}});
        fixture.put("/api/settings").json(&body).await
    };
    let on = put(json!({"enabled": true, "winner": "FANFARE"})).await;
    let want = json!({"enabled": true, "winner": "FANFARE", "createProfiles": false});
    assert_eq!(on.body["klaviyo"]["contacts"], want);
    let on = put(json!({"createProfiles": true})).await;
    assert_eq!(on.body["klaviyo"]["contacts"]["enabled"], true);
    let wrong = put(json!({"enabled": "yes", "winner": "BOTH", "other": 1})).await;
    wrong.blames(&[
        "klaviyo.contacts.enabled",
        "klaviyo.contacts.winner",
        "klaviyo.contacts.other",
    ]);
}

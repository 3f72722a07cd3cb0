//! Audiences that are kept in Klaviyo lists.

use std::time::Duration;

use fanfare_domain::organization::Role;
use serde_json::{Value, json};

use super::fixture::{Fixture, path};
use super::static_audiences::with_audience;

const LIST: &str = "/api/audiences/{id}/klaviyo-list";
const PREVIEW: &str = "/api/audiences/{id}/klaviyo-list/preview";
const PUSH: &str = "/api/audiences/{id}/klaviyo-list/push";

async fn fill(fixture: &Fixture, audience: &Value, consumers: &[Value]) {
    let body = json!({ "consumerIds": consumers });
    let members = path("/api/audiences/{id}/members", audience);
    assert_eq!(fixture.post(&members).json(&body).await.status, 200);
}

#[actix_web::test]
async fn an_audience_is_previewed_confirmed_and_pushed() {
    let (mut fixture, audience, consumers) = with_audience().await;
    fixture.write_lists();
    fill(&fixture, &audience, &consumers).await;
    let none = fixture.get(&path(PREVIEW, &audience)).send().await;
    none.refuses(400, "Audience has no Klaviyo list", "NO_KLAVIYO_LIST");
    let chosen = fixture
        .put(&path(LIST, &audience))
        .json(&json!({"listId": "XyZaBc"}))
        .await;
    assert_eq!(chosen.status, 200, "{}", chosen.text);
    let list = &chosen.body["klaviyoList"];
    assert_eq!(
        (&list["listId"], &list["name"], &list["following"]),
        (&json!("XyZaBc"), &json!("VIP"), &json!(false))
    );
    assert_eq!(list["waitsFor"]["code"], "first_push");
    let status = fixture
        .get(&path("/api/audiences/{id}/status", &audience))
        .send()
        .await;
    assert_eq!(&status.body["klaviyoList"], list);

    let preview = fixture.get(&path(PREVIEW, &audience)).send().await;
    assert_eq!(preview.status, 200, "{}", preview.text);
    let shown = preview.body;
    // One of the three is in the list already.
    for (field, want) in [
        ("adds", 2),
        ("removes", 0),
        ("unknownInKlaviyo", 0),
        ("suppressed", 0),
    ] {
        assert_eq!(shown[field], want, "{field}");
    }
    assert_eq!(
        (&shown["flows"], &shown["exact"]),
        (&json!([]), &json!(true))
    );
    // Klaviyo tells of flows three times a second.
    fixture.clock.advance(Duration::from_secs(2));
    for body in [json!({}), json!({"confirmation": "wrong"})] {
        let refused = fixture.post(&path(PUSH, &audience)).json(&body).await;
        refused.refuses(409, "Confirmation required", "CONFIRMATION_REQUIRED");
    }
    fixture.clock.advance(Duration::from_secs(2));
    let body = json!({"confirmation": shown["confirmation"]});
    let pushed = fixture.post(&path(PUSH, &audience)).json(&body).await;
    assert_eq!(pushed.status, 200, "{}", pushed.text);
    let again = fixture.post(&path(PUSH, &audience)).json(&body).await;
    again.refuses(409, "Sync already in progress", "SYNC_IN_PROGRESS");
    fixture.keep(&audience).await;

    let run = fixture
        .get(&path("/api/sync-runs/{id}", &pushed.body["runId"]))
        .send()
        .await
        .body;
    assert_eq!(
        (&run["kind"], &run["status"], &run["mode"]),
        (&json!("PUSH"), &json!("SUCCESS"), &json!("FULL"))
    );
    assert_eq!(
        (
            &run["progress"]["membersAdded"],
            &run["progress"]["processed"]
        ),
        (&json!(2), &json!(3))
    );
    let runs = fixture
        .get(&path("/api/audiences/{id}/runs", &audience))
        .send()
        .await;
    assert_eq!(runs.body["data"][0], run);
    let told = fixture
        .get("/api/deliveries?kind=MEMBERSHIP")
        .send()
        .await
        .body;
    let told = told["data"].as_array().expect("deliveries").clone();
    assert_eq!(told.len(), 2);
    assert_eq!(
        (&told[0]["status"], &told[0]["target"], &told[0]["type"]),
        (&json!("SENT"), &json!("XyZaBc"), &json!("added"))
    );
    let kept = fixture.get(&path(LIST, &audience)).send().await;
    assert_eq!(kept.body["klaviyoList"]["following"], true);
    let given_up = fixture
        .put(&path(LIST, &audience))
        .text("application/json", "null")
        .await;
    assert_eq!(
        (given_up.status, &given_up.body["klaviyoList"]),
        (200, &Value::Null)
    );
}

#[actix_web::test]
async fn lists_that_cannot_keep_the_audience_are_refused() {
    let (mut fixture, audience, _) = with_audience().await;
    let writes = fixture.write_lists();
    let choose =
        async |audience: &Value, body: Value| fixture.put(&path(LIST, audience)).json(&body).await;
    choose(&audience, json!({})).await.blames(&["listId"]);
    let both = json!({"listId": "XyZaBc", "create": {"name": "x"}});
    choose(&audience, both).await.blames(&["create"]);
    choose(&audience, json!({"create": {"name": ""}}))
        .await
        .blames(&["create.name"]);
    let gone = choose(&audience, json!({"listId": "Nowhere"})).await;
    gone.refuses(404, "Klaviyo list not found", "KLAVIYO_LIST_NOT_FOUND");
    let synced = fixture.get("/api/audiences").send().await.body["data"][0]["id"].clone();
    let circular = choose(&synced, json!({"listId": "RtPqXs"})).await;
    circular.refuses(409, "Circular sync", "CIRCULAR_SYNC");
    assert!(
        circular.text.contains("RtPqXs → audience Newsletter"),
        "{}",
        circular.text
    );
    let made = choose(&audience, json!({"create": {"name": "Launch"}})).await;
    assert_eq!(made.body["klaviyoList"]["name"], "Launch");
    let list = made.body["klaviyoList"]["listId"].clone();
    let taken = choose(&synced, json!({ "listId": list })).await;
    taken.refuses(409, "Klaviyo list is taken", "KLAVIYO_LIST_TAKEN");
    writes.set_read_only(true);
    let scope = choose(&audience, json!({"listId": "XyZaBc"})).await;
    scope.refuses(400, "Klaviyo scope missing", "KLAVIYO_SCOPE_MISSING");
    assert!(scope.text.contains("lists:write"), "{}", scope.text);
    let theirs = fixture
        .get(&path(LIST, &audience))
        .by(fixture.other.key(Role::Viewer));
    theirs
        .send()
        .await
        .refuses(404, "Audience not found", "AUDIENCE_NOT_FOUND");
}

#[actix_web::test]
async fn the_push_limit_is_a_setting() {
    let fixture = Fixture::connected().await;
    let shown = fixture.get("/api/settings").send().await;
    assert_eq!(shown.body["klaviyo"]["pushLimit"], 1_000);
    let body = json!({"klaviyo": {"pushLimit": 25}});
    let changed = fixture.put("/api/settings").json(&body).await;
    assert_eq!(
        (changed.status, &changed.body["klaviyo"]["pushLimit"]),
        (200, &json!(25))
    );
    let body = json!({"klaviyo": {"pushLimit": -1}});
    fixture
        .put("/api/settings")
        .json(&body)
        .await
        .blames(&["klaviyo.pushLimit"]);
}

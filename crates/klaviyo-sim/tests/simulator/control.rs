//! Orders over HTTP, as a test of whole programs gives them.

use fanfare_klaviyo_sim::Key;
use serde_json::{Value, json};

use crate::support::{Client, Fixture, KEY, LIST, SEGMENT, members_path};
use crate::writing::that_allows_breaches;

fn agent() -> ureq::Agent {
    let config = ureq::Agent::config_builder()
        .http_status_as_error(false)
        .proxy(None);
    config.build().new_agent()
}

fn order(fixture: &Fixture, what: &str, orders: &str) -> (u16, String) {
    let address = format!("{}/control/{what}", fixture.simulator.url());
    let mut answer = agent().post(address).send(orders).unwrap();
    let body = answer.body_mut().read_to_string().unwrap();
    (answer.status().as_u16(), body)
}

#[test]
fn faults_are_planned_and_forgotten() {
    let fixture = Fixture::new();
    let status = || fixture.client.get("/api/lists", &[]).status;
    let orders = "lists@times=all:503\n\n  lists:refuse=403\n";
    assert_eq!(order(&fixture, "faults", orders), (204, String::new()));
    assert_eq!(status(), 503);
    let address = format!("{}/control/faults", fixture.simulator.url());
    let forgotten = agent().delete(address).call().unwrap();
    assert_eq!(forgotten.status().as_u16(), 204);
    assert_eq!(status(), 200);
}

#[test]
fn changes_are_made_at_once_and_in_their_order() {
    let fixture = Fixture::new();
    let account = fixture.simulator.account();
    let first = account.member_id(LIST, 0).unwrap().unwrap();
    let orders = format!(
        "list/{LIST}:leave=first\nlist/{LIST}:rename=Renamed\nlist/{LIST}:join-ahead={first},60\n\
         segment/{SEGMENT}:recompute=10\nlist/{LIST}:count-lag=600\nlist/{LIST}:update=last,60"
    );
    assert_eq!(order(&fixture, "changes", &orders), (204, String::new()));
    let members = account.members(LIST).unwrap();
    assert_eq!(members.len(), 250);
    let last = &members[249];
    assert_eq!(last.profile.id, first);
    assert_eq!(
        last.profile.updated.as_deref(),
        Some("2026-11-25T12:01:00+00:00")
    );
    assert_eq!(account.size(SEGMENT).unwrap(), 0);
    let name = fixture.client.get(&format!("/api/lists/{LIST}"), &[]);
    assert_eq!(name.json()["data"]["attributes"]["name"], "Renamed");
}

#[test]
fn keys_of_an_account_are_revoked_and_added() {
    let fixture = Fixture::new();
    let account = fixture.simulator.account();
    account.add_key(Key::new("pk_second")).unwrap();
    let status = |key: &str| {
        let client = Client::new(&fixture.simulator.url(), key);
        client.get(&members_path(), &[]).status
    };
    let orders = "any@account=AbC123:revoke-key\nany:add-key=pk_third";
    assert_eq!(order(&fixture, "changes", orders).0, 204);
    assert_eq!([KEY, "pk_second", "pk_third"].map(status), [401, 401, 200]);
}

#[test]
fn an_order_that_cannot_be_carried_out_is_named() {
    let fixture = Fixture::new();
    let account = fixture.simulator.account();
    for (what, orders, wrong) in [
        ("faults", "lists:reset\nlists:explode", "explode"),
        ("changes", "list/LiStAb:leave=first\nnonsense", "nonsense"),
        ("changes", "list/LiStAb:reset", "cannot be done at once"),
        ("changes", "list/NoNe00:leave=first", "NoNe00"),
        ("changes", "any@account=NoNe00:revoke-key", "NoNe00"),
    ] {
        let (status, body) = order(&fixture, what, orders);
        assert_eq!(status, 400, "{orders}");
        assert!(body.contains(wrong), "{body}");
        assert_eq!(body.lines().count(), 1, "{body}");
    }
    assert_eq!(
        account.size(LIST).unwrap(),
        250,
        "all are read before any is made"
    );
    assert_eq!(fixture.client.get("/api/lists", &[]).status, 200);
}

#[test]
fn what_was_written_and_what_of_it_nobody_may_do_is_told() {
    let fixture = that_allows_breaches();
    let read = |what: &str| {
        let address = format!("{}/control/{what}", fixture.simulator.url());
        let mut answer = agent().get(address).call().unwrap();
        answer.body_mut().read_to_string().unwrap()
    };
    assert_eq!((read("journal"), read("breaches")), Default::default());
    let event = json!({"data": {"type": "event", "attributes": {
        "properties": {}, "value": 49.9, "value_currency": "EUR", "unique_id": "ord_1",
        "metric": {"data": {"type": "metric", "attributes": {"name": "Bought"}}},
        "profile": {"data": {"type": "profile", "attributes": {"email": "a@example.com"}}},
    }}});
    for _ in 0..2 {
        assert_eq!(fixture.write("POST", "/api/events", &event).status, 202);
    }

    let lines = read("journal?without=requests");
    let entries: Vec<Value> = lines
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let whats: Vec<&Value> = entries.iter().map(|entry| &entry["what"]).collect();
    assert_eq!(
        whats,
        ["profileMade", "metricMade", "event", "eventRepeated"]
    );
    assert_eq!(entries[2]["value"], "49.9 EUR");
    assert_eq!(read("journal").lines().count(), entries.len() + 2);
    assert_eq!(read("summary"), r#"{"recorded":1,"repeated":1}"#);
    assert_eq!(read("breaches"), "");

    let path = "/api/profile-subscription-bulk-create-jobs";
    fixture.write("POST", path, &json!({}));
    assert_eq!(read("breaches"), format!("{path} was called\n"));
}

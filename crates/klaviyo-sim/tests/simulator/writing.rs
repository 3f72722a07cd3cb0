//! What requests write, and what stands of it in the journal.

use fanfare_klaviyo_sim::{
    Channel, ConsentLevel, Delays, Effect, Endpoint, Fault, FlowPlan, FlowTrigger, Key, Profile,
    Quota, RetryAfter, Summary, Switches, Written, violations,
};
use serde_json::{Value, json};

use crate::support::{Answer, Client, Fixture, KEY, LIST, account, members_path};

const METRIC: &str = "Fanfare Purchase";

fn with_flows(switches: Switches) -> Fixture {
    let list = || FlowTrigger::List(LIST.to_owned());
    let metric = FlowTrigger::Metric(METRIC.to_owned());
    let account = account()
        .flow(FlowPlan::live("FlLive", "Welcome", list()))
        .flow(FlowPlan::draft("FlDraf", "Later", list()))
        .flow(FlowPlan::live("FlMetr", "Thanks", metric));
    Fixture::with(account, |mut plan| {
        plan.switches = switches;
        plan.quota(Quota::Unlimited)
    })
}

/// Everything shows at once.
fn at_once() -> Fixture {
    with_flows(Switches {
        delays: Delays::NONE,
        ..Switches::default()
    })
}

impl Fixture {
    fn put(&self, id: &str, email: &str) -> String {
        let profile = Profile::with_email(email).id(id).named("Ada", "Lovelace");
        self.simulator.account().put(profile).unwrap()
    }

    fn write(&self, method: &str, path: &str, body: &Value) -> Answer {
        self.client.write(method, path, body).unwrap()
    }

    fn journal(&self) -> Vec<Written> {
        let journal = self.simulator.account().journal().unwrap();
        journal.into_iter().map(|entry| entry.what).collect()
    }

    fn summary(&self) -> Summary {
        Summary::of(&self.simulator.account().journal().unwrap())
    }

    fn violations(&self) -> Vec<String> {
        violations(&self.simulator.account().journal().unwrap())
    }

    fn members(&self, method: &str, ids: &[&str]) -> Answer {
        let ids: Vec<_> = ids
            .iter()
            .map(|id| json!({"type": "profile", "id": id}))
            .collect();
        let path = format!("/api/lists/{LIST}/relationships/profiles");
        self.write(method, &path, &json!({ "data": ids }))
    }
}

fn event(email: &str, unique_id: &str, backfill: bool) -> Value {
    json!({"data": {"type": "event", "attributes": {
        "properties": {"total": 10}, "value": 19.9, "value_currency": "EUR", "unique_id": unique_id, "backfill": backfill,
        "metric": {"data": {"type": "metric", "attributes": {"name": METRIC}}},
        "profile": {"data": {"type": "profile", "attributes": {"email": email}}},
    }}})
}

fn group(email: &str, unique_id: &str) -> Value {
    let one = event(email, unique_id, false);
    let mut attributes = one["data"]["attributes"].clone();
    let profile = attributes
        .as_object_mut()
        .unwrap()
        .remove("profile")
        .unwrap();
    let events = json!({"data": [{"type": "event", "attributes": attributes}]});
    json!({"type": "event-bulk-create", "attributes": {"profile": profile, "events": events}})
}

fn bulk(groups: &[Value]) -> Value {
    json!({"data": {"type": "event-bulk-create-job", "attributes": {"events-bulk-create": {"data": groups}}}})
}

#[test]
fn an_event_makes_profile_and_metric_starts_flows_and_is_kept_once() {
    let fixture = with_flows(Switches::default());
    let answer = fixture.write(
        "POST",
        "/api/events",
        &event("new@example.com", "ord_1", false),
    );
    assert_eq!((answer.status, answer.body.len()), (202, 0));
    assert_eq!(answer.header("content-type"), None);
    assert_eq!(
        fixture.summary().events.get(METRIC),
        None,
        "it does not show yet"
    );
    fixture.advance(5.0);
    for backfill in [false, true] {
        fixture.write(
            "POST",
            "/api/events",
            &event("new@example.com", "ord_1", backfill),
        );
    }
    fixture.write(
        "POST",
        "/api/events",
        &event("new@example.com", "ord_2", true),
    );
    fixture.advance(5.0);
    let summary = fixture.summary();
    assert_eq!((summary.events[METRIC], summary.repeated), (2, 2));
    assert_eq!(
        summary.flows.get("FlMetr"),
        Some(&1),
        "history starts no flow"
    );
    let made = fixture
        .journal()
        .into_iter()
        .filter(|what| matches!(what, Written::ProfileMade { .. }));
    assert_eq!(made.count(), 1);
    assert_eq!(fixture.violations(), [""; 0]);

    let metrics = fixture.client.get("/api/metrics", &[]).json();
    let id = metrics["data"][0]["id"].as_str().unwrap().to_owned();
    let filter =
        format!("equals(metric_id,\"{id}\"),greater-or-equal(datetime,2026-11-25T00:00:00Z)");
    let query = [
        ("filter", filter.as_str()),
        ("fields[event]", "event_properties"),
        ("page[size]", "1"),
    ];
    let pages = fixture.scan("/api/events", &query);
    let ids: Vec<_> = pages
        .iter()
        .flatten()
        .map(|event| &event["attributes"]["event_properties"]["$event_id"])
        .collect();
    assert_eq!(ids.len(), 2);
    assert!(ids.contains(&&json!("ord_1")) && ids.contains(&&json!("ord_2")));
    let flows = fixture
        .client
        .get(&format!("/api/metrics/{id}/flow-triggers"), &[])
        .json();
    assert_eq!(flows["data"][0]["attributes"]["status"], "live");
}

#[test]
fn a_bulk_request_with_a_repeated_or_a_bad_event_does_nothing() {
    let fixture = at_once();
    let path = "/api/event-bulk-create-jobs";
    let twice = bulk(&[group("a@example.com", "e1"), group("a@example.com", "e1")]);
    let answer = fixture.write("POST", path, &twice);
    assert_eq!(answer.status, 400);
    let pointer = &answer.json()["errors"][0]["source"]["pointer"];
    assert!(pointer.as_str().unwrap().contains("/data/1/"), "{pointer}");
    let mut bad = group("a@example.com", "e2");
    bad["attributes"]["events"]["data"][0]["attributes"]["time"] = json!("soon");
    assert_eq!(
        fixture
            .write("POST", path, &bulk(&[group("a@example.com", "e1"), bad]))
            .status,
        400
    );
    assert!(fixture.summary().events.is_empty());
    let good = bulk(&[group("a@example.com", "e1"), group("b@example.com", "e1")]);
    assert_eq!(fixture.write("POST", path, &good).status, 202);
    assert_eq!(fixture.summary().events[METRIC], 2);
    assert_eq!(
        fixture.summary().requests["create-events"],
        3,
        "refused ones are in the journal, too"
    );
}

#[test]
fn a_patch_changes_what_it_names_and_null_empties() {
    let fixture = at_once();
    let (id, other) = (
        fixture.put("P1", "a@example.com"),
        fixture.put("P2", "b@example.com"),
    );
    let path = format!("/api/profiles/{id}");
    let body = |attributes: Value| json!({"data": {"type": "profile", "id": id, "attributes": attributes}});
    let answer = fixture.write(
        "PATCH",
        &path,
        &body(json!({"first_name": "Zoë", "last_name": null})),
    );
    assert_eq!(answer.status, 200);
    assert_eq!(answer.json()["data"]["attributes"]["first_name"], "Zoë");
    let profile = fixture.simulator.account().profile(&id).unwrap().unwrap();
    assert_eq!(
        (profile.first_name.as_deref(), profile.last_name),
        (Some("Zoë"), None)
    );
    assert_eq!(profile.email.as_deref(), Some("a@example.com"));
    let conflict = fixture.write("PATCH", &path, &body(json!({"email": "B@example.com"})));
    assert_eq!(conflict.status, 409);
    assert_eq!(
        conflict.json()["errors"][0]["meta"]["duplicate_profile_id"],
        other.as_str()
    );
    let phone = fixture.write("PATCH", &path, &body(json!({"phone_number": "0171"})));
    assert_eq!(
        phone.json()["errors"][0]["source"]["pointer"],
        "/data/attributes/phone_number"
    );
    let gone = json!({"data": {"type": "profile", "id": "nobody", "attributes": {}}});
    assert_eq!(
        fixture.write("PATCH", "/api/profiles/nobody", &gone).status,
        404
    );
    let changes = fixture
        .journal()
        .into_iter()
        .filter(|what| matches!(what, Written::ProfileChanged { .. }));
    assert_eq!(changes.count(), 1);
}

#[test]
fn an_upsert_makes_a_profile_or_finds_it() {
    let fixture = at_once();
    let upsert = |name: &str| json!({"data": {"type": "profile", "attributes": {"email": "New@example.com", "external_id": "cons_1", "first_name": name}}});
    assert_eq!(
        fixture
            .write("POST", "/api/profile-import", &upsert("A"))
            .status,
        201
    );
    let again = fixture.write("POST", "/api/profile-import", &upsert("B"));
    assert_eq!(again.status, 200);
    assert_eq!(again.json()["data"]["attributes"]["first_name"], "B");
}

#[test]
fn an_import_ends_with_its_bad_rows_told_and_empties_nothing() {
    let fixture = with_flows(Switches::default());
    let id = fixture.put("P1", "a@example.com");
    let row = |attributes: Value| json!({"type": "profile", "attributes": attributes});
    let rows = [
        row(json!({"email": "a@example.com", "first_name": "Grace", "last_name": null})),
        row(json!({"email": "b@example.com", "phone_number": "12"})),
        row(json!({"email": "c@example.com"})),
    ];
    let start = json!({"data": {"type": "profile-bulk-import-job", "attributes": {"profiles": {"data": rows}}}});
    let started = fixture.write("POST", "/api/profile-bulk-import-jobs", &start);
    assert_eq!(
        (
            started.status,
            &started.json()["data"]["attributes"]["status"]
        ),
        (202, &json!("queued"))
    );
    let job = started.json()["data"]["id"].as_str().unwrap().to_owned();
    let path = format!("/api/profile-bulk-import-jobs/{job}");
    let status = || fixture.client.get(&path, &[]).json()["data"]["attributes"]["status"].clone();
    fixture.advance(3.0);
    assert_eq!(status(), "processing");
    fixture.advance(2.0);
    assert_eq!(status(), "complete");
    let profile = fixture.simulator.account().profile(&id).unwrap().unwrap();
    assert_eq!(
        (profile.first_name.as_deref(), profile.last_name.as_deref()),
        (Some("Grace"), Some("Lovelace"))
    );
    let errors = fixture
        .client
        .get(&format!("{path}/import-errors"), &[])
        .json();
    assert_eq!(errors["data"].as_array().unwrap().len(), 1);
    assert_eq!(
        errors["data"][0]["attributes"]["original_payload"]["email"],
        "b@example.com"
    );
    assert_eq!(
        fixture
            .client
            .get(&format!("{path}/profiles"), &[])
            .ids()
            .len(),
        2
    );

    let fault = |effect| Fault::new(effect).on(Endpoint::StartImport);
    fixture.simulator.add_fault(fault(Effect::JobStuck));
    let stuck = fixture
        .write("POST", "/api/profile-bulk-import-jobs", &start)
        .json();
    fixture.simulator.add_fault(fault(Effect::JobFails));
    let failed = fixture
        .write("POST", "/api/profile-bulk-import-jobs", &start)
        .json();
    fixture.advance(600.0);
    let attributes = |of: &Value| {
        let path = format!(
            "/api/profile-bulk-import-jobs/{}",
            of["data"]["id"].as_str().unwrap()
        );
        fixture.client.get(&path, &[]).json()["data"]["attributes"].clone()
    };
    assert_eq!(attributes(&stuck)["status"], "processing");
    assert_eq!(attributes(&failed)["status"], "complete");
    assert_eq!(attributes(&failed)["failed_count"], 3);
}

#[test]
fn joining_a_list_starts_its_live_flow_once_and_gives_no_consent() {
    let fixture = at_once();
    let id = fixture.put("P1", "a@example.com");
    for _ in 0..2 {
        let answer = fixture.members("POST", &[&id]);
        assert_eq!((answer.status, answer.body.len()), (204, 0));
    }
    assert!(fixture.simulator.account().is_member(LIST, &id).unwrap());
    assert_eq!(fixture.members("DELETE", &[&id]).status, 204);
    assert_eq!(
        fixture.members("DELETE", &[&id]).status,
        204,
        "who is no member may be removed"
    );
    fixture.members("POST", &[&id]);
    assert_eq!(fixture.summary().flows, [("FlLive".to_owned(), 1)].into());
    assert_eq!(fixture.violations(), [""; 0]);
    let profile = fixture.simulator.account().profile(&id).unwrap().unwrap();
    assert_eq!(profile.email_consent.level, ConsentLevel::NeverSubscribed);
    assert_eq!(fixture.members("POST", &["nobody", &id]).status, 404);
    let path = "/api/lists/NoList/relationships/profiles";
    assert_eq!(
        fixture
            .write(
                "POST",
                path,
                &json!({"data": [{"type": "profile", "id": id}]})
            )
            .status,
        404
    );
    let made = fixture.write(
        "POST",
        "/api/lists",
        &json!({"data": {"type": "list", "attributes": {"name": "Winners"}}}),
    );
    assert_eq!(
        (made.status, &made.json()["data"]["attributes"]["name"]),
        (201, &json!("Winners"))
    );
    let flows = fixture
        .client
        .get(&format!("/api/lists/{LIST}/flow-triggers"), &[])
        .ids();
    assert_eq!(flows, ["FlLive", "FlDraf"]);
}

#[test]
fn somebody_else_s_member_who_is_removed_is_a_violation() {
    let fixture = at_once();
    let theirs = fixture.client.get(&members_path(), &[]).ids().remove(0);
    fixture.members("POST", &[&theirs]);
    fixture.members("DELETE", &[&theirs]);
    assert_eq!(fixture.violations().len(), 1);
    // Who was added and joined anew by themselves is no more ours once they had left.
    let id = fixture.put("P1", "a@example.com");
    fixture.members("POST", &[&id]);
    fixture.simulator.account().leave(LIST, &id).unwrap();
    fixture.simulator.account().join(LIST, &id).unwrap();
    fixture.members("DELETE", &[&id]);
    assert_eq!(fixture.violations().len(), 2);
}

fn unsubscribe(email: &str, list: Option<&str>) -> Value {
    let consent = json!({"email": {"marketing": {"consent": "UNSUBSCRIBED"}}});
    let people =
        json!([{"type": "profile", "attributes": {"email": email, "subscriptions": consent}}]);
    let mut job = json!({"data": {"type": "profile-subscription-bulk-delete-job", "attributes": {"profiles": {"data": people}}}});
    if let Some(list) = list {
        job["data"]["relationships"] = json!({"list": {"data": {"type": "list", "id": list}}});
    }
    job
}

#[test]
fn an_unsubscription_from_a_list_ends_everything_for_who_is_not_in_it() {
    let fixture = at_once();
    let (member, outsider) = (
        fixture.put("P1", "a@example.com"),
        fixture.put("P2", "b@example.com"),
    );
    fixture.simulator.account().join(LIST, &member).unwrap();
    let path = "/api/profile-subscription-bulk-delete-jobs";
    fixture.write("POST", path, &unsubscribe("a@example.com", Some(LIST)));
    let profile = fixture
        .simulator
        .account()
        .profile(&member)
        .unwrap()
        .unwrap();
    assert_eq!(
        (profile.list_suppressions.len(), profile.suppressions.len()),
        (1, 0)
    );
    assert!(
        !fixture
            .simulator
            .account()
            .is_member(LIST, &member)
            .unwrap()
    );
    assert_eq!(fixture.violations(), [""; 0]);
    fixture.write("POST", path, &unsubscribe("b@example.com", Some(LIST)));
    let profile = fixture
        .simulator
        .account()
        .profile(&outsider)
        .unwrap()
        .unwrap();
    assert_eq!(profile.email_consent.level, ConsentLevel::Unsubscribed);
    assert_eq!(fixture.violations().len(), 1);
    fixture.write("POST", path, &unsubscribe("a@example.com", None));
    let query = [("additional-fields[profile]", "subscriptions")];
    let shown = fixture
        .client
        .get(&format!("/api/profiles/{member}"), &query)
        .json();
    let marketing = &shown["data"]["attributes"]["subscriptions"]["email"]["marketing"];
    assert_eq!(
        (
            &marketing["consent"],
            &marketing["can_receive_email_marketing"]
        ),
        (&json!("UNSUBSCRIBED"), &json!(false))
    );
}

#[test]
fn a_consent_that_a_person_raises_is_none_of_ours_and_one_that_a_request_raises_is() {
    let fixture = at_once();
    let id = fixture.put("P1", "a@example.com");
    let account = fixture.simulator.account();
    account
        .consent(&id, Channel::Email, ConsentLevel::Unsubscribed)
        .unwrap();
    account
        .consent(&id, Channel::Email, ConsentLevel::Subscribed)
        .unwrap();
    account
        .consent(&id, Channel::Email, ConsentLevel::Unsubscribed)
        .unwrap();
    assert_eq!(fixture.violations(), [""; 0]);
    let consent = json!({"email": {"marketing": {"consent": "SUBSCRIBED"}}});
    let people = json!([{"type": "profile", "attributes": {"email": "a@example.com", "subscriptions": consent}}]);
    let job = json!({"data": {"type": "profile-subscription-bulk-create-job", "attributes": {"profiles": {"data": people}}}});
    let path = "/api/profile-subscription-bulk-create-jobs";
    assert_eq!(fixture.write("POST", path, &job).status, 202);
    assert_eq!(
        fixture.violations().len(),
        2,
        "the call, and what came of it"
    );
}

#[test]
fn faults_of_writes() {
    let fixture = at_once();
    let body = |id: &str| event("a@example.com", id, false);
    let plan = |effect| {
        fixture
            .simulator
            .add_fault(Fault::new(effect).on(Endpoint::CreateEvent));
    };
    plan(Effect::Reset);
    assert!(
        fixture
            .client
            .write("POST", "/api/events", &body("lost"))
            .is_none()
    );
    assert_eq!(
        fixture.summary().events[METRIC],
        1,
        "the answer is lost, the effect is not"
    );
    plan(Effect::NoEffect);
    assert_eq!(
        fixture
            .write("POST", "/api/events", &body("nothing"))
            .status,
        202
    );
    plan(Effect::Throttle(RetryAfter::Missing));
    assert_eq!(
        fixture.write("POST", "/api/events", &body("later")).status,
        429
    );
    plan(Effect::Status(503, None));
    assert_eq!(
        fixture.write("POST", "/api/events", &body("away")).status,
        503
    );
    assert_eq!(fixture.summary().events[METRIC], 1);
    let ids = [
        fixture.put("P1", "1@example.com"),
        fixture.put("P2", "2@example.com"),
    ];
    fixture
        .simulator
        .add_fault("add-to-list:half-effect".parse().unwrap());
    assert_eq!(fixture.members("POST", &[&ids[0], &ids[1]]).status, 204);
    let is_member = |id: &str| fixture.simulator.account().is_member(LIST, id).unwrap();
    assert!(is_member(&ids[0]) && !is_member(&ids[1]));
    fixture
        .simulator
        .add_fault("create-event:revoke-key".parse().unwrap());
    assert_eq!(
        fixture
            .write("POST", "/api/events", &body("revoked"))
            .status,
        401
    );
}

#[test]
fn writes_need_their_scopes_and_their_methods() {
    let fixture = at_once();
    let reads = Key::new("pk_reads")
        .without("events:write")
        .without("flows:read");
    fixture.simulator.account().add_key(reads).unwrap();
    let client = Client::new(&fixture.simulator.url(), "pk_reads");
    let answer = client
        .write("POST", "/api/events", &event("a@example.com", "e", false))
        .unwrap();
    assert_eq!(answer.status, 403);
    assert!(
        answer
            .error()
            .1
            .ends_with("missing required scopes: events:write")
    );
    let path = format!("/api/lists/{LIST}/flow-triggers");
    assert_eq!(client.get(&path, &[]).status, 403);
    assert_eq!(
        fixture.write("PATCH", "/api/events", &json!({})).status,
        405
    );
    let unknown = Client::new(&fixture.simulator.url(), "pk_unknown");
    assert_eq!(
        unknown
            .write("POST", "/api/events", &json!({}))
            .unwrap()
            .status,
        401
    );
    assert_eq!(fixture.write("POST", "/api/events", &json!([])).status, 400);
    let journal = Client::new(&fixture.simulator.url(), KEY).get("/control/journal", &[]);
    let first: Value = serde_json::from_str(journal.text().lines().next().unwrap()).unwrap();
    assert_eq!(
        (&first["what"], &first["status"], &first["key"]),
        (&json!("request"), &json!(403), &json!("eads"))
    );
}

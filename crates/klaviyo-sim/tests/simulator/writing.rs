//! What requests write, and what stands of it in the journal.

use fanfare_klaviyo_sim::{
    Delays, Effect, Endpoint, Fault, FlowPlan, FlowTrigger, Key, Plan, Profile, Quota, RetryAfter,
    Summary, Switches, Written, breaches,
};
use serde_json::{Value, json};

use crate::support::{Answer, Client, Fixture, KEY, LIST, account};

const METRIC: &str = "Fanfare Purchase";

pub(crate) fn with_flows(switches: Switches) -> Fixture {
    with_flows_as(switches, |plan| plan)
}

/// Everything shows at once, and the client may do what none of ours may.
pub(crate) fn that_allows_breaches() -> Fixture {
    let switches = Switches {
        delays: Delays::NONE,
        ..Switches::default()
    };
    with_flows_as(switches, Plan::allow_breaches)
}

fn with_flows_as(switches: Switches, change: impl FnOnce(Plan) -> Plan) -> Fixture {
    let list = || FlowTrigger::List(LIST.to_owned());
    let metric = FlowTrigger::Metric(METRIC.to_owned());
    let account = account()
        .flow(FlowPlan::live("FlLive", "Welcome", list()))
        .flow(FlowPlan::draft("FlDraf", "Later", list()))
        .flow(FlowPlan::live("FlMetr", "Thanks", metric));
    Fixture::with(account, |mut plan| {
        plan.switches = switches;
        change(plan.quota(Quota::Unlimited))
    })
}

/// Everything shows at once.
pub(crate) fn at_once() -> Fixture {
    with_flows(Switches {
        delays: Delays::NONE,
        ..Switches::default()
    })
}

impl Fixture {
    pub(crate) fn put(&self, id: &str, email: &str) -> String {
        let profile = Profile::with_email(email).id(id).named("Ada", "Lovelace");
        self.simulator.account().put(profile).unwrap()
    }

    pub(crate) fn write(&self, method: &str, path: &str, body: &Value) -> Answer {
        self.client.write(method, path, body).unwrap()
    }

    pub(crate) fn journal(&self) -> Vec<Written> {
        let journal = self.simulator.account().journal().unwrap();
        journal.into_iter().map(|entry| entry.what).collect()
    }

    pub(crate) fn summary(&self) -> Summary {
        Summary::of(&self.simulator.account().journal().unwrap())
    }

    pub(crate) fn breaches(&self) -> Vec<String> {
        breaches(&self.simulator.account().journal().unwrap())
    }

    pub(crate) fn members(&self, method: &str, ids: &[&str]) -> Answer {
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
    assert_eq!(fixture.breaches(), [""; 0]);

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

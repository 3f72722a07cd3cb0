//! Requests are counted in fixed windows.

use std::collections::HashMap;

use fanfare_klaviyo_sim::{AccountPlan, Endpoint, Kind, Limit, Plan, Quota, Simulator};

use crate::support::{Answer, Client, Fixture, KEY, LIST, account, members_path};

fn limits(answer: &Answer) -> [Option<&str>; 4] {
    ["limit", "remaining", "reset"]
        .map(|name| answer.header(&format!("ratelimit-{name}")))
        .into_iter()
        .chain([answer.header("retry-after")])
        .collect::<Vec<_>>()
        .try_into()
        .unwrap()
}

#[test]
fn a_second_takes_75_requests_for_members() {
    let fixture = Fixture::with(account(), |plan| plan);
    let ask = || fixture.client.get(&members_path(), &[("page[size]", "1")]);
    let limit = Some("75, 75;w=1, 750;w=60");
    assert_eq!(limits(&ask()), [limit, Some("74"), Some("0"), None]);
    for _ in 1..75 {
        assert_eq!(ask().status, 200);
    }
    let refused = ask();
    assert_eq!(refused.status, 429);
    assert_eq!(limits(&refused), [None, None, None, Some("1")]);
    let (code, detail) = refused.error();
    assert_eq!(code, "throttled");
    assert_eq!(
        detail,
        "Request was throttled. Expected available in 1 second."
    );
    fixture.advance(0.9);
    assert_eq!(ask().status, 429);
    fixture.advance(0.1);
    assert_eq!(limits(&ask()), [limit, Some("74"), Some("0"), None]);
}

#[test]
fn a_minute_takes_750_and_the_rest_waits_for_its_end() {
    let fixture = Fixture::with(account(), |plan| plan);
    let ask = || fixture.client.get(&members_path(), &[("page[size]", "1")]);
    for _ in 0..10 {
        for _ in 0..75 {
            assert_eq!(ask().status, 200);
        }
        fixture.advance(1.0);
    }
    let refused = ask();
    assert_eq!(refused.status, 429);
    assert_eq!(refused.header("retry-after"), Some("50"));
    fixture.advance(49.5);
    assert_eq!(ask().header("retry-after"), Some("1"));
    fixture.advance(0.5);
    assert_eq!(ask().status, 200);
}

#[test]
fn a_retry_after_is_kept_even_if_the_window_ends_before() {
    let fixture = Fixture::with(account(), |plan| plan);
    let ask = || fixture.client.get("/api/accounts", &[]);
    assert_eq!(ask().status, 200);
    fixture.advance(0.75);
    assert_eq!(ask().header("retry-after"), Some("1"));
    fixture.advance(0.75);
    assert_eq!(ask().status, 429, "the window is over, the second is not");
    fixture.advance(0.25);
    assert_eq!(ask().status, 200);
}

#[test]
fn endpoints_and_accounts_have_quotas_of_their_own_and_keys_share_one() {
    let account = AccountPlan::new("AbC123").key(KEY).key("pk_second");
    let other = AccountPlan::new("XyZ999").key("pk_other");
    let clock = fanfare_klaviyo_sim::ManualClock::at(crate::support::NOW);
    let simulator = Simulator::start(Plan::new([account, other]).clock(clock)).unwrap();
    let client = |key| Client::new(&simulator.url(), key);
    assert_eq!(client(KEY).get("/api/accounts", &[]).status, 200);
    assert_eq!(client("pk_second").get("/api/accounts", &[]).status, 429);
    assert_eq!(client("pk_other").get("/api/accounts", &[]).status, 200);
    assert_eq!(client(KEY).get("/api/lists", &[]).status, 200);
}

#[test]
fn a_costly_parameter_has_a_quota_of_its_own() {
    let fixture = Fixture::with(account(), |plan| plan);
    let path = format!("/api/lists/{LIST}");
    let count = [("additional-fields[list]", "profile_count")];
    let counted = fixture.client.get(&path, &count);
    let limit = Some("1, 1;w=1, 15;w=60");
    assert_eq!(limits(&counted), [limit, Some("0"), Some("0"), None]);
    assert_eq!(fixture.client.get(&path, &count).status, 429);
    let plain = fixture.client.get(&path, &[]);
    assert_eq!(plain.header("ratelimit-remaining"), Some("73"));

    let predictions = [("additional-fields[profile]", "predictive_analytics")];
    for asked in 0..11 {
        // On both endpoints together.
        let path = [members_path(), "/api/profiles".to_owned()][asked % 2].clone();
        let expected = if asked < 10 { 200 } else { 429 };
        assert_eq!(fixture.client.get(&path, &predictions).status, expected);
    }
    assert_eq!(fixture.client.get(&members_path(), &[]).status, 200);
}

#[test]
fn ids_have_a_quota_of_their_own_unless_that_is_switched_off() {
    let ids = format!("/api/lists/{LIST}/relationships/profiles");
    for separates in [true, false] {
        let limit = Limit {
            burst: 1,
            steady: 9,
        };
        let endpoints = [
            Endpoint::Members(Kind::List),
            Endpoint::MemberIds(Kind::List),
        ];
        let limits = HashMap::from(endpoints.map(|endpoint| (endpoint, limit)));
        let fixture = Fixture::with(account(), |mut plan| {
            plan.switches.separates_ids = separates;
            plan.quota(Quota::With(limits))
        });
        assert_eq!(fixture.client.get(&members_path(), &[]).status, 200);
        let expected = if separates { 200 } else { 429 };
        assert_eq!(fixture.client.get(&ids, &[]).status, expected);
    }
}

#[test]
fn windows_can_follow_the_clock() {
    let fixture = Fixture::with(account(), |mut plan| {
        plan.switches.windows_begin_with_requests = false;
        plan
    });
    fixture.advance(0.9);
    assert_eq!(fixture.client.get("/api/accounts", &[]).status, 200);
    fixture.advance(0.1);
    assert_eq!(fixture.client.get("/api/accounts", &[]).status, 200);
}

#[test]
fn without_a_quota_the_headers_say_a_limit_that_no_client_reaches() {
    let fixture = Fixture::new();
    for _ in 0..80 {
        assert_eq!(fixture.client.get("/api/accounts", &[]).status, 200);
    }
    let answer = fixture.client.get("/api/lists", &[]);
    let limit = "1000000, 1000000;w=1, 60000000;w=60";
    assert_eq!(answer.header("ratelimit-limit"), Some(limit));
}

#[test]
fn the_log_names_clients_that_did_not_wait_for_retry_after() {
    let fixture = Fixture::with(account(), |plan| plan);
    fixture.client.get("/api/accounts", &[]);
    fixture.client.get("/api/accounts", &[]);
    fixture.advance(0.5);
    fixture.client.get("/api/accounts", &[]);
    fixture.client.get("/api/lists", &[]);
    fixture.advance(1.0);
    fixture.client.get("/api/accounts", &[]);
    let requests = fixture.simulator.requests();
    let seen: Vec<_> = requests
        .iter()
        .map(|request| (request.status, request.retry_after_until.is_some()))
        .collect();
    assert_eq!(
        seen,
        [
            (Some(200), false),
            (Some(429), false),
            (Some(429), true),
            (Some(200), false),
            (Some(200), false),
        ]
    );
    assert_eq!(requests[0].endpoint, Some(Endpoint::Accounts));
    assert_eq!(requests[0].account.as_deref(), Some("AbC123"));
    assert_eq!(requests[0].at, crate::support::NOW);
}

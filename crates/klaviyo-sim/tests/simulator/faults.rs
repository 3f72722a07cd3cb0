//! Answers that are wrong on purpose, where and as often as planned.

use fanfare_klaviyo_sim::{
    Change, Effect, Endpoint, Fault, Kind, MemberRef, RetryAfter, Shape, UnknownJoin,
};
use serde_json::Value;

use crate::support::{Fixture, LIST, SEGMENT, account, ids, members_path};

const MEMBERS: Endpoint = Endpoint::Members(Kind::List);
const QUERY: [(&str, &str); 2] = [("sort", "joined_group_at"), ("page[size]", "100")];

fn fixture(faults: impl IntoIterator<Item = Fault>) -> Fixture {
    let fixture = Fixture::new();
    faults
        .into_iter()
        .for_each(|fault| fixture.simulator.add_fault(fault));
    fixture
}

fn next(document: &Value) -> &str {
    document["links"]["next"].as_str().unwrap()
}

#[test]
fn a_burst_of_429s_refuses_until_its_time_is_over() {
    let throttle = Effect::Throttle(RetryAfter::Seconds(30));
    let fault = Fault::new(throttle).on(MEMBERS).of(LIST).page(2).times(2);
    let fixture = Fixture::with(account(), |plan| plan.fault(fault));
    let first = fixture.client.get(&members_path(), &QUERY).json();
    let again = || {
        let answer = fixture.client.follow(next(&first));
        (
            answer.status,
            answer.header("retry-after").map(str::to_owned),
        )
    };
    let refused = |seconds: &str| (429, Some(seconds.to_owned()));
    assert_eq!(again(), refused("30"));
    fixture.advance(30.0);
    assert_eq!(again(), refused("30"), "the second of the burst");
    fixture.advance(29.0);
    assert_eq!(again(), refused("1"), "asked too early");
    fixture.advance(1.0);
    assert_eq!(again(), (200, None));
    let early: Vec<_> = fixture.simulator.requests();
    let early = early
        .iter()
        .filter(|request| request.retry_after_until.is_some());
    assert_eq!(early.count(), 1);
}

#[test]
fn a_429_on_the_profile_count_does_not_block_the_list() {
    let throttle = Effect::Throttle(RetryAfter::Seconds(30));
    let list = Endpoint::Collection(Kind::List);
    let fixture = Fixture::with(account(), |plan| plan.fault(Fault::new(throttle).on(list)));
    let path = format!("/api/lists/{LIST}");
    let count = [("additional-fields[list]", "profile_count")];
    assert_eq!(fixture.client.get(&path, &count).status, 429);
    assert_eq!(fixture.client.get(&path, &[]).status, 200);
    assert_eq!(fixture.client.get(&path, &count).status, 429);
    let requests = fixture.simulator.requests();
    let early = requests
        .iter()
        .map(|request| request.retry_after_until.is_some());
    assert_eq!(early.collect::<Vec<_>>(), [false, false, true]);
}

#[test]
fn retry_after_has_every_form() {
    for (after, expected) in [
        (RetryAfter::Seconds(86_400), Some("86400")),
        (RetryAfter::Seconds(0), Some("0")),
        (RetryAfter::Date(90), Some("Wed, 25 Nov 2026 12:01:30 GMT")),
        (RetryAfter::Text("soon".to_owned()), Some("soon")),
        (RetryAfter::Text("-1".to_owned()), Some("-1")),
        (RetryAfter::Missing, None),
    ] {
        let fixture = fixture([Fault::new(Effect::Throttle(after.clone()))]);
        let answer = fixture.client.get(&members_path(), &[]);
        assert_eq!(answer.status, 429);
        assert_eq!(answer.error().0, "throttled");
        assert_eq!(answer.header("retry-after"), expected, "{after:?}");
        assert_eq!(answer.header("ratelimit-limit"), None);
    }
}

#[test]
fn the_network_in_front_answers_with_html() {
    for status in [500, 502, 503, 504, 524] {
        let after = (status == 503).then_some(RetryAfter::Seconds(7));
        let expected = after.is_some().then_some("7");
        let fixture = fixture([Fault::new(Effect::Status(status, after))]);
        // Before anything of the request was looked at.
        let stranger = fixture.client.without("authorization");
        let answer = stranger.get(&members_path(), &[]);
        assert_eq!(answer.status, status);
        assert!(answer.text().starts_with("<!DOCTYPE html>"));
        assert!(
            answer
                .header("content-type")
                .unwrap()
                .starts_with("text/html")
        );
        assert_eq!(answer.header("retry-after"), expected);
        assert_eq!(fixture.client.get(&members_path(), &[]).status, 200);
    }
    let fixture = fixture([Fault::new(Effect::Challenge)]);
    let answer = fixture.client.get(&members_path(), &[]);
    assert_eq!(answer.status, 403);
    assert_eq!(answer.header("cf-mitigated"), Some("challenge"));
    assert!(answer.text().starts_with("<!DOCTYPE html>"));
}

#[test]
fn a_fault_is_limited_to_its_endpoint_page_request_and_number_of_times() {
    let wrong = |status| Fault::new(Effect::Status(status, None));
    let fixture = fixture([
        wrong(500)
            .on(Endpoint::Collections(Kind::Segment))
            .forever(),
        wrong(501).on(MEMBERS).page(3).times(2),
        wrong(502).on(Endpoint::Collection(Kind::List)).of("OtHeRs"),
        wrong(503).on(Endpoint::Accounts).request(2).times(2),
        wrong(504)
            .on(Endpoint::Profiles)
            .account("XyZ999")
            .forever(),
    ]);
    let status = |path: &str| fixture.client.get(path, &[]).status;
    assert_eq!([0; 4].map(|_| status("/api/segments")), [500; 4]);
    assert_eq!(status(&format!("/api/segments/{SEGMENT}/profiles")), 200);
    assert_eq!(status(&format!("/api/lists/{LIST}")), 200);
    assert_eq!(status("/api/lists/OtHeRs"), 502);
    assert_eq!(status("/api/lists/OtHeRs"), 404);
    assert_eq!(
        [0; 5].map(|_| status("/api/accounts")),
        [200, 503, 503, 200, 200]
    );
    assert_eq!(status("/api/profiles"), 200);
    let first = fixture.client.get(&members_path(), &QUERY).json();
    let second = fixture.client.follow(next(&first)).json();
    let third = || fixture.client.follow(next(&second)).status;
    assert_eq!([third(), third(), third()], [501, 501, 200]);
    fixture.simulator.clear_faults();
    assert_eq!(status("/api/segments"), 200);
    fixture.simulator.forget_requests();
    assert!(fixture.simulator.requests().is_empty());
}

#[test]
fn bodies_have_wrong_shapes() {
    let body = |shape| {
        let fixture = fixture([Fault::new(Effect::Shape(shape)).on(MEMBERS)]);
        let answer = fixture.client.get(&members_path(), &QUERY);
        assert_eq!(answer.status, 200);
        answer.body
    };
    let json = |shape| serde_json::from_slice::<Value>(&body(shape)).unwrap();
    assert!(serde_json::from_slice::<Value>(&body(Shape::NotJson)).is_err());
    assert!(json(Shape::DataIsText)["data"].is_string());
    assert!(json(Shape::DataIsNull)["data"].is_null());
    assert_eq!(json(Shape::NoLinks).get("links"), None);
    assert_eq!(json(Shape::NoIds)["data"][99].get("id"), None);
    assert_eq!(json(Shape::NoAttributes)["data"][0].get("attributes"), None);
    let fixture = fixture([Fault::new(Effect::Empty)]);
    let answer = fixture.client.get(&members_path(), &QUERY);
    assert_eq!((answer.status, answer.body.len()), (200, 0));
}

#[test]
fn half_a_surrogate_pair_stands_in_a_name() {
    let fixture = fixture([Fault::new(Effect::Surrogate)]);
    let answer = fixture.client.get(&members_path(), &QUERY);
    assert!(answer.text().contains("\"first_name\":\"\\ud83d"));
    assert!(serde_json::from_slice::<Value>(&answer.body).is_err());
}

#[test]
fn a_document_can_be_not_quite_json() {
    let answer_with = |effect| {
        let fixture = fixture([Fault::new(effect)]);
        let ask = || fixture.client.get(&members_path(), &QUERY).body;
        (ask(), ask())
    };

    let (marked, whole) = answer_with(Effect::ByteOrderMark);
    assert!(marked.strip_prefix(b"\xef\xbb\xbf") == Some(&*whole));
    let (broken, whole) = answer_with(Effect::BrokenByte);
    assert_eq!(broken.len(), whole.len() + 1);
    assert!(str::from_utf8(&broken).is_err());
    let (enlarged, whole) = answer_with(Effect::Enlarge(900_000));
    assert!(enlarged.len().abs_diff(whole.len() + 900_000) < 9_000);
    let (doubled, _) = answer_with(Effect::DoubledName);
    let doubled = String::from_utf8(doubled).unwrap();
    assert!(doubled.contains("\"first_name\":7,\"first_name\":"));
}

#[test]
fn next_links_can_lead_to_the_same_page_the_first_page_or_another_host() {
    let fixture = fixture([Fault::new(Effect::Loop).on(MEMBERS).page(2).forever()]);
    let first = fixture.client.get(&members_path(), &QUERY).json();
    let second = fixture.client.follow(next(&first)).json();
    assert_eq!(next(&second), next(&first));

    fixture.simulator.clear_faults();
    fixture
        .simulator
        .add_fault(Fault::new(Effect::Loop).on(MEMBERS));
    let first = fixture.client.get(&members_path(), &QUERY).json();
    let again = fixture.client.follow(next(&first)).json();
    assert_eq!(
        again["data"], first["data"],
        "a first page leads to itself too"
    );

    fixture.simulator.clear_faults();
    let fresh = Fault::new(Effect::FreshLoop).on(MEMBERS).forever();
    fixture.simulator.add_fault(fresh);
    let mut document = fixture.client.get(&members_path(), &QUERY).json();
    let all = document["data"].clone();
    let mut seen = Vec::new();
    for _ in 0..3 {
        let link = next(&document).to_owned();
        assert!(!seen.contains(&link), "a new cursor each time");
        document = fixture.client.follow(&link).json();
        assert_eq!(document["data"], all);
        seen.push(link);
    }

    fixture.simulator.clear_faults();
    fixture.simulator.add_fault(Fault::new(Effect::ForeignLink));
    let document = fixture.client.get(&members_path(), &QUERY).json();
    assert!(next(&document).starts_with("https://klaviyo.example/api/lists/"));
}

#[test]
fn a_cursor_can_be_forgotten_and_a_first_page_is_passed_over() {
    let fixture = fixture([Fault::new(Effect::ForgetCursor).on(MEMBERS)]);
    let first = fixture.client.get(&members_path(), &QUERY);
    assert_eq!(first.status, 200);
    let first = first.json();
    let refused = fixture.client.follow(next(&first));
    assert_eq!(refused.status, 400);
    assert_eq!(refused.error().1, "Invalid cursor provided.");
    assert!(refused.header("ratelimit-limit").is_some());
    assert_eq!(fixture.client.follow(next(&first)).status, 200, "once");
}

#[test]
fn a_client_that_retries_completes_its_scan() {
    let fixture = fixture([
        Fault::new(Effect::Status(503, None)).on(MEMBERS).page(1),
        Fault::new(Effect::Truncate).on(MEMBERS).page(2),
        Fault::new(Effect::Reset).on(MEMBERS).page(3),
    ]);
    let truth = fixture.simulator.account().members(LIST).unwrap();
    let mut url = None::<String>;
    let mut scanned = Vec::new();
    let mut failures = 0;
    loop {
        let answer = match &url {
            Some(url) => fixture.client.try_follow(url),
            None => fixture.client.try_get(&members_path(), &QUERY),
        };
        let Some(answer) = answer.filter(|answer| answer.status == 200) else {
            failures += 1;
            continue;
        };
        let document = answer.json();
        scanned.extend(ids(document["data"].as_array().unwrap()));
        match document["links"]["next"].as_str() {
            Some(next) => url = Some(next.to_owned()),
            None => break,
        }
    }
    assert_eq!(failures, 3);
    let truth: Vec<_> = truth.into_iter().map(|member| member.profile.id).collect();
    assert_eq!(scanned, truth);
}

#[test]
fn a_fault_of_costly_requests_leaves_the_others_alone() {
    let fixture = Fixture::new();
    let fault = Fault::new(Effect::Refuse(500)).costly().forever();
    fixture.simulator.add_fault(fault);
    let path = format!("/api/lists/{LIST}");
    let plain = fixture.client.get(&path, &[]);
    assert_eq!(plain.status, 200);
    let counting = [("additional-fields[list]", "profile_count")];
    let refused = fixture.client.get(&path, &counting);
    assert_eq!(refused.status, 500);
    assert_eq!(refused.error().0, "error");
}

#[test]
fn a_member_without_a_join_time_comes_first_or_last_and_is_found_by_no_filter() {
    for (place, position) in [(UnknownJoin::First, 0), (UnknownJoin::Last, 249)] {
        let forget = Change::ForgetJoin(MemberRef::Nth(7), place);
        let fixture = fixture([Fault::new(Effect::Change(forget)).on(MEMBERS)]);
        let before = fixture.simulator.account().members(LIST).unwrap();
        let id = &before[6].profile.id;
        let shown = |order| {
            let pages = fixture.scan(&members_path(), &[("sort", order), ("page[size]", "100")]);
            let members = pages.concat();
            let found = members
                .iter()
                .position(|member| member["id"] == **id)
                .unwrap();
            let joined = members[found]["attributes"]["joined_group_at"].clone();
            (members.len(), found, joined)
        };
        assert_eq!(shown("joined_group_at"), (250, position, Value::Null));
        assert_eq!(
            shown("-joined_group_at"),
            (250, 249 - position, Value::Null)
        );
        for operator in ["greater-or-equal", "less-than"] {
            let filter = format!("{operator}(joined_group_at,2020-01-01T00:00:00Z)");
            let query = [QUERY[0], QUERY[1], ("filter", &filter)];
            let pages = fixture.scan(&members_path(), &query);
            assert!(!ids(&pages.concat()).contains(id), "{operator}");
        }
        let found = fixture.simulator.account().members(LIST).unwrap();
        assert_eq!(
            (found[position].joined, &found[position].profile.id),
            (None, id)
        );
    }
}

#[test]
fn a_filter_or_an_order_is_refused_in_requests_that_have_one() {
    let filter = "greater-or-equal(joined_group_at,2026-01-01T00:00:00Z)";
    let fixture = fixture([
        Fault::new(Effect::RefuseFilter).on(MEMBERS),
        Fault::new(Effect::RefuseSort).on(MEMBERS).times(2),
    ]);
    let get = |query: &[(&str, &str)]| fixture.client.get(&members_path(), query);
    assert_eq!(get(&[]).status, 200);
    for parameter in ["filter", "sort"] {
        let refused = get(&[("filter", filter), QUERY[0]]);
        assert_eq!(refused.status, 400);
        let source = &refused.json()["errors"][0]["source"]["parameter"];
        assert_eq!(source, parameter);
    }
    assert_eq!(get(&[("filter", filter), QUERY[0]]).status, 200);
}

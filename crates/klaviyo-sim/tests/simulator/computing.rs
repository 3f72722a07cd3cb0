//! Segments that are computed anew, counts that lag behind, times in the future, and merged profiles that still answer.

use std::time::Duration;

use fanfare_klaviyo_sim::{Profile, Recomputation};
use serde_json::Value;

use crate::support::{Fixture, LIST, NOW, SEGMENT, ids, members_path};

const TEN_A_MINUTE: Recomputation = Recomputation::at(10);

fn segment(fixture: &Fixture) -> Value {
    let answer = fixture.client.get(
        &format!("/api/segments/{SEGMENT}"),
        &[("additional-fields[segment]", "profile_count")],
    );
    answer.json()["data"]["attributes"].clone()
}

fn scanned(fixture: &Fixture) -> Vec<Value> {
    let path = format!("/api/segments/{SEGMENT}/profiles");
    let query = [("sort", "joined_group_at"), ("page[size]", "100")];
    fixture.scan(&path, &query).concat()
}

#[test]
fn a_segment_with_a_new_definition_is_emptied_and_fills_slowly() {
    let fixture = Fixture::new();
    let account = fixture.simulator.account();
    let (before, definition) = (scanned(&fixture), segment(&fixture)["definition"].clone());
    account.recompute(SEGMENT, &TEN_A_MINUTE).unwrap();
    let attributes = segment(&fixture);
    assert_eq!(attributes["updated"], "2026-11-25T12:00:00+00:00");
    assert_eq!(attributes["is_processing"], true);
    assert_eq!(attributes["profile_count"], 0);
    assert_ne!(attributes["definition"], definition);
    assert_eq!(scanned(&fixture), Vec::<Value>::new());

    fixture.advance(61.0);
    let some = scanned(&fixture);
    assert_eq!(ids(&some), ids(&before[..10]));
    let joined = |place: usize| some[place]["attributes"]["joined_group_at"].clone();
    assert_eq!(joined(0), "2026-11-25T12:00:06+00:00");
    assert_eq!(joined(9), "2026-11-25T12:01:00+00:00");
    assert_eq!(segment(&fixture)["profile_count"], 10);
    assert_eq!(segment(&fixture)["is_processing"], true);

    fixture.advance(180.0);
    assert_eq!(ids(&scanned(&fixture)), ids(&before));
    assert_eq!(segment(&fixture)["is_processing"], false);
}

#[test]
fn klaviyo_need_not_say_that_it_computes_and_others_may_be_in_the_segment_then() {
    let fixture = Fixture::new();
    let account = fixture.simulator.account();
    let others: Vec<String> = (0..20)
        .map(|n| account.member_id(LIST, 100 + n).unwrap().unwrap())
        .collect();
    let how = TEN_A_MINUTE.untold().of(others.clone());
    account.recompute(SEGMENT, &how).unwrap();
    fixture.advance(60.0);
    assert_eq!(segment(&fixture)["is_processing"], false);
    assert_eq!(scanned(&fixture).len(), 10);
    // Who leaves, is deleted or becomes another meanwhile does not join any more.
    account.delete(&others[15]).unwrap();
    account
        .merge_at_once(&others[16], &others[17], Duration::ZERO)
        .unwrap();
    account
        .merge_at_once(&others[18], &others[0], Duration::ZERO)
        .unwrap();
    // A new definition before the segment is computed begins with those who would have been in it.
    account.recompute(SEGMENT, &TEN_A_MINUTE).unwrap();
    fixture.advance(120.0);
    assert_eq!(scanned(&fixture).len(), 17);
    let unknown = TEN_A_MINUTE.of(["NoBoDy".to_owned()]);
    assert!(account.recompute(SEGMENT, &unknown).is_err());
    assert!(account.recompute("NoNe00", &TEN_A_MINUTE).is_err());
}

#[test]
fn the_count_of_a_list_lags_behind_as_long_as_is_ordered() {
    let fixture = Fixture::new();
    let account = fixture.simulator.account();
    let count = || {
        let query = [("additional-fields[list]", "profile_count")];
        let answer = fixture.client.get(&format!("/api/lists/{LIST}"), &query);
        answer.json()["data"]["attributes"]["profile_count"].clone()
    };
    account.set_count_lag(LIST, Duration::from_mins(2)).unwrap();
    let first = account.member_id(LIST, 0).unwrap().unwrap();
    account.leave(LIST, &first).unwrap();
    fixture.advance(60.0);
    let second = account.member_id(LIST, 0).unwrap().unwrap();
    account.leave(LIST, &second).unwrap();
    assert_eq!((count(), account.size(LIST).unwrap()), (250.into(), 248));
    fixture.advance(60.0);
    assert_eq!(count(), 249);
    fixture.advance(59.0);
    assert_eq!(count(), 249);
    fixture.advance(1.0);
    assert_eq!(count(), 248);
    account
        .leave(LIST, &account.member_id(LIST, 0).unwrap().unwrap())
        .unwrap();
    account.set_count_lag(LIST, Duration::ZERO).unwrap();
    assert_eq!(count(), 247);
}

#[test]
fn join_and_change_times_may_lie_in_the_future() {
    let fixture = Fixture::new();
    let account = fixture.simulator.account();
    let id = account.member_id(LIST, 3).unwrap().unwrap();
    account
        .join_at(LIST, &id, NOW + Duration::from_hours(48))
        .unwrap();
    let ahead = "2030-01-01T00:00:00+00:00";
    account
        .update(&id, |profile| profile.updated = Some(ahead.to_owned()))
        .unwrap();
    let last = fixture.client.get(
        &members_path(),
        &[("sort", "-joined_group_at"), ("page[size]", "1")],
    );
    let last = &last.json()["data"][0];
    assert_eq!(last["id"], id.as_str());
    assert_eq!(
        last["attributes"]["joined_group_at"],
        "2026-11-27T12:00:00+00:00"
    );
    assert_eq!(last["attributes"]["updated"], ahead);
}

#[test]
fn profiles_that_changed_since_a_time_are_read_in_the_order_of_their_changes() {
    let fixture = Fixture::new();
    let account = fixture.simulator.account();
    let changed = |since: &str| {
        let filter = format!("greater-than(updated,{since})");
        let query = [
            ("filter", filter.as_str()),
            ("sort", "updated"),
            ("page[size]", "2"),
        ];
        ids(&fixture.scan("/api/profiles", &query).concat())
    };
    // The order is asked for once before anything changes, so that it is one that follows the changes.
    assert_eq!(changed("2026-11-25T11:59:59Z"), Vec::<String>::new());
    let mut expected = Vec::new();
    for place in [30, 4, 77, 12, 5] {
        fixture.advance(1.0);
        let id = account.member_id(LIST, place).unwrap().unwrap();
        account
            .update(&id, |profile| profile.first_name = None)
            .unwrap();
        expected.push(id);
    }
    let newcomer = account
        .join_as(LIST, Profile::with_email("new@x.io"))
        .unwrap();
    expected.push(newcomer);
    expected[4..].sort();
    assert_eq!(changed("2026-11-25T12:00:00Z"), expected);
    // Strictly later, by the parts of a second that are asked for.
    assert_eq!(changed("2026-11-25T12:00:01Z"), expected[1..]);
    assert_eq!(changed("2026-11-25T12:00:00.500Z"), expected);
    account.delete(&expected[1]).unwrap();
    expected.remove(1);
    assert_eq!(changed("2026-11-25T12:00:00Z"), expected);
    account.update(&expected[0], |_| {}).unwrap();
    let again = expected.remove(0);
    assert_eq!(changed("2026-11-25T12:00:02Z"), {
        expected.push(again);
        expected[2..].sort();
        expected.clone()
    });
}

#[test]
fn after_a_merge_lists_have_the_survivor_and_the_old_id_answers_for_a_while() {
    let fixture = Fixture::new();
    let account = fixture.simulator.account();
    account
        .join_as(LIST, Profile::with_email("from@x.io").id("FROM"))
        .unwrap();
    account
        .put(Profile::with_email("into@x.io").id("INTO"))
        .unwrap();
    account
        .merge_at_once("FROM", "INTO", Duration::from_mins(10))
        .unwrap();
    let status = |id: &str| {
        let path = format!("/api/profiles/{id}");
        fixture.client.get(&path, &[]).status
    };
    assert!(account.is_member(LIST, "INTO").unwrap());
    assert!(!account.is_member(LIST, "FROM").unwrap());
    assert_eq!((status("FROM"), status("INTO")), (200, 200));
    fixture.advance(599.0);
    assert_eq!(status("FROM"), 200);
    fixture.advance(1.0);
    assert_eq!((status("FROM"), status("INTO")), (404, 200));
    let all = fixture.scan("/api/profiles", &[("page[size]", "100")]);
    assert!(!ids(&all.concat()).contains(&"FROM".to_owned()));
}

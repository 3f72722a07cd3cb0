//! Cursors: what they point at, and which are refused.

use crate::support::{Fixture, LIST, account, members_path};

#[test]
fn a_cursor_is_a_position_and_not_a_page_number() {
    let fixture = Fixture::new();
    let account = fixture.simulator.account();
    let truth = account.members(LIST).unwrap();
    let query = [("sort", "joined_group_at"), ("page[size]", "100")];
    let first = fixture.client.get(&members_path(), &query);
    // The last member of the page leaves, and one before it: no member is missed, and none comes twice.
    account.leave(LIST, &truth[99].profile.id).unwrap();
    account.leave(LIST, &truth[5].profile.id).unwrap();
    let next = first.json()["links"]["next"].as_str().unwrap().to_owned();
    let second = fixture.client.follow(&next);
    let expected: Vec<_> = truth[100..200]
        .iter()
        .map(|member| member.profile.id.clone())
        .collect();
    assert_eq!(second.ids(), expected);
}

fn next_of(fixture: &Fixture, query: &[(&str, &str)]) -> String {
    let page = fixture.client.get(&members_path(), query).json();
    page["links"]["next"].as_str().unwrap().to_owned()
}

#[test]
fn a_malformed_cursor_is_refused() {
    let fixture = Fixture::new();
    let query = [("sort", "joined_group_at")];
    let cursor = next_of(&fixture, &query);
    let cursor = cursor.rsplit_once("%5D=").unwrap().1.to_owned();
    for bad in ["", "x", "AAAA", &cursor[1..], "next::id::01F3"] {
        let query = [query[0], ("page[cursor]", bad)];
        let refused = fixture.client.get(&members_path(), &query);
        assert_eq!(refused.status, 400, "{bad}");
        assert_eq!(
            refused.error(),
            ("invalid".to_owned(), "Invalid cursor provided.".to_owned())
        );
        assert_eq!(refused.json()["errors"][0]["source"]["pointer"], "/data/");
    }
    // Klaviyo's client for Python leaves a sign before it.
    let query = [query[0], ("page[cursor]", &format!("={cursor}"))];
    assert_eq!(fixture.client.get(&members_path(), &query).status, 200);
}

#[test]
fn a_cursor_belongs_to_its_scan() {
    for binds in [true, false] {
        let fixture = Fixture::with(account(), |mut plan| {
            plan.switches.binds_cursors = binds;
            plan
        });
        let cursor = next_of(&fixture, &[("sort", "joined_group_at")]);
        let cursor = cursor.rsplit_once("%5D=").unwrap().1.to_owned();
        let query = [("sort", "-joined_group_at"), ("page[cursor]", &cursor)];
        let expected = if binds { 400 } else { 200 };
        assert_eq!(fixture.client.get(&members_path(), &query).status, expected);
    }
}

#[test]
fn a_cursor_lives_for_an_hour_unless_that_is_switched_off() {
    for mortal in [true, false] {
        let fixture = Fixture::with(account(), |mut plan| {
            if !mortal {
                plan.switches.cursor_life = None;
            }
            plan
        });
        let next = next_of(&fixture, &[("sort", "joined_group_at")]);
        fixture.advance(3_599.0);
        assert_eq!(fixture.client.follow(&next).status, 200);
        fixture.advance(1.0);
        let expected = if mortal { 400 } else { 200 };
        assert_eq!(fixture.client.follow(&next).status, expected);
    }
}

#[test]
fn an_odd_cursor_works_if_it_comes_back_exactly_as_it_was() {
    let fixture = Fixture::with(account(), |mut plan| {
        plan.switches.has_odd_cursors = true;
        plan
    });
    let next = next_of(&fixture, &[("sort", "joined_group_at")]);
    assert_eq!(fixture.client.follow(&next).status, 200);
    for (sign, other) in [("%09", ""), ("%2B", "+"), ("%2541", "A")] {
        let changed = next.replace(sign, other);
        assert_ne!(changed, next, "{next}");
        assert_eq!(fixture.client.follow(&changed).status, 400, "{changed}");
    }
}

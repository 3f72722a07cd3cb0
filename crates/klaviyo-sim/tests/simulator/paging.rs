//! Pages: their sizes, their links, and that together they are the whole.

use std::collections::HashSet;

use fanfare_klaviyo_sim::{Profile, Quota};
use serde_json::Value;

use crate::support::{Fixture, LIST, SEGMENT, account, account_of, ids, members_path};

#[test]
fn a_page_has_klaviyos_size_and_never_more() {
    let account = (0..12).fold(account(), |account, n| {
        account.list(&format!("L{n:05}"), "", 0)
    });
    let account = (0..12).fold(account, |account, n| {
        account.segment(&format!("S{n:05}"), "", 0)
    });
    let fixture = Fixture::with(account, |plan| plan.quota(Quota::Unlimited));
    let ids = format!("/api/lists/{LIST}/relationships/profiles");
    let segment = format!("/api/segments/{SEGMENT}/profiles");
    for (path, usual, most) in [
        ("/api/lists", 10, 10),
        ("/api/segments", 10, 10),
        ("/api/profiles", 20, 100),
        (&members_path(), 20, 100),
        (&ids, 20, 100),
        (&segment, 20, 40),
    ] {
        assert_eq!(fixture.client.get(path, &[]).ids().len(), usual, "{path}");
        let highest = if most == 10 { 10 } else { 100 };
        for (size, expected) in [("1", 1), (&highest.to_string(), most)] {
            let page = fixture.client.get(path, &[("page[size]", size)]);
            assert_eq!(page.ids().len(), expected, "{path} {size}");
        }
        for size in ["0", "-1", &(highest + 1).to_string(), "ten", "", "1.5"] {
            let refused = fixture.client.get(path, &[("page[size]", size)]);
            assert_eq!(refused.status, 400, "{path} {size}");
            assert_eq!(refused.error().0, "invalid");
            assert_eq!(
                refused.json()["errors"][0]["source"]["parameter"],
                "page[size]"
            );
        }
    }
}

#[test]
fn a_scan_reads_every_member_once_in_every_order() {
    let fixture = Fixture::new();
    let truth: Vec<_> = fixture.simulator.account().members(LIST).unwrap();
    let by_join: Vec<_> = truth
        .iter()
        .map(|member| member.profile.id.clone())
        .collect();
    let mut by_id = by_join.clone();
    by_id.sort();
    let reversed: Vec<_> = by_join.iter().rev().cloned().collect();
    for size in ["1", "7", "50", "100"] {
        let scan = |sort: Option<&str>| {
            let mut query = vec![("page[size]", size)];
            query.extend(sort.map(|sort| ("sort", sort)));
            ids(&fixture.scan(&members_path(), &query).concat())
        };
        assert_eq!(scan(Some("joined_group_at")), by_join, "{size}");
        assert_eq!(scan(Some("-joined_group_at")), reversed, "{size}");
        assert_eq!(scan(None), by_id, "{size}");
    }
    let path = format!("/api/lists/{LIST}/relationships/profiles");
    let scan = fixture.scan(&path, &[("sort", "joined_group_at"), ("page[size]", "30")]);
    assert_eq!(ids(&scan.concat()), by_join);
    let resource = scan[0][0].as_object().unwrap();
    assert_eq!(resource.len(), 2, "type and id alone");
}

#[test]
fn without_an_order_members_can_come_as_they_joined() {
    let fixture = Fixture::with(account(), |mut plan| {
        plan.switches.sorts_by_id = false;
        plan
    });
    let truth = fixture.simulator.account().members(LIST).unwrap();
    let by_join: Vec<_> = truth
        .iter()
        .map(|member| member.profile.id.clone())
        .collect();
    let scan = fixture.scan(&members_path(), &[("page[size]", "100")]);
    assert_eq!(ids(&scan.concat()), by_join);
}

#[test]
fn members_who_joined_in_the_same_second_are_each_read_once() {
    let profiles = (0..25).map(|n| {
        (
            n / 10,
            Profile::with_email(&format!("{n}@x.io")).id(&format!("P{n:02}")),
        )
    });
    let fixture = Fixture::with(account_of(profiles), |plan| plan);
    let pages = fixture.scan(
        &members_path(),
        &[("sort", "joined_group_at"), ("page[size]", "4")],
    );
    let expected: Vec<_> = (0..25).map(|n| format!("P{n:02}")).collect();
    assert_eq!(ids(&pages.concat()), expected, "ties by id");
    let pages = fixture.scan(
        &members_path(),
        &[("sort", "-joined_group_at"), ("page[size]", "4")],
    );
    let expected: Vec<_> = expected.into_iter().rev().collect();
    assert_eq!(ids(&pages.concat()), expected);
}

#[test]
fn links_repeat_every_parameter() {
    let fixture = Fixture::new();
    let query = [
        ("fields[profile]", "email,joined_group_at"),
        (
            "filter",
            "greater-than(joined_group_at,2022-01-01T00:00:00+00:00)",
        ),
        ("sort", "joined_group_at"),
        ("page[size]", "2"),
    ];
    let first = fixture.client.get(&members_path(), &query).json();
    let links = &first["links"];
    let base = format!("{}{}?", fixture.simulator.url(), members_path());
    let own = "fields%5Bprofile%5D=email%2Cjoined_group_at&filter=greater-than%28joined_group_at%2C\
               2022-01-01T00%3A00%3A00%2B00%3A00%29&sort=joined_group_at&page%5Bsize%5D=2";
    assert_eq!(links["self"], format!("{base}{own}"));
    assert_eq!(links["prev"], Value::Null);
    let next = links["next"].as_str().unwrap();
    let cursor = next.strip_prefix(&format!("{base}{own}&page%5Bcursor%5D="));
    assert!(cursor.is_some_and(|cursor| !cursor.is_empty()), "{next}");
    let second = fixture.client.follow(next).json();
    assert_eq!(second["links"]["self"], next);
}

#[test]
fn previous_links_lead_over_the_same_pages() {
    let fixture = Fixture::new();
    for sort in ["joined_group_at", "-joined_group_at"] {
        let query = [("sort", sort), ("page[size]", "100")];
        let mut document = fixture.client.get(&members_path(), &query).json();
        let mut there = vec![document["data"].clone()];
        while let Some(next) = document["links"]["next"].as_str() {
            document = fixture.client.follow(next).json();
            there.push(document["data"].clone());
        }
        let mut back = vec![document["data"].clone()];
        while let Some(prev) = document["links"]["prev"].as_str() {
            document = fixture.client.follow(prev).json();
            back.push(document["data"].clone());
        }
        back.reverse();
        assert_eq!(there.len(), 3);
        assert_eq!(back, there);
    }
}

#[test]
fn collections_and_profiles_come_in_every_order_that_is_asked_for() {
    let account = (0..23).fold(account(), |account, n| {
        account.list(
            &format!("L{:05}", n * 7 % 23),
            &format!("List {}", n % 5),
            0,
        )
    });
    let fixture = Fixture::with(account, |plan| plan.quota(Quota::Unlimited));
    for (path, sort, attribute) in [
        ("/api/lists", "id", None),
        ("/api/lists", "name", Some("name")),
        ("/api/lists", "created", Some("created")),
        ("/api/profiles", "id", None),
        ("/api/profiles", "created", Some("created")),
        ("/api/profiles", "updated", Some("updated")),
        ("/api/profiles", "email", Some("email")),
    ] {
        let scan = |sort: &str| fixture.scan(path, &[("sort", sort)]).concat();
        let up = scan(sort);
        let key = |resource: &Value| {
            let own = attribute.map(|name| resource["attributes"][name].to_string());
            (own, resource["id"].as_str().unwrap().to_owned())
        };
        let keys: Vec<_> = up.iter().map(key).collect();
        assert!(keys.is_sorted(), "{path} {sort}: {keys:?}");
        assert_eq!(keys.iter().collect::<HashSet<_>>().len(), keys.len());
        let down = scan(&format!("-{sort}"));
        assert_eq!(
            down,
            up.into_iter().rev().collect::<Vec<_>>(),
            "{path} {sort}"
        );
    }
    for (path, sort) in [
        ("/api/lists", "opt_in_process"),
        ("/api/profiles", "joined_group_at"),
        (&members_path(), "email"),
        (&members_path(), "--joined_group_at"),
    ] {
        assert_eq!(
            fixture.client.get(path, &[("sort", sort)]).status,
            400,
            "{path} {sort}"
        );
    }
}

#[test]
fn a_switch_shows_the_prev_link_that_was_once_seen_on_a_first_page_of_lists() {
    let fixture = Fixture::with(account(), |mut plan| {
        plan.switches.has_odd_prev = true;
        plan
    });
    let filter = format!("any(id,[\"{LIST}\"])");
    let page = fixture
        .client
        .get("/api/lists", &[("filter", &filter)])
        .json();
    let prev = page["links"]["prev"].as_str().unwrap();
    assert!(
        prev.contains("page%5Bcursor%5D=%3CFilters%3A+any%28id"),
        "{prev}"
    );
    assert_eq!(fixture.client.follow(prev).status, 400);
    let path = "/api/segments";
    assert_eq!(
        fixture.client.get(path, &[]).json()["links"]["prev"],
        Value::Null
    );
}

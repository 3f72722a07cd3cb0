//! The filter language on each endpoint.

use fanfare_klaviyo_sim::{CollectionPlan, Kind, ListSuppression, Profile, Quota, Suppression};

use crate::support::{Fixture, LIST, SEGMENT, account, account_of, members_path};

/// Five members who joined at seconds 0, 1, 1, 2 and 3 after noon.
fn fixture() -> Fixture {
    let person = |id: &str| Profile::with_email(&format!("{id}@Example.com")).id(id);
    let members = [
        (0, person("A")),
        (1, person("B").phone("+14155550100")),
        (1, person("C")),
        (2, person("D").updated("2026-01-02T00:00:00+00:00")),
        (3, person("E").updated("2026-01-03T00:00:00.5+00:00")),
    ];
    Fixture::with(account_of(members), |plan| plan.quota(Quota::Unlimited))
}

fn found(fixture: &Fixture, path: &str, filter: &str) -> String {
    let answer = fixture.client.get(path, &[("filter", filter)]);
    assert_eq!(answer.status, 200, "{filter}: {}", answer.text());
    answer.ids().concat()
}

fn refused(fixture: &Fixture, path: &str, filter: &str) -> String {
    let answer = fixture.client.get(path, &[("filter", filter)]);
    assert_eq!(answer.status, 400, "{filter}");
    let source = &answer.json()["errors"][0]["source"]["parameter"];
    assert_eq!(source, "filter");
    answer.error().1
}

#[test]
fn members_are_filtered_by_the_time_of_joining() {
    let fixture = fixture();
    let by_join = |filter: &str| found(&fixture, &members_path(), filter);
    for (filter, expected) in [
        ("greater-than(joined_group_at,2026-11-25T12:00:01Z)", "DE"),
        (
            "greater-or-equal(joined_group_at,2026-11-25T12:00:01Z)",
            "BCDE",
        ),
        ("less-than(joined_group_at,2026-11-25T12:00:01Z)", "A"),
        ("less-or-equal(joined_group_at,2026-11-25T12:00:01Z)", "ABC"),
        (
            "greater-than(joined_group_at,2026-11-25T12:00:00.5Z)",
            "BCDE",
        ),
        ("less-than(joined_group_at,2026-11-25T12:00:00.5Z)", "A"),
        (
            "greater-or-equal(joined_group_at,2026-11-25T14:00:02+02:00)",
            "DE",
        ),
        (
            "greater-or-equal(joined_group_at,2026-11-25T12:00:01Z),less-than(joined_group_at,2026-11-25T12:00:03Z)",
            "BCD",
        ),
        (
            "greater-than(joined_group_at,2026-11-25T12:00:02Z),less-than(joined_group_at,2026-11-25T12:00:01Z)",
            "",
        ),
        (
            "greater-than(joined_group_at,2026-11-25T12:00:01Z),less-or-equal(joined_group_at,2026-11-25T12:00:01Z)",
            "",
        ),
    ] {
        assert_eq!(by_join(filter), expected, "{filter}");
        for sort in ["joined_group_at", "-joined_group_at"] {
            let query = [("filter", filter), ("sort", sort), ("page[size]", "2")];
            let mut scanned = crate::support::ids(&fixture.scan(&members_path(), &query).concat());
            if sort.starts_with('-') {
                scanned.reverse();
            }
            assert_eq!(scanned.concat(), expected, "{filter} {sort}");
        }
    }
}

#[test]
fn members_are_found_by_their_identifiers() {
    let fixture = fixture();
    let path = members_path();
    for (filter, expected) in [
        (r#"equals(email,"c@EXAMPLE.com")"#, "C"),
        ("equals(email,'C@Example.com')", "C"),
        (
            r#"any(email,["a@example.com","nobody@x.io","E@example.com"])"#,
            "AE",
        ),
        (r#"equals(phone_number,"+14155550100")"#, "B"),
        (r#"equals(push_token,"x")"#, ""),
        (r#"equals(_kx,"x")"#, ""),
        (
            r#"any(email,["a@example.com","d@example.com"]),greater-than(joined_group_at,2026-11-25T12:00:00Z)"#,
            "D",
        ),
    ] {
        assert_eq!(found(&fixture, &path, filter), expected, "{filter}");
    }
}

#[test]
fn a_refused_filter_names_what_could_be_filtered_by() {
    let fixture = Fixture::new();
    let of_lists = "_kx, email, joined_group_at, phone_number, push_token";
    assert_eq!(
        refused(&fixture, &members_path(), "equals(profile_id,\"x\")"),
        format!(
            "'profile_id' is not a filterable field for this resource. The filterable fields on \
             this resource are: {of_lists}"
        )
    );
    let segment = format!("/api/segments/{SEGMENT}/profiles");
    let detail = refused(&fixture, &segment, "equals(updated,\"x\")");
    assert!(
        detail.ends_with("phone_number, profile_id, push_token"),
        "{detail}"
    );
    assert_eq!(
        refused(&fixture, "/api/lists", "contains(name,\"x\")"),
        "'contains' is not an allowed filter operator for name.  Allowed operators are any, equals"
    );
    refused(
        &fixture,
        &members_path(),
        "greater-than(joined_group_at,\"2026-01-01T00:00:00Z\")",
    );
    // A plus that was not encoded is a blank.
    refused(
        &fixture,
        &members_path(),
        "greater-than(joined_group_at,2026-01-01T00:00:00 00:00)",
    );
    refused(
        &fixture,
        "/api/profiles",
        "greater-or-equal(updated,2026-01-01T00:00:00Z)",
    );
    refused(&fixture, "/api/profiles", "equals(email,\"a\"");
}

#[test]
fn a_list_of_values_has_at_most_a_hundred() {
    let fixture = Fixture::new();
    let filter = |count| {
        let values: Vec<_> = (0..count).map(|n| format!("\"{n}@x.io\"")).collect();
        format!("any(email,[{}])", values.join(","))
    };
    found(&fixture, &members_path(), &filter(100));
    refused(&fixture, &members_path(), &filter(101));
    let fixture = Fixture::with(account(), |mut plan| {
        plan.switches.most_values = None;
        plan
    });
    found(&fixture, &members_path(), &filter(101));
}

#[test]
fn members_of_a_segment_are_found_by_id() {
    let fixture = Fixture::new();
    let members = fixture.simulator.account().members(SEGMENT).unwrap();
    let id = &members[3].profile.id;
    let path = format!("/api/segments/{SEGMENT}/profiles");
    let filter = format!("any(profile_id,[\"{id}\",\"nobody\"])");
    assert_eq!(found(&fixture, &path, &filter), *id);
    let path = format!("/api/segments/{SEGMENT}/relationships/profiles");
    assert_eq!(found(&fixture, &path, &filter), *id);
}

#[test]
fn lists_and_segments_are_filtered_by_their_attributes() {
    let idle = CollectionPlan {
        is_active: false,
        created: 1_735_689_600,
        ..CollectionPlan::new(Kind::Segment, "IdLeSg", "Idle")
    };
    let fixture = Fixture::with(account().list("OtHeRl", "Other", 0).with(idle), |plan| plan);
    let found = |path: &str, filter: &str| {
        let answer = fixture.client.get(path, &[("filter", filter)]);
        assert_eq!(answer.status, 200, "{}", answer.text());
        answer.ids().join(" ")
    };
    assert_eq!(found("/api/lists", "equals(name,\"Other\")"), "OtHeRl");
    assert_eq!(
        found(
            "/api/lists",
            &format!("any(id,[\"OtHeRl\",\"{LIST}\",\"x\"])")
        ),
        format!("{LIST} OtHeRl")
    );
    assert_eq!(
        found("/api/lists", "greater-than(created,2024-01-01T00:00:00Z)"),
        ""
    );
    let segments = "/api/segments";
    assert_eq!(found(segments, "equals(is_active,false)"), "IdLeSg");
    assert_eq!(found(segments, "any(is_active,[true])"), SEGMENT);
    assert_eq!(
        found(segments, "greater-than(created,2024-06-01T00:00:00Z)"),
        "IdLeSg"
    );
    let both = format!("IdLeSg {SEGMENT}");
    assert_eq!(
        found(segments, "equals(is_starred,true)"),
        both,
        "accepted and ignored"
    );
}

#[test]
fn a_rename_is_found_by_its_time_and_a_join_is_not() {
    let fixture = Fixture::new();
    let account = fixture.simulator.account();
    let filter = "greater-than(updated,2026-11-25T11:59:59Z)";
    account
        .join_as(LIST, Profile::with_email("new@x.io"))
        .unwrap();
    assert_eq!(found(&fixture, "/api/lists", filter), "");
    account.rename(LIST, Some("Renamed")).unwrap();
    assert_eq!(found(&fixture, "/api/lists", filter), LIST);
}

#[test]
fn profiles_are_filtered_by_their_attributes() {
    let fixture = fixture();
    let account = fixture.simulator.account();
    account
        .update("A", |profile| {
            profile.updated = None;
            profile.external_id = Some("ext".to_owned());
            profile.suppressions.push(Suppression {
                reason: "USER_SUPPRESSED".to_owned(),
                timestamp: "2026-05-01T00:00:00+00:00".to_owned(),
            });
        })
        .unwrap();
    account
        .update("B", |profile| {
            profile.updated = Some("soon".to_owned());
            profile.list_suppressions.push(ListSuppression {
                list_id: LIST.to_owned(),
                reason: "UNSUBSCRIBE".to_owned(),
                timestamp: "2026-06-01T00:00:00+00:00".to_owned(),
            });
        })
        .unwrap();
    let marketing = "subscriptions.email.marketing";
    for (filter, expected) in [
        ("equals(id,\"A\")".to_owned(), "A"),
        ("any(id,[\"E\",\"A\"])".to_owned(), "AE"),
        ("equals(external_id,\"ext\")".to_owned(), "A"),
        (
            "greater-than(updated,2026-01-02T12:00:00Z),less-than(updated,2026-02-01T00:00:00Z)"
                .to_owned(),
            "E",
        ),
        ("less-than(updated,2026-01-03T00:00:00Z)".to_owned(), "D"),
        (
            format!("equals({marketing}.suppression.reason,\"USER_SUPPRESSED\")"),
            "A",
        ),
        (
            format!("greater-or-equal({marketing}.suppression.timestamp,2026-05-01T00:00:00Z)"),
            "A",
        ),
        (
            format!("equals({marketing}.list_suppressions.list_id,\"{LIST}\")"),
            "B",
        ),
        (
            format!("less-than({marketing}.list_suppressions.timestamp,2026-06-01T00:00:00Z)"),
            "",
        ),
    ] {
        assert_eq!(
            found(&fixture, "/api/profiles", &filter),
            expected,
            "{filter}"
        );
    }
    let sort = format!("-{marketing}.suppression.timestamp");
    let page = fixture.client.get("/api/profiles", &[("sort", &sort)]);
    assert_eq!(page.ids()[0], "A");
}

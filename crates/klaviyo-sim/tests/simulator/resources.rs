//! What is shown of accounts, lists, segments and profiles.

use std::collections::BTreeSet;

use fanfare_klaviyo_sim::{CollectionPlan, Kind, Location, Profile};
use serde_json::{Value, json};

use crate::support::{Fixture, LIST, SEGMENT, account, account_of, members_path};

fn names(value: &Value) -> BTreeSet<&str> {
    value
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect()
}

fn set<'a>(names: &[&'a str]) -> BTreeSet<&'a str> {
    names.iter().copied().collect()
}

#[test]
fn an_account_shows_the_requested_fields() {
    let fixture = Fixture::new();
    let whole = fixture.client.get("/api/accounts", &[]).json();
    assert_eq!(whole["data"][0]["attributes"]["public_api_key"], "AbC123");
    let query = [(
        "fields[account]",
        "timezone,contact_information.street_address.city",
    )];
    let part = fixture.client.get("/api/accounts", &query).json();
    assert_eq!(
        part["data"][0]["attributes"],
        json!({
            "timezone": "US/Eastern",
            "contact_information": {"street_address": {"city": "Boston"}},
        })
    );
    let bad = fixture
        .client
        .get("/api/accounts", &[("fields[account]", "name")]);
    let expected = "'name' is not a valid field for the resource 'account'.";
    assert_eq!((bad.status, bad.error().1), (400, expected.to_owned()));
}

#[test]
fn a_list_is_counted_only_when_that_is_asked_for() {
    let fixture = Fixture::new();
    let path = format!("/api/lists/{LIST}");
    let list = fixture.client.get(&path, &[]).json();
    let attributes = set(&["name", "created", "updated", "opt_in_process"]);
    assert_eq!(names(&list["data"]["attributes"]), attributes);
    let count = ("additional-fields[list]", "profile_count");
    let counted = fixture.client.get(&path, &[count]).json();
    assert_eq!(counted["data"]["attributes"]["profile_count"], 250);
    let counted = fixture
        .client
        .get(&path, &[count, ("fields[list]", "name")])
        .json();
    assert_eq!(
        counted["data"]["attributes"],
        json!({"name": "Newsletter", "profile_count": 250})
    );
    let path = format!("/api/segments/{SEGMENT}");
    let count = ("additional-fields[segment]", "profile_count");
    let counted = fixture.client.get(&path, &[count]).json();
    assert_eq!(counted["data"]["attributes"]["profile_count"], 40);
    let bad = fixture
        .client
        .get(&path, &[("additional-fields[segment]", "size")]);
    assert_eq!(bad.status, 400);
    let query = [("fields[list]", "profile_count")];
    assert_eq!(fixture.client.get("/api/lists", &query).status, 400);
}

#[test]
fn collections_show_their_attributes() {
    let nameless = CollectionPlan {
        name: None,
        is_double_opt_in: true,
        ..CollectionPlan::new(Kind::List, "NoNaMe", "")
    };
    let busy = CollectionPlan {
        is_processing: true,
        is_active: false,
        ..CollectionPlan::new(Kind::Segment, "BuSyNo", "Busy")
    };
    let fixture = Fixture::with(account().with(nameless).with(busy), |plan| plan);
    let one = |path: &str| fixture.client.get(path, &[]).json()["data"]["attributes"].clone();
    let list = one("/api/lists/NoNaMe");
    assert_eq!(list["name"], Value::Null);
    assert_eq!(list["opt_in_process"], "double_opt_in");
    assert_eq!(list["created"], "2024-01-01T00:00:00+00:00");
    let segment = one("/api/segments/BuSyNo");
    assert_eq!(segment["is_processing"], true);
    assert_eq!(segment["is_active"], false);
    assert!(segment["definition"]["condition_groups"].is_array());
    // A list is no segment.
    assert_eq!(fixture.client.get("/api/segments/NoNaMe", &[]).status, 404);
    let refused = fixture.client.get("/api/segments/NOPE01/profiles", &[]);
    assert_eq!(
        refused.error().1,
        "A segment with id `NOPE01` does not exist."
    );
}

#[test]
fn related_resources_are_included_on_demand() {
    let fixture = Fixture::new();
    let page = fixture
        .client
        .get("/api/lists", &[("include", "tags")])
        .json();
    assert_eq!(page["included"], json!([]));
    assert_eq!(page["data"][0]["relationships"]["tags"]["data"], json!([]));
    let bad = fixture
        .client
        .get("/api/lists", &[("include", "profiless")]);
    assert_eq!(bad.status, 400);
    assert_eq!(
        bad.error().1,
        "'profiless' is not an allowed include parameter for this resource."
    );
    let bad = fixture.client.get(&members_path(), &[("include", "lists")]);
    assert_eq!(bad.status, 400);

    let members = fixture.simulator.account().members(SEGMENT).unwrap();
    let both = members.iter().find(|member| {
        let lists = fixture.simulator.account().members(LIST).unwrap();
        lists
            .iter()
            .any(|other| other.profile.id == member.profile.id)
    });
    let path = format!("/api/profiles/{}", both.unwrap().profile.id);
    let profile = fixture.client.get(&path, &[("include", "lists")]).json();
    assert_eq!(profile["included"][0]["id"], LIST);
    assert_eq!(
        profile["data"]["relationships"]["lists"]["data"],
        json!([{"type": "list", "id": LIST}])
    );
}

#[test]
fn a_profile_shows_everything_unless_it_is_asked_for_less() {
    let person = Profile {
        location: Location {
            city: Some("Lyon".to_owned()),
            latitude: Some(json!("45.76")),
            longitude: Some(json!(4.84)),
            ..Location::default()
        },
        properties: [("größe".to_owned(), json!({"deep": [1, null, {"x": true}]}))]
            .into_iter()
            .collect(),
        ..Profile::with_email(" Ava@Example.COM ")
            .id("LeGaCy")
            .named("", "Zoë 🦊\0")
    };
    let fixture = Fixture::with(account_of([(5, person)]), |plan| plan);
    let one = |query: &[(&str, &str)]| {
        let answer = fixture.client.get(&members_path(), query);
        assert_eq!(answer.status, 200, "{}", answer.text());
        answer.json()["data"][0]["attributes"].clone()
    };
    let whole = one(&[]);
    assert_eq!(whole["email"], " Ava@Example.COM ", "as it was given");
    assert_eq!(whole["first_name"], "");
    assert_eq!(whole["last_name"], "Zoë 🦊\0");
    assert_eq!(whole["phone_number"], Value::Null);
    assert_eq!(whole["location"]["latitude"], "45.76");
    assert_eq!(whole["location"]["longitude"], 4.84);
    assert_eq!(whole["properties"]["größe"]["deep"][2]["x"], true);
    assert_eq!(whole["joined_group_at"], "2026-11-25T12:00:05+00:00");
    let names = names(&whole);
    for extra in ["anonymous_id", "whatsapp_bsuid"] {
        assert!(names.contains(extra), "{extra}");
    }
    for costly in ["subscriptions", "predictive_analytics"] {
        assert!(!names.contains(costly), "{costly}");
    }

    let part = one(&[("fields[profile]", "email,location.city,location.zip,id")]);
    assert_eq!(
        part,
        json!({"email": " Ava@Example.COM ", "location": {"city": "Lyon", "zip": null}})
    );
    assert_eq!(one(&[("fields[profile]", "")]), json!({}));
    for bad in ["anonymous_id", "location.planet", "email.domain", "Email"] {
        let query = [("fields[profile]", bad)];
        assert_eq!(
            fixture.client.get(&members_path(), &query).status,
            400,
            "{bad}"
        );
    }
    // A profile that is not read as a member shows no time of joining.
    let query = [("fields[profile]", "joined_group_at")];
    assert_eq!(fixture.client.get("/api/profiles", &query).status, 400);
    let alone = fixture.client.get("/api/profiles/LeGaCy", &[]).json();
    assert_eq!(alone["data"]["attributes"].get("joined_group_at"), None);
}

#[test]
fn consent_is_shown_on_demand_and_can_be_cut_down() {
    let fixture = Fixture::new();
    let add = (
        "additional-fields[profile]",
        "subscriptions,predictive_analytics",
    );
    let one = |fields: &str| {
        let query = [add, ("fields[profile]", fields), ("page[size]", "1")];
        fixture.client.get(&members_path(), &query).json()["data"][0]["attributes"].clone()
    };
    let whole = one("email");
    assert_eq!(
        names(&whole),
        set(&["email", "subscriptions", "predictive_analytics"])
    );
    assert_eq!(whole["subscriptions"]["whatsapp"], Value::Null);
    assert_eq!(
        whole["subscriptions"]["sms"]["marketing"]["consent"],
        "NEVER_SUBSCRIBED"
    );
    let part = one("subscriptions.email.marketing.consent");
    let expected = json!({"email": {"marketing": {"consent": "NEVER_SUBSCRIBED"}}});
    assert_eq!(part["subscriptions"], expected);
    let bad = [("additional-fields[profile]", "secrets")];
    assert_eq!(fixture.client.get(&members_path(), &bad).status, 400);
}

#[test]
fn a_profile_that_is_not_there_is_a_404() {
    let fixture = Fixture::new();
    let refused = fixture.client.get("/api/profiles/NOPE01", &[]);
    assert_eq!(refused.status, 404);
    let expected = "A profile with id NOPE01 does not exist.";
    assert_eq!(
        refused.error(),
        ("not_found".to_owned(), expected.to_owned())
    );
}

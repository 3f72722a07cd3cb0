//! Members and consent that requests write, and what of it is a breach.

use std::panic::{AssertUnwindSafe, catch_unwind};

use fanfare_klaviyo_sim::{Channel, ConsentLevel, Switches};
use serde_json::{Value, json};

use crate::support::{Fixture, LIST, members_path};
use crate::writing::{at_once, that_allows_breaches, with_flows};

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
    assert_eq!(fixture.breaches(), [""; 0]);
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
fn somebody_else_s_member_who_is_removed_is_a_breach() {
    let fixture = that_allows_breaches();
    let theirs = fixture.client.get(&members_path(), &[]).ids().remove(0);
    fixture.members("POST", &[&theirs]);
    fixture.members("DELETE", &[&theirs]);
    assert_eq!(fixture.breaches().len(), 1);
    // Who was added and joined anew by themselves is no more ours once they had left.
    let id = fixture.put("P1", "a@example.com");
    fixture.members("POST", &[&id]);
    fixture.simulator.account().leave(LIST, &id).unwrap();
    fixture.simulator.account().join(LIST, &id).unwrap();
    fixture.members("DELETE", &[&id]);
    assert_eq!(fixture.breaches().len(), 2);
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
    let fixture = that_allows_breaches();
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
    assert_eq!(fixture.breaches(), [""; 0]);
    fixture.write("POST", path, &unsubscribe("b@example.com", Some(LIST)));
    let profile = fixture
        .simulator
        .account()
        .profile(&outsider)
        .unwrap()
        .unwrap();
    assert_eq!(profile.email_consent.level, ConsentLevel::Unsubscribed);
    assert_eq!(fixture.breaches().len(), 1);
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
    let fixture = that_allows_breaches();
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
    assert_eq!(fixture.breaches(), [""; 0]);
    let consent = json!({"email": {"marketing": {"consent": "SUBSCRIBED"}}});
    let people = json!([{"type": "profile", "attributes": {"email": "a@example.com", "subscriptions": consent}}]);
    let job = json!({"data": {"type": "profile-subscription-bulk-create-job", "attributes": {"profiles": {"data": people}}}});
    let path = "/api/profile-subscription-bulk-create-jobs";
    assert_eq!(fixture.write("POST", path, &job).status, 202);
    assert_eq!(fixture.breaches().len(), 2, "the call, and what came of it");
}

#[test]
fn a_simulator_that_was_asked_to_raise_a_consent_fails_the_test_that_drops_it() {
    let subscribe = |fixture: &Fixture| {
        let path = "/api/profile-subscription-bulk-create-jobs";
        fixture.write("POST", path, &json!({"data": {}}))
    };
    let dropped = |fixture: Fixture| {
        let drop_it = AssertUnwindSafe(|| drop(fixture));
        let panic = catch_unwind(drop_it).err()?;
        panic.downcast_ref::<String>().cloned()
    };
    // Refused, and asked for all the same.
    let fixture = at_once();
    assert_eq!(subscribe(&fixture).status, 400);
    let said = dropped(fixture).expect("the test would fail");
    assert!(
        said.contains("/api/profile-subscription-bulk-create-jobs was called"),
        "{said}"
    );

    // What shows a minute later is found as well.
    let fixture = with_flows(Switches::default());
    fixture.put("P1", "a@example.com");
    let path = "/api/profile-subscription-bulk-delete-jobs";
    fixture.write("POST", path, &unsubscribe("a@example.com", Some(LIST)));
    assert_eq!(fixture.breaches(), [""; 0]);
    let said = dropped(fixture).expect("the test would fail");
    assert!(said.contains("unsubscribed from everything"), "{said}");

    let fixture = that_allows_breaches();
    subscribe(&fixture);
    assert_eq!(dropped(fixture), None);
    assert_eq!(dropped(at_once()), None);
}

//! An account that changes while it is read.

use fanfare_klaviyo_sim::{
    Change, ChangeError, Effect, Endpoint, Fault, Key, Kind, MemberRef, Profile,
};
use time::Duration;

use crate::support::{Client, Fixture, KEY, LIST, NOW, SEGMENT, ids, members_path};

const MEMBERS: Endpoint = Endpoint::Members(Kind::List);
const QUERY: [(&str, &str); 2] = [("sort", "joined_group_at"), ("page[size]", "100")];

fn all_members(fixture: &Fixture) -> Vec<String> {
    let members = fixture.simulator.account().members(LIST).unwrap();
    members
        .into_iter()
        .map(|member| member.profile.id)
        .collect()
}

#[test]
fn a_member_who_joins_during_a_scan_comes_at_its_end() {
    let fixture = Fixture::new();
    fixture.simulator.add_fault(
        Fault::new(Effect::Change(Change::Join(3)))
            .on(MEMBERS)
            .of(LIST)
            .page(2),
    );
    let before = all_members(&fixture);
    let scanned = ids(&fixture.scan(&members_path(), &QUERY).concat());
    assert_eq!(scanned.len(), 253);
    assert_eq!(scanned[..250], before);
    let last = fixture
        .simulator
        .account()
        .members(LIST)
        .unwrap()
        .pop()
        .unwrap();
    assert_eq!(last.joined, Some(NOW));
    assert!(last.profile.email.is_some());
}

#[test]
fn a_member_who_joins_again_is_read_twice() {
    let fixture = Fixture::new();
    let before = all_members(&fixture);
    let rejoin = Effect::Change(Change::Rejoin(MemberRef::First));
    fixture
        .simulator
        .add_fault(Fault::new(rejoin).on(MEMBERS).page(2));
    let scanned = ids(&fixture.scan(&members_path(), &QUERY).concat());
    assert_eq!(scanned.len(), 251);
    assert_eq!(scanned[0], scanned[250]);
    assert_eq!(scanned[..250], before);
    let updated = fixture
        .simulator
        .account()
        .profile(&scanned[0])
        .unwrap()
        .unwrap()
        .updated;
    assert!(
        updated.unwrap().as_str() < "2026",
        "joining is no change of the profile"
    );
}

#[test]
fn a_member_who_leaves_ahead_of_the_scan_is_not_read() {
    let fixture = Fixture::new();
    let before = all_members(&fixture);
    for who in [
        MemberRef::Last,
        MemberRef::Id(before[150].clone()),
        MemberRef::Nth(1),
    ] {
        let leave = Effect::Change(Change::Leave(who));
        fixture
            .simulator
            .add_fault(Fault::new(leave).on(MEMBERS).page(2));
    }
    let scanned = ids(&fixture.scan(&members_path(), &QUERY).concat());
    assert_eq!(scanned.len(), 248);
    assert!(scanned.contains(&before[0]), "left after it was met");
    assert!(!scanned.contains(&before[150]) && !scanned.contains(&before[249]));
    assert_eq!(all_members(&fixture).len(), 247);
}

#[test]
fn a_merged_profile_is_readable_until_the_merge_is_done() {
    let fixture = Fixture::new();
    let account = fixture.simulator.account();
    account
        .join_as(
            LIST,
            Profile::with_email("a@x.io").id("FROM").named("Ann", ""),
        )
        .unwrap();
    account
        .put(Profile::default().id("INTO").phone("+14155550100"))
        .unwrap();
    account.merge("FROM", "INTO").unwrap();
    let status = |id: &str| {
        fixture
            .client
            .get(&format!("/api/profiles/{id}"), &[])
            .status
    };
    assert_eq!((status("FROM"), status("INTO")), (200, 200));
    fixture.advance(59.0);
    assert_eq!(status("FROM"), 200);
    fixture.advance(1.0);
    assert_eq!((status("FROM"), status("INTO")), (404, 200));
    let member = account.members(LIST).unwrap().pop().unwrap();
    assert_eq!(member.profile.id, "INTO");
    assert_eq!(member.profile.email.as_deref(), Some("a@x.io"));
    assert_eq!(member.profile.first_name.as_deref(), Some("Ann"));
    assert_eq!(member.profile.phone_number.as_deref(), Some("+14155550100"));
    assert_eq!(member.joined, Some(NOW + Duration::minutes(1)));
    let updated = member.profile.updated.as_deref();
    assert_eq!(updated, Some("2026-11-25T12:01:00+00:00"));
}

#[test]
fn a_deleted_profile_is_in_no_list_and_has_no_page() {
    let fixture = Fixture::new();
    let account = fixture.simulator.account();
    let generated = all_members(&fixture)[0].clone();
    let given = account
        .join_as(LIST, Profile::with_email("a@x.io"))
        .unwrap();
    assert_eq!(given.len(), 26, "chosen by the simulator");
    for id in [generated, given] {
        account.delete(&id).unwrap();
        assert!(!all_members(&fixture).contains(&id));
        let path = format!("/api/profiles/{id}");
        assert_eq!(fixture.client.get(&path, &[]).status, 404);
        let all = ids(&fixture
            .scan("/api/profiles", &[("page[size]", "100")])
            .concat());
        assert!(!all.contains(&id));
        assert_eq!(account.delete(&id), Err(ChangeError::NoProfile(id.clone())));
    }
}

#[test]
fn an_updated_profile_moves_to_the_end_of_what_changed() {
    let fixture = Fixture::new();
    let account = fixture.simulator.account();
    let id = all_members(&fixture)[7].clone();
    let last = |fixture: &Fixture| {
        let query = [("sort", "-updated"), ("page[size]", "1")];
        fixture.client.get("/api/profiles", &query).ids()
    };
    assert_ne!(last(&fixture), [id.as_str()]);
    account
        .update(&id, |profile| profile.email = Some("New@x.io".to_owned()))
        .unwrap();
    assert_eq!(last(&fixture), [id.as_str()]);
    let changed = account.profile(&id).unwrap().unwrap();
    assert_eq!(
        changed.updated.as_deref(),
        Some("2026-11-25T12:00:00+00:00")
    );
    let query = [("filter", "equals(email,\"new@x.io\")")];
    assert_eq!(fixture.client.get(&members_path(), &query).ids(), [id]);
}

#[test]
fn a_list_can_be_deleted_in_the_middle_of_a_scan() {
    let fixture = Fixture::new();
    let gone = Effect::Change(Change::DeleteCollection);
    fixture
        .simulator
        .add_fault(Fault::new(gone).on(MEMBERS).page(2));
    let first = fixture.client.get(&members_path(), &QUERY).json();
    let second = fixture
        .client
        .follow(first["links"]["next"].as_str().unwrap());
    assert_eq!(second.status, 404);
    assert_eq!(
        fixture.client.get("/api/lists", &[]).ids(),
        Vec::<String>::new()
    );
    let segments = fixture
        .simulator
        .account()
        .collections(Kind::Segment)
        .unwrap();
    assert_eq!(segments, [SEGMENT], "its members stay in the account");
    assert_eq!(
        fixture.simulator.account().members(SEGMENT).unwrap().len(),
        40
    );
}

#[test]
fn a_rename_and_a_new_list_are_seen_at_once() {
    let fixture = Fixture::new();
    let account = fixture.simulator.account();
    account.rename(LIST, Some("Renamed")).unwrap();
    account
        .create_collection(Kind::List, "NeWoNe", "New")
        .unwrap();
    let page = fixture
        .client
        .get("/api/lists", &[("sort", "created")])
        .json();
    assert_eq!(page["data"][0]["attributes"]["name"], "Renamed");
    assert_eq!(page["data"][1]["attributes"]["name"], "New");
    assert_eq!(
        page["data"][1]["attributes"]["created"],
        "2026-11-25T12:00:00+00:00"
    );
    let missing = ChangeError::NoCollection("NOPE01".to_owned());
    assert_eq!(account.rename("NOPE01", None), Err(missing));
}

#[test]
fn a_key_can_be_revoked_or_lose_a_scope_in_the_middle_of_a_scan() {
    let fixture = Fixture::new();
    let path = members_path();
    let page = |number: u32, change: Change| {
        Fault::new(Effect::Change(change))
            .on(MEMBERS)
            .request(number)
    };
    let scope = "profiles:read".to_owned();
    fixture
        .simulator
        .add_fault(page(2, Change::DropScope(scope)));
    fixture.simulator.add_fault(page(3, Change::RevokeKey));
    let statuses = [0; 3].map(|_| fixture.client.get(&path, &[]).status);
    assert_eq!(statuses, [200, 403, 401]);
    let account = fixture.simulator.account();
    account.add_key(Key::new("pk_rotated")).unwrap();
    let rotated = Client::new(&fixture.simulator.url(), "pk_rotated");
    assert_eq!(rotated.get(&path, &[]).status, 200);
    account.revoke_key("pk_rotated").unwrap();
    assert_eq!(rotated.get(&path, &[]).status, 401);
    assert!(!format!("{:?}", Key::new(KEY)).contains(KEY));
}

#[test]
fn a_change_that_cannot_be_made_is_in_the_log() {
    let fixture = Fixture::new();
    let leave = Effect::Change(Change::Leave(MemberRef::Id("nobody".to_owned())));
    fixture.simulator.add_fault(Fault::new(leave).on(MEMBERS));
    assert_eq!(fixture.client.get(&members_path(), &[]).status, 200);
    let requests = fixture.simulator.requests();
    let faults = &requests[0].faults;
    assert!(
        faults[1].contains("there is no profile nobody"),
        "{faults:?}"
    );
}

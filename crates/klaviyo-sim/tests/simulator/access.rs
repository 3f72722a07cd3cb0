//! Who may ask for what, and what is checked first.

use fanfare_klaviyo_sim::{AccountPlan, Key, Plan, Quota, Simulator};

use crate::support::{Client, Fixture, KEY, LIST, account, members_path};

#[test]
fn a_key_is_needed_and_only_in_klaviyos_form() {
    let fixture = Fixture::new();
    let with = |value: &str| fixture.client.with("authorization", value);
    let none = fixture.client.without("authorization");
    let answer = none.get("/api/lists", &[]);
    assert_eq!(answer.status, 401);
    let text = "Authentication credentials were not provided.";
    assert_eq!(
        answer.error(),
        ("not_authenticated".to_owned(), text.to_owned())
    );
    for value in [
        "Klaviyo-API-Key pk_nobody",
        &format!("Bearer {KEY}"),
        KEY,
        "",
    ] {
        let answer = with(value).get("/api/lists", &[]);
        assert_eq!(answer.status, 401, "{value}");
        let text = "Incorrect authentication credentials.";
        let expected = ("authentication_failed".to_owned(), text.to_owned());
        assert_eq!(answer.error(), expected, "{value}");
        assert_eq!(answer.header("ratelimit-limit"), None);
    }
    assert_eq!(fixture.client.get("/api/lists", &[]).status, 200);
}

#[test]
fn every_missing_scope_is_named() {
    let key = |secret, scopes: &[&str]| Key::with_scopes(secret, scopes);
    let account = account()
        .with_key(key("pk_none", &[]))
        .with_key(key("pk_lists", &["lists:read"]))
        .with_key(Key::new("pk_no_account").without("accounts:read"));
    let fixture = Fixture::with(account, |plan| plan);
    let missing = |key: &str, path: &str| {
        let answer = Client::new(&fixture.simulator.url(), key).get(path, &[]);
        match answer.status {
            403 => {
                let (code, detail) = answer.error();
                assert_eq!(code, "permission_denied");
                let scopes = detail.strip_prefix("Your API key is missing required scopes: ");
                scopes.unwrap().to_owned()
            }
            status => status.to_string(),
        }
    };
    assert_eq!(missing("pk_none", "/api/accounts"), "accounts:read");
    assert_eq!(missing("pk_none", "/api/segments"), "segments:read");
    assert_eq!(missing("pk_none", "/api/profiles/x"), "profiles:read");
    assert_eq!(
        missing("pk_none", &members_path()),
        "lists:read, profiles:read"
    );
    assert_eq!(missing("pk_lists", &members_path()), "profiles:read");
    assert_eq!(missing("pk_lists", "/api/lists"), "200");
    assert_eq!(missing("pk_no_account", "/api/accounts"), "accounts:read");
    assert_eq!(missing("pk_no_account", "/api/segments"), "200");
}

#[test]
fn checks_are_made_in_klaviyos_order() {
    let account = account().with_key(Key::with_scopes("pk_none", &["accounts:read"]));
    let fixture = Fixture::with(account, |plan| plan);
    let stranger = fixture.client.with("authorization", "Klaviyo-API-Key pk_x");
    let none = Client::new(&fixture.simulator.url(), "pk_none");
    let bad = &[("page[size]", "1000")];
    let status = |client: &Client, path: &str, revision: Option<&str>| {
        let client = match revision {
            Some(revision) => client.with("revision", revision),
            None => client.without("revision"),
        };
        client.get(path, bad).status
    };
    // Each request is wrong in all later ways too.
    assert_eq!(status(&stranger, "/api/nowhere", None), 404);
    assert_eq!(stranger.delete("/api/lists/NOPE01"), 405);
    assert_eq!(status(&stranger, "/api/lists/NOPE01/profiles", None), 401);
    assert_eq!(status(&none, "/api/lists/NOPE01/profiles", None), 403);
    let own = &fixture.client;
    assert_eq!(status(own, "/api/lists/NOPE01/profiles", None), 400);
    let future = Some("2099-01-01");
    assert_eq!(status(own, "/api/lists/NOPE01/profiles", future), 404);
    let now = Some("2026-07-15");
    for _ in 0..75 {
        assert_eq!(status(own, "/api/lists/NOPE01/profiles", now), 400);
    }
    assert_eq!(status(own, "/api/lists/NOPE01/profiles", now), 429);
    fixture.advance(1.0);
    assert_eq!(status(own, "/api/lists/NOPE01/profiles", now), 400);
    let answer = own.get("/api/lists/NOPE01/profiles", &[]);
    assert_eq!(answer.status, 404);
    let expected = "A list with id `NOPE01` does not exist.";
    assert_eq!(answer.error().1, expected);
}

#[test]
fn a_retired_revision_falls_forward_unless_the_client_opts_out() {
    let fixture = Fixture::new();
    let old = fixture.client.with("revision", "2023-02-22");
    assert_eq!(old.get("/api/lists", &[]).status, 200);
    let header = "x-klaviyo-revision-fall-forward-opt-out";
    let strict = old.with(header, "1");
    assert_eq!(strict.get("/api/lists", &[]).status, 410);
    let strict = fixture.client.with(header, "1");
    assert_eq!(strict.get("/api/lists", &[]).status, 200);
}

#[test]
fn a_switch_makes_the_revision_header_optional() {
    let fixture = Fixture::with(account(), |mut plan| {
        plan.switches.requires_revision = false;
        plan
    });
    let client = fixture.client.without("revision");
    assert_eq!(client.get("/api/lists", &[]).status, 200);
}

#[test]
fn a_trailing_slash_makes_no_difference() {
    let fixture = Fixture::new();
    for path in [
        "/api/lists".to_owned(),
        format!("/api/lists/{LIST}"),
        members_path(),
        "/api/accounts".to_owned(),
    ] {
        let (without, with) = (
            fixture.client.get(&path, &[]),
            fixture.client.get(&format!("{path}/"), &[]),
        );
        assert_eq!(with.status, 200, "{path}/");
        assert_eq!(with.json(), without.json(), "{path}");
    }
}

#[test]
fn accounts_see_nothing_of_each_other() {
    let other = AccountPlan::new("XyZ999")
        .key("pk_other")
        .list("OtHeRs", "Others", 30);
    let plan = Plan::new([account(), other]).quota(Quota::Unlimited);
    let simulator = Simulator::start(plan).unwrap();
    let one = Client::new(&simulator.url(), KEY);
    let two = Client::new(&simulator.url(), "pk_other");
    assert_eq!(one.get("/api/accounts", &[]).ids(), ["AbC123"]);
    assert_eq!(two.get("/api/accounts", &[]).ids(), ["XyZ999"]);
    assert_eq!(one.get("/api/lists", &[]).ids(), [LIST]);
    assert_eq!(two.get("/api/lists", &[]).ids(), ["OtHeRs"]);
    assert_eq!(two.get(&members_path(), &[]).status, 404);
    let theirs = two.get("/api/profiles", &[]).ids();
    assert_eq!(theirs.len(), 20);
    let path = format!("/api/profiles/{}", theirs[0]);
    assert_eq!(two.get(&path, &[]).status, 200);
    assert_eq!(one.get(&path, &[]).status, 404);
    assert_eq!(one.get("/api/accounts/XyZ999", &[]).status, 404);
    assert_eq!(one.get("/api/accounts/AbC123", &[]).status, 200);
    assert_eq!(
        simulator
            .account_with_id("XyZ999")
            .members("OtHeRs")
            .unwrap()
            .len(),
        30
    );
}

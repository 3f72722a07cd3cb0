//! Signing in and out, and how sessions end.

use std::time::Duration;

use fanfare_domain::organization::Role;

use super::browser::Browser;
use super::fixture::{Fixture, options};

#[actix_web::test]
async fn a_secret_key_signs_in_and_its_cookie_is_kept_to_the_dashboard() {
    let fixture = Fixture::new().await;
    let mut browser = Browser::new(&fixture);
    let page = browser.get("/auth/sign-in").await;
    page.shows("<label for=\"secretKey\">Secret key</label>");
    page.has("<button type=\"submit\">Sign in</button>");

    let key = fixture.own.key(Role::Viewer);
    let answer = browser.sign_in(key).await;
    answer.leads_to("/app");
    let cookie = answer.header("set-cookie");
    for part in [
        "fanfare_session=",
        "HttpOnly",
        "SameSite=Strict",
        "Path=/",
        "Max-Age=43200",
    ] {
        assert!(cookie.contains(part), "{cookie}");
    }
    assert!(!cookie.contains("Secure"), "{cookie}");
    assert!(
        !cookie.contains("sk_live") && !cookie.contains("org_"),
        "{cookie}"
    );

    browser.get("/app").await.leads_to("/app/audiences");
    let page = browser.get("/app/audiences").await;
    page.shows("Own shop");
    page.has("Sign out");
    page.lacks(key);
}

#[actix_web::test]
async fn over_https_the_cookie_goes_by_https_alone() {
    let mut fixture = Fixture::new().await;
    fixture.set_options(options(&[1], true));
    let answer = Browser::new(&fixture)
        .sign_in(fixture.own.key(Role::Viewer))
        .await;
    assert!(answer.header("set-cookie").contains("Secure"));
}

#[actix_web::test]
async fn a_wrong_key_is_told_on_the_page_and_never_shown() {
    let fixture = Fixture::new().await;
    let mut browser = Browser::new(&fixture);
    for (key, status, text) in [
        (
            "sk_live_canary",
            401,
            "This key is not known, or it was revoked.",
        ),
        ("pk_live_canary", 400, "This is not a secret key"),
        ("canary", 400, "A secret key begins with sk_live_"),
        ("", 400, "Enter a secret key."),
    ] {
        let answer = browser.sign_in(key).await;
        assert_eq!(answer.status, status, "{key}");
        answer.has(text);
        answer.lacks("canary");
        assert_eq!(browser.cookie, None);
    }
}

#[actix_web::test]
async fn after_ten_tries_the_eleventh_has_to_wait_a_minute() {
    let fixture = Fixture::new().await;
    let mut browser = Browser::new(&fixture);
    for _ in 0..10 {
        assert_eq!(browser.sign_in("sk_live_wrong").await.status, 401);
    }
    let key = fixture.own.key(Role::Viewer);
    let refused = browser.sign_in(key).await;
    assert_eq!(refused.status, 429);
    refused.has("Too many tries. Try again in 1 minute.");
    assert_eq!(refused.header("retry-after"), "60");
    fixture.clock.advance(Duration::from_mins(1));
    browser.sign_in(key).await.leads_to("/app");
}

#[actix_web::test]
async fn a_sign_in_that_another_site_sent_is_refused() {
    let fixture = Fixture::new().await;
    let key = fixture.own.key(Role::Viewer);
    for headers in [
        [
            ("sec-fetch-site", "cross-site"),
            ("host", "fanfare.example"),
        ],
        [
            ("origin", "https://evil.example"),
            ("host", "fanfare.example"),
        ],
        [("origin", "null"), ("host", "fanfare.example")],
    ] {
        let mut browser = Browser::new(&fixture);
        let form = [("secretKey", key)];
        let answer = browser.send_form("/auth/sign-in", &form, &headers).await;
        assert_eq!(answer.status, 403);
        assert_eq!(browser.cookie, None);
    }
    let ours = [
        ("origin", "https://fanfare.example"),
        ("host", "fanfare.example"),
    ];
    let mut browser = Browser::new(&fixture);
    let form = [("secretKey", key)];
    let answer = browser.send_form("/auth/sign-in", &form, &ours).await;
    answer.leads_to("/app");
}

#[actix_web::test]
async fn signing_in_leads_back_to_the_page_and_never_elsewhere() {
    let fixture = Fixture::new().await;
    let key = fixture.own.key(Role::Viewer);
    for (next, leads_to) in [
        ("/app/audiences?search=vip", "/app/audiences?search=vip"),
        ("https://evil.example/", "/app"),
        ("//evil.example/app", "/app"),
    ] {
        fixture.clock.advance(Duration::from_mins(1));
        let form = [("secretKey", key), ("next", next)];
        let answer = Browser::new(&fixture)
            .send_form("/auth/sign-in", &form, &[])
            .await;
        answer.leads_to(leads_to);
    }
}

#[actix_web::test]
async fn signing_out_ends_the_session() {
    let fixture = Fixture::new().await;
    let mut browser = fixture.signed_in(Role::Viewer).await;
    browser
        .post("/auth/sign-out", &[])
        .await
        .leads_to("/auth/sign-in");
    assert_eq!(browser.cookie, None);
    assert_eq!(browser.get("/app/audiences").await.status, 303);
}

#[actix_web::test]
async fn a_session_ends_after_half_an_hour_without_a_request() {
    let fixture = Fixture::new().await;
    let mut browser = fixture.signed_in(Role::Viewer).await;
    for _ in 0..3 {
        fixture.clock.advance(Duration::from_mins(29));
        assert_eq!(browser.get("/app/audiences").await.status, 200);
    }
    fixture.clock.advance(Duration::from_mins(31));
    let answer = browser.get("/app/audiences").await;
    answer.leads_to("/auth/sign-in?next=%2Fapp%2Faudiences");
    browser
        .get("/auth/sign-in?next=%2Fapp")
        .await
        .shows("Sign in to go on.");
}

#[actix_web::test]
async fn a_session_ends_after_twelve_hours_whatever_happens_in_it() {
    let fixture = Fixture::new().await;
    let mut browser = fixture.signed_in(Role::Viewer).await;
    for _ in 0..36 {
        fixture.clock.advance(Duration::from_mins(20));
        assert_eq!(browser.get("/app/audiences").await.status, 200);
    }
    fixture.clock.advance(Duration::from_mins(1));
    assert_eq!(browser.get("/app/audiences").await.status, 303);
}

#[actix_web::test]
async fn revoking_the_key_ends_its_session_at_once() {
    let fixture = Fixture::new().await;
    let mut browser = fixture.signed_in(Role::Owner).await;
    assert_eq!(browser.get("/app/audiences").await.status, 200);
    fixture.revoke_keys().await;
    assert_eq!(browser.get("/app/audiences").await.status, 303);
}

#[actix_web::test]
async fn a_session_outlives_a_change_of_the_master_key_and_not_its_loss() {
    let mut fixture = Fixture::new().await;
    let cookie = fixture.signed_in(Role::Viewer).await.cookie;
    fixture.set_options(options(&[2, 1], false));
    let mut browser = Browser::new(&fixture);
    browser.cookie.clone_from(&cookie);
    assert_eq!(browser.get("/app/audiences").await.status, 200);
    fixture.set_options(options(&[2], false));
    let mut browser = Browser::new(&fixture);
    browser.cookie = cookie;
    assert_eq!(browser.get("/app/audiences").await.status, 303);
}

#[actix_web::test]
async fn a_cookie_that_was_changed_is_no_session() {
    let fixture = Fixture::new().await;
    let mut browser = fixture.signed_in(Role::Viewer).await;
    let sealed = browser.cookie.clone().unwrap();
    let forged = [
        String::new(),
        "e30=".to_owned(),
        sealed.chars().rev().collect(),
        sealed[..sealed.len() - 8].to_owned(),
        r#"{"organization":"org_1","key":"key_1"}"#.replace('"', "%22"),
    ];
    for cookie in forged {
        browser.cookie = Some(cookie.clone());
        assert_eq!(browser.get("/app/audiences").await.status, 303, "{cookie}");
    }
}

#[actix_web::test]
async fn a_form_whose_session_has_ended_is_kept_until_its_sender_has_signed_in_again() {
    let (fixture, imported) = Fixture::imported().await;
    let mut browser = fixture.signed_in(Role::Editor).await;
    let path = format!("/app/audiences/{}/edit", imported.audience);
    fixture.clock.advance(Duration::from_mins(31));
    let typed = [
        ("name", "My \"own\" <name>"),
        ("apiKey", "pk_canary"),
        ("csrf", "old"),
    ];
    let asked = browser.send_form(&path, &typed, &[]).await;
    assert_eq!(asked.status, 401);
    asked.has("What you typed is kept.");
    asked.has("name=\"kept.name\" value=\"My &quot;own&quot; &lt;name&gt;\"");
    asked.lacks("pk_canary");

    let key = fixture.own.key(Role::Editor);
    let form = [
        ("secretKey", key),
        ("next", &path),
        ("kept.name", typed[0].1),
    ];
    let again = browser.send_form("/auth/sign-in", &form, &[]).await;
    again.shows("Nothing of it has been done yet.");
    again.has(&format!("action=\"{path}\""));
    again.has("name=\"name\" value=\"My &quot;own&quot; &lt;name&gt;\"");

    let saved = browser.post(&path, &[("name", typed[0].1)]).await;
    saved.leads_to(&format!(
        "/app/audiences/{}?notice=saved",
        imported.audience
    ));
}

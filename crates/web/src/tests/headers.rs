//! Every answer of the dashboard keeps itself to itself.

use std::collections::BTreeSet;
use std::time::Duration;

use actix_web::test::TestRequest;
use fanfare_domain::organization::Role;
use fanfare_domain::paging::PageRequest;
use fanfare_domain::ports::ConsumerFilter;
use fanfare_sync::NewAudience;

use super::browser::{Answer, Browser};
use super::fixture::{Fixture, options};
use crate::assets::ASSETS;

/// That the answer has the headers that every answer of the dashboard has, and nothing that they forbid.
#[track_caller]
pub(super) fn assert_secure(answer: &Answer) {
    let policy = answer.header("content-security-policy");
    assert!(policy.contains("default-src 'none'"), "{policy}");
    assert!(policy.contains("frame-ancestors 'none'"), "{policy}");
    assert!(policy.contains("base-uri 'none'"), "{policy}");
    assert!(policy.contains("form-action 'self'"), "{policy}");
    for word in ["unsafe", "http:", "https:", "data:", "*"] {
        assert!(!policy.contains(word), "{policy}");
    }
    assert!(answer.headers.get("server").is_none());
    assert!(answer.headers.get("x-powered-by").is_none());
    for cookie in answer.headers.get_all("set-cookie") {
        let cookie = cookie.to_str().expect("text");
        for word in ["HttpOnly", "SameSite=Strict", "Path=/"] {
            assert!(cookie.contains(word), "{cookie}");
        }
    }
    for (name, value) in [
        ("x-content-type-options", "nosniff"),
        ("x-frame-options", "DENY"),
        ("referrer-policy", "same-origin"),
        ("cross-origin-opener-policy", "same-origin"),
        ("cross-origin-resource-policy", "same-origin"),
        (
            "permissions-policy",
            "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
        ),
    ] {
        assert_eq!(answer.header(name), value, "{name}");
    }
    assert!(!answer.header("x-request-id").is_empty());
    assert!(!answer.header("cache-control").is_empty());
    if answer.header("content-type").starts_with("text/html") {
        // The policy would keep a browser from them.
        for inline in ["<style", " style=", " onclick=", "javascript:"] {
            answer.lacks(inline);
        }
    }
}

#[actix_web::test]
async fn files_are_served_under_their_hash_for_ever_and_checked_by_the_browser() {
    let fixture = Fixture::new().await;
    let mut browser = Browser::new(&fixture);
    let page = browser.get("/auth/sign-in").await;
    let assets = &*ASSETS;
    for asset in [&assets.htmx, &assets.script, &assets.style] {
        page.shows(&format!("\"{}\"", asset.path));
        page.has(&format!("integrity=\"{}\"", asset.integrity));
        let file = browser.get(&asset.path).await;
        assert_eq!(file.status, 200);
        assert!(file.header("cache-control").contains("immutable"));
    }
    let unknown = browser.get("/assets/0000000000000000/htmx.js").await;
    assert_eq!(unknown.status, 404);
}

/// A page of fifty audiences; the bench measures it with a thousand of them.
#[actix_web::test]
async fn the_first_visit_is_a_third_of_100_kb_over_the_wire() {
    let fixture = Fixture::new().await;
    for number in 0..50 {
        let new = NewAudience {
            name: format!("Audience number {number}"),
            actor: "test".to_owned(),
            ..NewAudience::default()
        };
        let made = fixture.integration.create_audience(&fixture.own.id, new);
        made.await.expect("an audience");
    }
    let mut browser = fixture.signed_in(Role::Owner).await;
    let assets = &*ASSETS;
    let page = browser.get_packed("/app/audiences").await;
    assert_eq!(page.text.matches("View Details").count(), 50);
    let mut bytes = page.wire_bytes;
    for asset in [&assets.htmx, &assets.script, &assets.style, &assets.icon] {
        bytes += browser.get_packed(&asset.path).await.wire_bytes;
    }
    assert!(bytes < 33_000, "{bytes}");
}

#[actix_web::test]
async fn pages_and_files_are_compressed_for_those_who_take_it() {
    let (fixture, imported) = Fixture::imported().await;
    let mut browser = fixture.signed_in(Role::Owner).await;
    let paths = ["/auth/sign-in", "/app/audiences", "/app/nowhere"].map(str::to_owned);
    let assets = [&ASSETS.htmx, &ASSETS.script, &ASSETS.style];
    let files = assets.map(|asset| asset.path.clone());
    for path in paths.iter().chain(&files) {
        let (plain, packed) = (browser.get(path).await, browser.get_packed(path).await);
        assert_eq!(plain.header("content-encoding"), "", "{path}");
        assert_eq!(packed.header("content-encoding"), "gzip", "{path}");
        assert!(packed.wire_bytes < plain.wire_bytes, "{path}");
        for answer in [&plain, &packed] {
            assert_eq!(answer.header("vary"), "Accept-Encoding", "{path}");
        }
    }
    for path in files {
        let (plain, packed) = (browser.get(&path).await, browser.get_packed(&path).await);
        assert_eq!(plain.text, packed.text);
        assert_ne!(plain.header("etag"), packed.header("etag"));
    }
    let live = format!("/app/audiences/{}/live", imported.audience);
    let events = browser.get_packed(&live).await;
    assert_eq!(events.header("content-encoding"), "");
}

/// A page is compressed together with what somebody has searched for: its size must tell nothing of the forms' secret.
#[actix_web::test]
async fn the_token_of_forms_is_another_one_in_every_answer() {
    let fixture = Fixture::new().await;
    let mut browser = fixture.signed_in(Role::Owner).await;
    let (first, second) = (browser.token().await, browser.token().await);
    assert_ne!(first, second);
    for token in [first, second] {
        let form = [("csrf", token.as_str()), ("sync", "ONE_TIME")];
        let answer = browser.send_form("/app/audiences/import/klaviyo", &form, &[]);
        // It is not refused as a forged one is.
        assert_eq!(answer.await.status, 400);
    }
}

#[actix_web::test]
async fn what_a_form_answers_is_not_compressed() {
    let fixture = Fixture::connected().await;
    let mut browser = fixture.signed_in(Role::Owner).await;
    let token = browser.token().await;
    let form = [("csrf", token.as_str()), ("act", "find")];
    let gzip = [("accept-encoding", "gzip")];
    let answer = browser.send_form("/app/audiences/import/klaviyo", &form, &gzip);
    let answer = answer.await;
    assert!(answer.text.len() > 1_024);
    assert_eq!(answer.header("content-encoding"), "");
}

#[actix_web::test]
async fn over_https_browsers_are_told_to_stay_with_it() {
    let mut fixture = Fixture::new().await;
    fixture.set_options(options(&[1], true));
    let answer = Browser::new(&fixture).get("/auth/sign-in").await;
    assert_eq!(
        answer.header("strict-transport-security"),
        "max-age=31536000"
    );
}

#[actix_web::test]
async fn what_is_not_there_is_a_page_that_says_so() {
    let fixture = Fixture::new().await;
    let mut browser = Browser::new(&fixture);
    for path in ["/app/nowhere", "/auth/nowhere", "/assets/nowhere"] {
        let answer = browser.get(path).await;
        assert_eq!(answer.status, 404, "{path}");
        answer.has("Page not found");
    }
    let mut signed_in = fixture.signed_in(Role::Viewer).await;
    let answer = signed_in.get("/app/nowhere").await;
    assert_eq!(answer.status, 404);
    answer.has("aria-label=\"Main\"");
    for moved in ["/", "/app/", "/auth"] {
        browser.get(moved).await.leads_to("/app");
    }
    let of_form = browser.get("/app/audiences/aud_1/sync").await;
    of_form.leads_to("/app/audiences/aud_1");
}

/// The browser looks at the headers of whatever it gets: pages, parts, forms, files, refusals, of whatever method.
#[actix_web::test]
async fn every_answer_of_every_page_has_them() {
    let (fixture, imported) = Fixture::imported().await;
    let page = PageRequest {
        first: 1,
        after: None,
    };
    let everybody = ConsumerFilter::default();
    let consumers = fixture
        .integration
        .consumers(&fixture.own.id, &everybody, &page);
    let consumer = consumers.await.expect("consumers").items.remove(0);
    let mut seen = BTreeSet::new();
    for route in crate::pages::routes() {
        let id = if route.path.contains("customers") {
            consumer.consumer.id.as_str()
        } else {
            imported.audience.as_str()
        };
        let path = route
            .path
            .replace("{id}", id)
            .replace("{snapshotId}", "snap_1");
        for method in ["GET", "HEAD", "OPTIONS", "DELETE"] {
            fixture.clock.advance(Duration::from_secs(5));
            let mut browser = fixture.signed_in(Role::Viewer).await;
            let request = TestRequest::default()
                .method(method.parse().expect("a method"))
                .uri(&path);
            seen.insert(browser.send(request).await.status);
            fixture.clock.advance(Duration::from_secs(61));
        }
        let mut owner = fixture.signed_in(Role::Owner).await;
        if !path.ends_with("/live") {
            seen.insert(owner.get(&path).await.status);
            seen.insert(owner.get_partial(&path).await.status);
        }
        let forged = owner.send_form(&path, &[("csrf", "forged")], &[]);
        seen.insert(forged.await.status);
    }
    let wanted = [200, 303, 403, 404, 405];
    assert!(
        wanted.iter().all(|status| seen.contains(status)),
        "{seen:?}"
    );
}

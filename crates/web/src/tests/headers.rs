//! Every answer of the dashboard keeps itself to itself.

use std::collections::BTreeSet;
use std::io::Read;
use std::time::Duration;

use actix_web::test::TestRequest;
use fanfare_domain::organization::Role;
use fanfare_domain::paging::PageRequest;
use fanfare_domain::ports::ConsumerFilter;
use flate2::read::GzDecoder;

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

#[actix_web::test]
async fn the_first_page_with_its_files_is_under_100_kb() {
    let fixture = Fixture::new().await;
    let mut browser = Browser::new(&fixture);
    let assets = &*ASSETS;
    let page = browser.get("/auth/sign-in").await;
    let mut bytes = page.bytes.len();
    for asset in assets.all() {
        page.has(&asset.path);
        let plain = browser.get(&asset.path).await;
        let request = TestRequest::get().uri(&asset.path);
        let request = request.insert_header(("accept-encoding", "gzip, deflate, br"));
        let file = browser.send(request).await;
        assert_eq!(file.status, 200);
        assert_eq!(plain.header("content-encoding"), "");
        if file.header("content-encoding") == "gzip" {
            assert_ne!(file.header("etag"), plain.header("etag"));
            let mut read = Vec::new();
            let unpacked = GzDecoder::new(&*file.bytes).read_to_end(&mut read);
            assert_eq!(unpacked.ok(), Some(plain.bytes.len()));
            assert_eq!(read, plain.bytes);
        } else {
            assert!(!asset.path.ends_with("css"), "not compressed");
        }
        bytes += file.bytes.len();
    }
    assert!(bytes < 100_000, "{bytes}");
    let style = browser.get(&assets.style.path).await;
    style.has(&format!("url(\"{}\")", assets.font.path));
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

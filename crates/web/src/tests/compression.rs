//! Answers as gzip, and why their size tells nothing of the forms' secret.

use std::io::Read;

use actix_web::test::TestRequest;
use fanfare_domain::organization::Role;
use fanfare_sync::NewAudience;
use flate2::read::GzDecoder;

use super::browser::{Answer, Browser};
use super::fixture::Fixture;
use crate::assets::ASSETS;

/// Asks as every real browser does: it takes gzip.
async fn get_packed(browser: &mut Browser<'_>, path: &str) -> Answer {
    let request = TestRequest::get().uri(path);
    let request = request.insert_header(("accept-encoding", "gzip, deflate, br, zstd"));
    browser.send(request).await
}

fn unpacked(answer: &Answer) -> String {
    let mut text = String::new();
    let read = GzDecoder::new(answer.bytes.as_slice()).read_to_string(&mut text);
    read.expect("text as gzip");
    text
}

/// Of a table with fifty audiences; the bench measures it with a thousand of them.
#[actix_web::test]
async fn the_first_visit_is_under_100_kb_over_the_wire() {
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
    let page = get_packed(&mut browser, "/app/audiences").await;
    assert_eq!(unpacked(&page).matches("View Details").count(), 50);
    let mut bytes = page.bytes.len();
    for asset in [&assets.htmx, &assets.script, &assets.style, &assets.icon] {
        bytes += get_packed(&mut browser, &asset.path).await.bytes.len();
    }
    assert!(bytes < 100_000, "{bytes}");
}

#[actix_web::test]
async fn pages_are_compressed_for_those_who_take_it_and_events_never() {
    let (fixture, imported) = Fixture::imported().await;
    let mut browser = fixture.signed_in(Role::Owner).await;
    for path in ["/auth/sign-in", "/app/audiences", "/app/nowhere"] {
        let plain = browser.get(path).await;
        let packed = get_packed(&mut browser, path).await;
        assert_eq!(plain.header("content-encoding"), "", "{path}");
        assert_eq!(packed.header("content-encoding"), "gzip", "{path}");
        assert!(packed.bytes.len() < plain.bytes.len(), "{path}");
        assert_eq!(unpacked(&packed).len(), plain.text.len());
        for answer in [&plain, &packed] {
            assert_eq!(answer.header("vary"), "Accept-Encoding", "{path}");
        }
    }
    let live = format!("/app/audiences/{}/live", imported.audience);
    let events = get_packed(&mut browser, &live).await;
    assert_eq!(events.header("content-encoding"), "");
    events.shows("event: done");
}

/// A page is compressed together with what somebody has searched for: its size must tell nothing of the forms' secret.
#[actix_web::test]
async fn the_token_of_forms_is_another_one_in_every_answer() {
    let fixture = Fixture::connected().await;
    let mut browser = fixture.signed_in(Role::Owner).await;
    let (first, second) = (browser.token().await, browser.token().await);
    assert_ne!(first, second);
    for token in [first, second] {
        let form = [("csrf", token.as_str()), ("act", "find")];
        let answer = browser.send_form("/app/audiences/import/klaviyo", &form, &[]);
        answer.await.shows("Import Selected");
    }
}

/// A secret that was just made is shown in such an answer.
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

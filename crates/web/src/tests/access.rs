//! Who may see and do what.

use actix_web::test::TestRequest;
use fanfare_domain::organization::Role;

use super::browser::Browser;
use super::fixture::{Fixture, ROLES};
use crate::pages;
use crate::router::PageRoute;

/// The pages and forms behind the guard, with a path that leads to each.
fn guarded() -> impl Iterator<Item = (PageRoute, Role, String)> {
    pages::routes().into_iter().filter_map(|route| {
        let role = route.role?;
        let path = ["{id}", "{snapshotId}", "{kind}"]
            .iter()
            .fold(route.path.to_owned(), |path, id| {
                path.replace(id, "unknown")
            });
        Some((route, role, path))
    })
}

#[actix_web::test]
async fn without_a_session_every_page_leads_to_the_sign_in_page_and_back() {
    let fixture = Fixture::connected().await;
    for (route, _, path) in guarded() {
        let mut browser = Browser::new(&fixture);
        let request = TestRequest::default()
            .method(route.method.clone())
            .uri(&path);
        let answer = browser.send(request).await;
        if route.method == actix_web::http::Method::GET {
            let encoded: String = url::form_urlencoded::byte_serialize(path.as_bytes()).collect();
            answer.leads_to(&format!("/auth/sign-in?next={encoded}"));
        } else {
            assert_eq!(answer.status, 401, "{path}");
            answer.has("Sign in to Fanfare");
        }
    }
}

#[actix_web::test]
async fn each_page_wants_its_role_and_says_so_on_the_page() {
    let fixture = Fixture::connected().await;
    for role in ROLES {
        let mut browser = fixture.signed_in(role).await;
        let token = browser.token().await;
        for (route, needed, path) in guarded().filter(|(_, needed, _)| *needed > role) {
            fixture.clock.advance(std::time::Duration::from_secs(10));
            let answer = if route.method == actix_web::http::Method::GET {
                browser.get(&path).await
            } else {
                browser.send_form(&path, &[("csrf", &token)], &[]).await
            };
            assert_eq!(answer.status, 403, "{path} as {role:?}");
            answer.has(&format!("It needs the role {}", needed.as_str()));
            answer.has("Go to Audiences");
        }
    }
}

#[actix_web::test]
async fn a_form_without_the_sessions_token_changes_nothing() {
    let (fixture, imported) = Fixture::imported().await;
    let audience = &imported.audience;
    let mut other = fixture.signed_in(Role::Owner).await;
    let others_token = other.token().await;
    let mut browser = fixture.signed_in(Role::Owner).await;
    for (route, _, path) in guarded() {
        if route.method != actix_web::http::Method::POST {
            continue;
        }
        fixture.clock.advance(std::time::Duration::from_secs(5));
        let path = path.replace("unknown", audience.as_str());
        for token in [None, Some(""), Some("0"), Some(others_token.as_str())] {
            let fields: Vec<_> = token.into_iter().map(|token| ("csrf", token)).collect();
            let answer = browser.send_form(&path, &fields, &[]).await;
            assert_eq!(answer.status, 403, "{path}");
            answer.has("This form is out of date");
        }
    }
    let record = fixture
        .integration
        .audience(&fixture.own.id, audience)
        .await;
    assert!(!record.unwrap().audience.archived);
    assert!(browser.cookie.is_some(), "nobody was signed out");
}

#[actix_web::test]
async fn pages_count_as_requests_of_the_organization() {
    let fixture = Fixture::connected().await;
    let mut browser = fixture.signed_in(Role::Viewer).await;
    let left = |answer: &super::browser::Answer| -> u32 {
        answer.header("x-ratelimit-remaining").parse().unwrap()
    };
    let first = browser.get("/app/audiences").await;
    let second = browser.get("/app/audiences").await;
    assert_eq!(left(&first) - left(&second), 1);
    for _ in 0..left(&second) {
        assert_eq!(browser.get("/app").await.status, 303);
    }
    let refused = browser.get("/app/audiences").await;
    assert_eq!(refused.status, 429);
    refused.has("Too many requests");
    assert!(!refused.header("retry-after").is_empty());
}

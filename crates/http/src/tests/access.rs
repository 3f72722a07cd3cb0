//! Who may ask what.

use std::collections::BTreeSet;

use actix_web::http::Method;
use fanfare_domain::organization::Role;
use serde_json::json;

use super::fixture::{Fixture, ROLES};
use crate::handlers;
use crate::middleware::Authentication;
use crate::route::Route;
use crate::router::BASES;

/// The routes that take a secret key, with the role.
fn protected() -> impl Iterator<Item = (&'static Route, Role)> {
    let role = |route: &'static Route| match route.authentication {
        Authentication::SecretKey(role) | Authentication::Door(role) => Some((route, role)),
        Authentication::None => None,
    };
    handlers::routes().iter().filter_map(role)
}

fn path(base: &str, route: &Route) -> String {
    let path = route.path.replacen("/api", base, 1);
    [
        "{id}",
        "{listId}",
        "{segmentId}",
        "{snapshotId}",
        "{consumerId}",
        "{organizationId}",
    ]
    .iter()
    .fold(path, |path, id| path.replace(id, "unknown"))
}

#[actix_web::test]
async fn without_a_secret_key_no_route_of_the_api_answers() {
    let fixture = Fixture::connected().await;
    for (route, _) in protected() {
        for base in BASES {
            let path = path(base, route);
            let ask = || fixture.ask(route.method.clone(), &path).without_key();

            let answer = ask().send().await;
            answer.refuses(401, "Authentication required", "AUTHENTICATION_REQUIRED");
            assert_eq!(answer.header("www-authenticate"), "Bearer");

            let answer = ask().by("pk_live_1").send().await;
            answer.refuses(401, "Secret key required", "SECRET_KEY_REQUIRED");

            let answer = ask().by("sk_live_unknown").send().await;
            answer.refuses(401, "Authentication required", "AUTHENTICATION_REQUIRED");
        }
    }
}

#[actix_web::test]
async fn each_route_wants_its_role_and_names_it() {
    let fixture = Fixture::connected().await;
    for (route, needed) in protected() {
        for role in ROLES {
            fixture.wait_a_minute();
            let ask = fixture.ask(route.method.clone(), &path("/api", route));
            let answer = ask.by(fixture.own.key(role)).send().await;
            let what = format!("{} {} as {}", route.method, route.path, role.as_str());
            if role < needed {
                answer.refuses(403, "Forbidden", "FORBIDDEN");
                let message = answer.body["message"].as_str().unwrap();
                assert!(message.contains(needed.as_str()), "{what}: {message}");
            } else {
                assert!(![401, 403].contains(&answer.status), "{what}");
            }
        }
    }
}

#[actix_web::test]
async fn roles_are_those_of_the_contract() {
    let of = |method: Method, path: &str| {
        let path = format!("/api{path}");
        let found = protected().find(|(route, _)| route.method == method && route.path == path);
        found.map(|(_, role)| role)
    };
    for (method, path, role) in [
        (Method::GET, "/settings", Role::Editor),
        (Method::PUT, "/settings", Role::Admin),
        (Method::GET, "/klaviyo", Role::Viewer),
        (Method::GET, "/klaviyo/quota", Role::Viewer),
        (Method::POST, "/audiences/import/klaviyo", Role::Editor),
        (Method::POST, "/audiences/{id}/sync", Role::Editor),
        (Method::PUT, "/audiences/{id}", Role::Editor),
        (Method::DELETE, "/audiences/{id}", Role::Editor),
        (Method::POST, "/audiences", Role::Editor),
        (Method::POST, "/audiences/{id}/members", Role::Editor),
        (Method::DELETE, "/audiences/{id}/members", Role::Editor),
        (Method::PUT, "/audiences/{id}/klaviyo-list", Role::Admin),
        (
            Method::POST,
            "/audiences/{id}/klaviyo-list/push",
            Role::Editor,
        ),
        (Method::POST, "/sync-runs/{id}/cancel", Role::Editor),
        (Method::POST, "/settings/fanfare-webhook", Role::Admin),
        (Method::POST, "/deliveries/{id}/retry", Role::Editor),
        (Method::POST, "/consumers", Role::Editor),
        (Method::PUT, "/consumers/{id}", Role::Editor),
        (Method::POST, "/consumers/{id}/unsubscribe", Role::Editor),
    ] {
        assert_eq!(of(method, path), Some(role), "{path}");
    }
    let others = protected().filter(|(route, _)| route.method == Method::GET);
    let others = others.filter(|(route, _)| route.path != "/api/settings");
    for (route, role) in others {
        assert_eq!(role, Role::Viewer, "{}", route.path);
    }
    let open = handlers::routes().iter();
    let open = open.filter(|route| route.authentication == Authentication::None);
    let open: BTreeSet<&str> = open.map(|route| route.path.as_str()).collect();
    let of_contract = [
        "/",
        "/api/openapi.json",
        "/api/webhooks/fanfare/{organizationId}",
        "/healthz",
        "/metrics",
        "/readyz",
    ];
    assert_eq!(open, of_contract.into());
}

#[actix_web::test]
async fn a_revoked_key_opens_nothing() {
    let fixture = Fixture::new().await;
    let keys = fixture.integration.keys(&fixture.own.id).await.unwrap();
    let viewer = keys.iter().find(|key| key.role == Role::Viewer).unwrap();
    let ask = || {
        fixture
            .get("/api/audiences")
            .by(fixture.own.key(Role::Viewer))
    };
    assert_eq!(ask().send().await.status, 200);

    let revoked = fixture.integration.revoke_key(&fixture.own.id, &viewer.id);
    revoked.await.unwrap();

    let answer = ask().send().await;
    answer.refuses(401, "Authentication required", "AUTHENTICATION_REQUIRED");
}

#[actix_web::test]
async fn both_bases_answer_the_same() {
    let (fixture, _) = Fixture::imported().await;
    for route in [
        "/audiences",
        "/consumers?first=2",
        "/settings",
        "/klaviyo",
        "/nowhere",
    ] {
        let one = fixture.get(&format!("/api{route}")).send().await;
        let other = fixture.get(&format!("/api/v1{route}")).send().await;
        assert_eq!(
            (one.status, one.text),
            (other.status, other.text),
            "{route}"
        );
    }
}

#[actix_web::test]
async fn unknown_routes_and_methods_are_refused_in_the_same_shape() {
    let fixture = Fixture::new().await;
    for path in [
        "/api",
        "/api/nowhere",
        "/api/audiences/",
        "/api/v1/x",
        "/nowhere",
    ] {
        let answer = fixture.get(path).send().await;
        answer.refuses(404, "Not found", "ROUTE_NOT_FOUND");
    }
    for (method, path, allowed) in [
        (Method::PATCH, "/api/audiences/aud_1", "GET, PUT, DELETE"),
        (Method::PUT, "/api/audiences", "GET, POST"),
        (Method::GET, "/api/audiences/import/klaviyo", "POST"),
        (Method::DELETE, "/api/settings", "GET, PUT"),
        (Method::POST, "/healthz", "GET"),
        (Method::PUT, "/api/openapi.json", "GET"),
    ] {
        let answer = fixture.ask(method, path).json(&json!({})).await;
        answer.refuses(405, "Method not allowed", "METHOD_NOT_ALLOWED");
        assert_eq!(answer.header("allow"), allowed, "{path}");
    }
}

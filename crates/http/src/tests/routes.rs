//! A route that only these tests have: all that a route needs stands in this file.

use actix_web::http::StatusCode;
use actix_web::test::{call_service, init_service, read_body_json};
use actix_web::web::Json;
use deserr::Deserr;
use fanfare_domain::organization::Role::{self, Admin, Viewer};
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::fixture::Fixture;
use crate::decode::{Body, DecodeError, InBody, NoQuery, Request, Text};
use crate::middleware::Authentication::{self, SecretKey};
use crate::middleware::Principal;
use crate::openapi;
use crate::route::{Route, route};
use crate::server::{Parts, app};

#[derive(Deserr, ToSchema)]
#[deserr(error = DecodeError<InBody>, deny_unknown_fields)]
struct Greeting {
    /// The name to greet.
    #[schema(value_type = String, max_length = 10)]
    name: Text<1, 10>,
}

impl Request for Greeting {}

/// Greet
#[utoipa::path(
    post, path = "/api/greetings", tag = "Service", operation_id = "greet",
    request_body = Greeting,
    responses((status = 200, description = "The greeting", body = String)),
)]
async fn greet(principal: Principal, _: NoQuery, body: Body<Greeting>) -> Json<String> {
    Json(format!("{} from {}", body.0.name.0, principal.organization))
}

/// Count the greetings
#[utoipa::path(
    get, path = "/api/greetings", tag = "Service", operation_id = "countGreetings",
    responses((status = 200, description = "The number", body = u32)),
)]
async fn count() -> Json<u32> {
    Json(7)
}

fn routes() -> Vec<Route> {
    vec![
        route!(SecretKey(Admin), greet),
        route!(Authentication::None, count),
    ]
}

#[actix_web::test]
async fn a_route_is_served_behind_its_authentication_and_decodes_its_body() {
    let fixture = Fixture::new().await;
    let parts = Parts::new(fixture.api.clone(), routes().leak());
    let service = init_service(app(&parts)).await;
    let greet = |key: Option<Role>, body: Value| {
        let request = actix_web::test::TestRequest::post().uri("/api/v1/greetings");
        let request = request.set_json(body);
        let key = key.map(|role| format!("Bearer {}", fixture.own.key(role)));
        let request = key
            .into_iter()
            .fold(request, |r, key| r.insert_header(("authorization", key)));
        call_service(&service, request.to_request())
    };
    let ada = || json!({"name": "Ada"});
    for (key, body, status) in [
        (None, ada(), StatusCode::UNAUTHORIZED),
        (Some(Viewer), ada(), StatusCode::FORBIDDEN),
        (Some(Admin), json!({}), StatusCode::BAD_REQUEST),
        (
            Some(Admin),
            json!({"name": "Ada", "age": 1}),
            StatusCode::BAD_REQUEST,
        ),
    ] {
        assert_eq!(greet(key, body).await.status(), status, "{key:?}");
    }
    let greeted: String = read_body_json(greet(Some(Admin), ada()).await).await;
    assert_eq!(greeted, format!("Ada from {}", fixture.own.id));

    let open = actix_web::test::TestRequest::get().uri("/api/greetings");
    let counted: u32 = read_body_json(call_service(&service, open.to_request()).await).await;
    assert_eq!(counted, 7);
    let other = actix_web::test::TestRequest::delete().uri("/api/greetings");
    let other = call_service(&service, other.to_request()).await;
    assert_eq!(other.status(), StatusCode::UNAUTHORIZED);
}

#[test]
fn a_route_is_documented_with_its_role_its_body_and_the_common_refusals() {
    let document = serde_json::to_value(openapi::document(&routes())).unwrap();
    let path = &document["paths"]["/api/greetings"];
    assert_eq!(path["get"].get("security"), None);
    assert_eq!(
        path["post"]["security"],
        json!([{"SecretKeyAuth": ["admin"]}])
    );
    let responses = path["post"]["responses"].as_object().unwrap();
    let statuses: Vec<&str> = responses.keys().map(String::as_str).collect();
    assert_eq!(
        statuses,
        [
            "200", "400", "401", "403", "408", "413", "415", "429", "500", "503"
        ]
    );
    let schema = &document["components"]["schemas"]["Greeting"];
    assert_eq!(schema["required"], json!(["name"]));
    assert_eq!(schema["properties"]["name"]["maxLength"], 10);
}

//! What all routes have in common.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use utoipa::IntoResponses;
use utoipa::openapi::path::Operation;
use utoipa::openapi::schema::ArrayItems;
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityRequirement, SecurityScheme};
use utoipa::openapi::{
    Components, Content, HeaderBuilder, Object, OpenApi, Ref, RefOr, Response, ResponseBuilder,
    Schema, Type,
};

use crate::middleware::Authentication;
use crate::route::operations;

/// The name of the one way to sign in.
const SECRET_KEY: &str = "SecretKeyAuth";

/// What a route adds to its responses when it asks Klaviyo: `responses(.., KlaviyoRefusals)`.
pub(crate) struct KlaviyoRefusals;

impl IntoResponses for KlaviyoRefusals {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        let names = [
            "InvalidOrNotConnected",
            "KlaviyoUnreachable",
            "KlaviyoBusyOrUnavailable",
        ];
        named(&names)
            .map(|(status, response)| (status.to_owned(), response))
            .collect()
    }
}

/// Adds to an operation what its authentication says, and the refusals that all routes have.
pub(super) fn describe(operation: &mut Operation, authentication: Authentication) {
    let role = match authentication {
        Authentication::SecretKey(role) | Authentication::Door(role) => role.as_str(),
        Authentication::None => return,
    };
    operation.security = Some(vec![SecurityRequirement::new(SECRET_KEY, [role])]);
    let takes = format!("Takes the role `{role}`.");
    operation.description = Some(match operation.description.take() {
        Some(description) => format!("{description}\n\n{takes}"),
        None => takes,
    });
    let mut names = vec![
        "Invalid",
        "Unauthenticated",
        "Forbidden",
        "RateLimited",
        "Internal",
        "Unavailable",
    ];
    if operation.request_body.is_some() {
        names.extend(["BodyTimeout", "TooLarge", "NotJson"]);
    }
    let responses = &mut operation.responses.responses;
    for (status, response) in named(&names) {
        responses.entry(status.to_owned()).or_insert(response);
    }
}

/// References to the refusals of these names, with their status.
fn named(names: &[&str]) -> impl Iterator<Item = (&'static str, RefOr<Response>)> {
    let wanted = ERRORS
        .iter()
        .filter(move |(_, name, _)| names.contains(name));
    wanted.map(|(status, name, _)| (*status, RefOr::Ref(Ref::from_response_name(*name))))
}

/// Adds to the whole document what all routes have in common.
pub(super) fn complete(document: &mut OpenApi) {
    let mut sent = BTreeSet::from(["Error".to_owned()]);
    let components = document.components.get_or_insert_with(Components::new);
    for item in document.paths.paths.values_mut() {
        for (_, operation) in operations(item) {
            if let Some(body) = &operation.request_body {
                collect_schemas(body, components, &mut sent);
            }
            finish(operation);
        }
    }
    components.add_security_scheme(
        SECRET_KEY,
        SecurityScheme::Http(Http::builder().scheme(HttpAuthScheme::Bearer).build()),
    );
    for (name, kind, description) in HEADERS {
        let header = HeaderBuilder::new()
            .schema(Some(Object::with_type(kind)))
            .description(Some(description));
        components
            .headers
            .insert(name.to_owned(), RefOr::T(header.build()));
    }
    for (_, name, description) in ERRORS {
        let response = ResponseBuilder::new().description(description);
        let response = refusal(response, name).build();
        components
            .responses
            .insert(name.to_owned(), RefOr::T(response));
    }
    for (name, schema) in &mut components.schemas {
        if let RefOr::T(schema) = schema
            && !sent.contains(name)
        {
            complete_schema(name, schema);
        }
    }
}

/// Collects the names of the schemas that a part of the document refers to, directly or through
/// other schemas.
fn collect_schemas(part: &impl Serialize, all: &Components, found: &mut BTreeSet<String>) {
    let text = serde_json::to_string(part).unwrap_or_default();
    for rest in text.split("\"#/components/schemas/").skip(1) {
        let name = rest.split('"').next().unwrap_or_default();
        if found.insert(name.to_owned())
            && let Some(schema) = all.schemas.get(name)
        {
            collect_schemas(schema, all, found);
        }
    }
}

/// The headers of every answer; the last one only of those that say when to come back.
#[rustfmt::skip]
const HEADERS: [(&str, Type, &str); 5] = [
    ("X-Request-Id", Type::String, "What the request is called in the logs: the request's own, if it sent one"),
    ("X-RateLimit-Limit", Type::Integer, "Requests a minute"),
    ("X-RateLimit-Remaining", Type::Integer, "Requests left in this minute"),
    ("X-RateLimit-Reset", Type::Integer, "When the minute ends, in seconds since the epoch"),
    ("Retry-After", Type::Integer, "Seconds to wait"),
];

/// The refusals that routes have in common.
#[rustfmt::skip]
const ERRORS: [(&str, &str, &str); 12] = [
    ("400", "Invalid", "`VALIDATION_FAILED`: the request does not validate; every fault is named"),
    ("400", "InvalidOrNotConnected", "`VALIDATION_FAILED`, `KLAVIYO_KEY_NOT_FOUND`, `KLAVIYO_KEY_REJECTED` or `KLAVIYO_SCOPE_MISSING`"),
    ("401", "Unauthenticated", "`AUTHENTICATION_REQUIRED` or `SECRET_KEY_REQUIRED`"),
    ("403", "Forbidden", "`FORBIDDEN`: the key's role is not enough"),
    ("408", "BodyTimeout", "`REQUEST_TIMEOUT`: the body was not there 15 s after its headers"),
    ("413", "TooLarge", "`PAYLOAD_TOO_LARGE`: the body has more than 1 MB"),
    ("415", "NotJson", "`UNSUPPORTED_MEDIA_TYPE`: the body is not said to be JSON"),
    ("429", "RateLimited", "`RATE_LIMIT_EXCEEDED`: come back after `Retry-After`"),
    ("500", "Internal", "`INTERNAL_ERROR`: a fault of the service"),
    ("502", "KlaviyoUnreachable", "`KLAVIYO_UNREACHABLE`: Klaviyo gave no usable answer"),
    ("503", "Unavailable", "`SERVICE_UNAVAILABLE`: the database is away; come back after `Retry-After`"),
    ("503", "KlaviyoBusyOrUnavailable", "`KLAVIYO_THROTTLED` or `SERVICE_UNAVAILABLE`; come back after `Retry-After`"),
];

/// Answers have all of their fields, null where there is nothing; and a page's items have a name.
/// Of what is sent to the service, and of an error, fields may be left out.
fn complete_schema(name: &str, schema: &mut Schema) {
    match schema {
        Schema::Object(object) => {
            object.required = object.properties.keys().cloned().collect();
            let Some(item) = name.strip_prefix("Page_") else {
                return;
            };
            if let Some(RefOr::T(Schema::Array(data))) = object.properties.get_mut("data") {
                data.items = ArrayItems::RefOrSchema(Box::new(Ref::from_schema_name(item).into()));
            }
        }
        Schema::AllOf(all) => {
            for part in &mut all.items {
                if let RefOr::T(part) = part {
                    complete_schema(name, part);
                }
            }
        }
        _ => {}
    }
}

/// The error's shape, and the headers of every answer.
fn finish(operation: &mut Operation) {
    for (status, response) in &mut operation.responses.responses {
        let RefOr::T(response) = response else {
            continue;
        };
        let whole = ResponseBuilder::from(std::mem::replace(response, Response::new("")));
        let whole = if status.starts_with('2') {
            with_headers(whole, &HEADERS[..4])
        } else {
            refusal(whole, status)
        };
        *response = whole.build();
    }
}

/// An answer in the error's shape.
fn refusal(response: ResponseBuilder, name: &str) -> ResponseBuilder {
    let error = Content::new(Some(Ref::from_schema_name("Error")));
    let response = response.content("application/json", error);
    let waits = [
        "503",
        "RateLimited",
        "Unavailable",
        "KlaviyoBusyOrUnavailable",
    ];
    if waits.contains(&name) {
        with_headers(response, &HEADERS)
    } else {
        with_headers(response, &HEADERS[..4])
    }
}

fn with_headers(response: ResponseBuilder, headers: &[(&str, Type, &str)]) -> ResponseBuilder {
    headers.iter().fold(response, |response, (name, _, _)| {
        response.header_ref(*name, Ref::new(format!("#/components/headers/{name}")))
    })
}

//! What all routes have in common, added from the table of routes.

use fanfare_domain::organization::Role;
use utoipa::Modify;
use utoipa::openapi::path::Operation;
use utoipa::openapi::schema::ArrayItems;
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityRequirement, SecurityScheme};
use utoipa::openapi::{
    Components, Content, HeaderBuilder, Object, OpenApi, Ref, RefOr, Response, ResponseBuilder,
    Schema, Type,
};

use crate::routes;

/// The name of the one way to sign in.
const SECRET_KEY: &str = "SecretKeyAuth";

/// Adds what is the same for all routes, as the tables of routes have it.
pub(super) struct Routes;

impl Modify for Routes {
    fn modify(&self, document: &mut OpenApi) {
        let components = document.components.get_or_insert_with(Components::new);
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
        for entry in routes::API {
            let path = format!("/api{}", entry.path);
            let operation = operation(document, &path, entry.method.as_str());
            if let (Some(operation), Some(role)) = (operation, entry.role) {
                describe(operation, role);
            }
        }
        if let Some(components) = &mut document.components {
            for (name, schema) in &mut components.schemas {
                if let RefOr::T(schema) = schema {
                    complete(name, schema);
                }
            }
        }
        for path in document.paths.paths.values_mut() {
            let operations = [
                &mut path.get,
                &mut path.put,
                &mut path.post,
                &mut path.delete,
            ];
            operations.into_iter().flatten().for_each(finish);
        }
    }
}

/// The headers of every answer; the last one only of those that say when to come back.
const HEADERS: [(&str, Type, &str); 5] = [
    (
        "X-Request-Id",
        Type::String,
        "What the request is called in the logs: the request's own, if it sent one",
    ),
    ("X-RateLimit-Limit", Type::Integer, "Requests a minute"),
    (
        "X-RateLimit-Remaining",
        Type::Integer,
        "Requests left in this minute",
    ),
    (
        "X-RateLimit-Reset",
        Type::Integer,
        "When the minute ends, in seconds since the epoch",
    ),
    ("Retry-After", Type::Integer, "Seconds to wait"),
];

/// The refusals that routes have in common.
const ERRORS: [(&str, &str, &str); 11] = [
    (
        "400",
        "Invalid",
        "`VALIDATION_FAILED`: the request does not validate; every fault is named",
    ),
    (
        "400",
        "InvalidOrNotConnected",
        "`VALIDATION_FAILED`, `KLAVIYO_KEY_NOT_FOUND`, `KLAVIYO_KEY_REJECTED` or `KLAVIYO_SCOPE_MISSING`",
    ),
    (
        "401",
        "Unauthenticated",
        "`AUTHENTICATION_REQUIRED` or `SECRET_KEY_REQUIRED`",
    ),
    (
        "403",
        "Forbidden",
        "`FORBIDDEN`: the key's role is not enough",
    ),
    (
        "413",
        "TooLarge",
        "`PAYLOAD_TOO_LARGE`: the body has more than 1 MB",
    ),
    (
        "415",
        "NotJson",
        "`UNSUPPORTED_MEDIA_TYPE`: the body is not said to be JSON",
    ),
    (
        "429",
        "RateLimited",
        "`RATE_LIMIT_EXCEEDED`: come back after `Retry-After`",
    ),
    (
        "500",
        "Internal",
        "`INTERNAL_ERROR`: a fault of the service",
    ),
    (
        "502",
        "KlaviyoUnreachable",
        "`KLAVIYO_UNREACHABLE`: Klaviyo gave no usable answer",
    ),
    (
        "503",
        "Unavailable",
        "`SERVICE_UNAVAILABLE`: the database is away; come back after `Retry-After`",
    ),
    (
        "503",
        "KlaviyoBusyOrUnavailable",
        "`KLAVIYO_THROTTLED` or `SERVICE_UNAVAILABLE`; come back after `Retry-After`",
    ),
];

/// What is sent to us, or says less when there is less to say: of these, fields may be left out.
const SPARSE: [&str; 6] = [
    "AudienceUpdate",
    "Error",
    "KlaviyoConnect",
    "KlaviyoImport",
    "SettingsUpdate",
    "SyncRequest",
];

/// Answers have all of their fields, null where there is nothing; and a page's items have a name.
fn complete(name: &str, schema: &mut Schema) {
    match schema {
        Schema::Object(object) if !SPARSE.contains(&name) => {
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
                    complete(name, part);
                }
            }
        }
        _ => {}
    }
}

fn operation<'d>(document: &'d mut OpenApi, path: &str, method: &str) -> Option<&'d mut Operation> {
    let path = document.paths.paths.get_mut(path)?;
    match method {
        "GET" => path.get.as_mut(),
        "PUT" => path.put.as_mut(),
        "POST" => path.post.as_mut(),
        "DELETE" => path.delete.as_mut(),
        _ => None,
    }
}

/// What every route of the API has.
fn describe(operation: &mut Operation, role: Role) {
    let role = role.as_str();
    operation.security = Some(vec![SecurityRequirement::new(SECRET_KEY, [role])]);
    let takes = format!("Takes the role `{role}`.");
    operation.description = Some(match operation.description.take() {
        Some(description) => format!("{description}\n\n{takes}"),
        None => takes,
    });
    let asks_klaviyo = operation.tags.iter().flatten().any(|tag| tag == "Klaviyo")
        || operation.operation_id.as_deref() == Some("updateSettings");
    let mut names = vec!["Unauthenticated", "Forbidden", "RateLimited", "Internal"];
    if asks_klaviyo {
        names.extend([
            "InvalidOrNotConnected",
            "KlaviyoUnreachable",
            "KlaviyoBusyOrUnavailable",
        ]);
    } else {
        names.extend(["Invalid", "Unavailable"]);
    }
    if operation.request_body.is_some() {
        names.extend(["TooLarge", "NotJson"]);
    }
    for (status, name, _) in ERRORS.iter().filter(|(_, name, _)| names.contains(name)) {
        let response = RefOr::Ref(Ref::from_response_name(*name));
        let responses = &mut operation.responses.responses;
        responses.entry((*status).to_owned()).or_insert(response);
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
            announce(whole, &HEADERS[..4])
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
        announce(response, &HEADERS)
    } else {
        announce(response, &HEADERS[..4])
    }
}

fn announce(response: ResponseBuilder, headers: &[(&str, Type, &str)]) -> ResponseBuilder {
    headers.iter().fold(response, |response, (name, _, _)| {
        response.header_ref(*name, Ref::new(format!("#/components/headers/{name}")))
    })
}

//! The API described: the document is put together from the routes that are served.

mod common;

use utoipa::OpenApi as _;
use utoipa::openapi::OpenApi;

pub(crate) use self::common::KlaviyoRefusals;
use crate::error::ErrorBody;
use crate::route::{Route, operations};

#[derive(utoipa::OpenApi)]
#[openapi(
    info(
        title = "Fanfare for Klaviyo",
        description = "Keeps Fanfare audiences equal to Klaviyo lists and segments.\n\nEverything below `/api` is answered below `/api/v1` as well. A secret key decides the organization and the role (`viewer`, `editor`, `admin`, `owner`; each may do all that the ones before may); ids of other organizations are not found. Unknown body fields and query parameters are refused. An organization may make 1000 requests a minute, and checks of 100000 people beside them.",
        license(name = "MIT", identifier = "MIT"),
    ),
    components(schemas(ErrorBody)),
    tags(
        (name = "Settings", description = "The connection to Klaviyo"),
        (name = "Klaviyo", description = "What is in Klaviyo, and its import"),
        (name = "Audiences", description = "Audiences, and who is in them"),
        (name = "Audiences to Klaviyo", description = "Audiences that are kept in Klaviyo lists"),
        (name = "Sync runs", description = "Passes over lists and segments, and pushes into lists"),
        (name = "Sync sources", description = "Links between Fanfare's records and Klaviyo's"),
        (name = "Consumers", description = "The people in audiences"),
        (name = "Deliveries", description = "What Klaviyo is to be told"),
        (name = "Webhooks", description = "What Fanfare tells"),
        (name = "Service", description = "The service itself"),
    ),
)]
struct Document;

/// The document of some routes.
pub(crate) fn document(routes: &[Route]) -> OpenApi {
    let mut document = Document::openapi();
    for route in routes {
        let mut documentation = route.documentation.clone();
        for item in documentation.paths.paths.values_mut() {
            for (_, operation) in operations(item) {
                common::describe(operation, route.authentication);
            }
        }
        document.merge(documentation);
    }
    common::complete(&mut document);
    document
}

/// The document of some routes as text: pretty-printed JSON, ending in a line feed.
pub(crate) fn json(routes: &[Route]) -> String {
    let json = document(routes).to_pretty_json();
    // Strings and maps of strings always serialise.
    json.map(|json| json + "\n").unwrap_or_default()
}

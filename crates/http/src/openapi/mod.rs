//! The API described, from the same code that serves it.

mod common;

use utoipa::OpenApi as _;
use utoipa::openapi::OpenApi;

use self::common::Routes;
use crate::error::ErrorBody;
use crate::handlers::{audiences, consumers, events, klaviyo, runs, service, settings, sources};

#[derive(utoipa::OpenApi)]
#[openapi(
    info(
        title = "Fanfare for Klaviyo",
        description = "Keeps Fanfare audiences equal to Klaviyo lists and segments.\n\nEverything below `/api` is answered below `/api/v1` as well. A secret key decides the organization and the role (`viewer`, `editor`, `admin`, `owner`; each may do all that the ones before may); ids of other organizations are not found. Unknown body fields and query parameters are refused. An organization may make 1000 requests a minute.",
        license(name = "MIT", identifier = "MIT"),
    ),
    paths(
        settings::show,
        settings::update,
        klaviyo::lists,
        klaviyo::segments,
        klaviyo::estimate_list,
        klaviyo::estimate_segment,
        klaviyo::import,
        audiences::list,
        audiences::show,
        audiences::update,
        audiences::archive,
        audiences::sync,
        audiences::members,
        audiences::count,
        audiences::status,
        runs::of_audience,
        runs::show,
        events::watch,
        runs::issues,
        runs::cancel,
        sources::search,
        sources::show,
        consumers::list,
        consumers::search,
        consumers::show,
        service::live,
        service::ready,
        service::metrics,
        service::document,
    ),
    components(schemas(ErrorBody)),
    modifiers(&Routes),
    tags(
        (name = "Settings", description = "The connection to Klaviyo"),
        (name = "Klaviyo", description = "What is in Klaviyo, and its import"),
        (name = "Audiences", description = "Audiences that Klaviyo fills"),
        (name = "Sync runs", description = "Passes over lists and segments"),
        (name = "Sync sources", description = "Links between Fanfare's records and Klaviyo's"),
        (name = "Consumers", description = "The people in audiences"),
        (name = "Service", description = "The service itself"),
    ),
)]
struct Document;

/// The document.
pub(crate) fn document() -> OpenApi {
    Document::openapi()
}

/// The `OpenAPI` document of the whole API: pretty-printed JSON, ending in a line feed.
pub fn json() -> String {
    let json = document().to_pretty_json();
    // Strings and maps of strings always serialise.
    json.map(|json| json + "\n").unwrap_or_default()
}

//! The handlers: each decodes, calls one use case, and encodes.

mod audiences;
mod consumers;
mod deliveries;
mod door;
mod events;
mod history;
mod klaviyo;
mod runs;
pub(crate) mod service;
mod settings;
mod sources;
mod webhooks;

pub use webhooks::webhook_address;

use std::sync::LazyLock;

use actix_web::web;
use fanfare_sync::Integration;

use crate::error::ApiError;
use crate::route::Route;

/// Every route of the API's program.
pub(crate) fn routes() -> &'static [Route] {
    static ROUTES: LazyLock<Vec<Route>> = LazyLock::new(|| {
        let of_files = [
            service::routes,
            settings::routes,
            klaviyo::routes,
            audiences::routes,
            history::routes,
            door::routes,
            runs::routes,
            events::routes,
            sources::routes,
            consumers::routes,
            deliveries::routes,
            webhooks::routes,
        ];
        of_files.into_iter().flat_map(|routes| routes()).collect()
    });
    &ROUTES
}

/// The use cases.
type Application = web::Data<Integration>;

/// JSON, or an error.
type Answer<T> = Result<web::Json<T>, ApiError>;

//! Fanfare's HTTP API over the use cases.
//!
//! A handler decodes, calls one use case of [`fanfare_sync::Integration`], and encodes. [`serve`]
//! runs the API of a program that is wired already; [`serve_health`] is for a program that has
//! nothing to show but its health. `route` has what a route is, and each file of `handlers` has its own routes.

mod cursor;
mod decode;
mod error;
#[cfg(any(test, fuzzing))]
pub mod fuzzing;
mod handlers;
mod health;
mod middleware;
mod openapi;
mod route;
mod router;
mod run_watches;
mod server;
mod stream_keys;
mod streams;
#[cfg(test)]
mod tests;
mod wire;

pub use handlers::webhook_address;
pub use health::{Readiness, RenderMetrics};
pub use middleware::{
    AdmittedPage, FollowedRun, News, RefusedPage, admit_page, compressed, follow_run,
};
pub use server::{Api, Pages, Parts, app, serve, serve_health};

/// The `OpenAPI` document of the whole API: pretty-printed JSON, ending in a line feed.
pub fn openapi_json() -> String {
    openapi::json(handlers::routes())
}

//! Fanfare's HTTP API over the use cases.
//!
//! A handler decodes, calls one use case of [`fanfare_sync::Integration`], and encodes. [`serve`]
//! runs the API of a program that is wired already; [`serve_health`] is for a program that has
//! nothing to show but its health. `routes` is the table of everything that is served.

mod cursor;
mod decode;
mod error;
mod gate;
mod handlers;
mod health;
mod openapi;
mod routes;
mod server;
#[cfg(test)]
mod tests;
mod wire;

pub use health::{Readiness, RenderMetrics};
pub use openapi::json as openapi_json;
pub use server::{Api, serve, serve_health};

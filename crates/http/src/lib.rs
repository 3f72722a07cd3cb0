//! Fanfare's HTTP API over the use cases.
//!
//! A handler decodes, calls one use case of [`fanfare_sync::Integration`], and encodes. [`serve`]
//! runs the API of a program that is wired already; [`serve_health`] is for a program that has
//! nothing to show but its health.

mod health;
mod server;

pub use health::{Readiness, RenderMetrics};
pub use server::{Api, serve, serve_health};

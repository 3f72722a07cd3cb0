//! What every request passes before a handler sees it, and every answer on its way out.

mod authentication;
mod rate_limit;
mod request_id;
mod streams;
mod telemetry;

pub(crate) use authentication::{Authentication, Principal, authenticate};
pub(crate) use rate_limit::RateLimiter;
pub(crate) use streams::{OpenStream, Streams};
pub(crate) use telemetry::observe;

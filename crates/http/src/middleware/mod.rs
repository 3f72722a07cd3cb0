//! What every request passes before a handler sees it, and every answer on its way out.

mod answer;
mod authentication;
mod concurrency;
mod rate_limit;
mod request_id;
mod telemetry;

pub(crate) use answer::on_connect;
pub(crate) use authentication::{Authentication, Principal, authenticate};
pub(crate) use concurrency::{Concurrency, Permit};
pub(crate) use rate_limit::RateLimiter;
pub(crate) use telemetry::observe;

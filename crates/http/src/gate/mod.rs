//! What every request passes before a handler sees it, and every answer on its way out.

mod access;
mod rate_limit;
mod request_id;
mod streams;
mod watch;

pub(crate) use access::{By, authenticate, require};
pub(crate) use rate_limit::RateLimiter;
pub(crate) use streams::{OpenStream, Streams};
pub(crate) use watch::watch;

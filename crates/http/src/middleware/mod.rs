//! What every request passes before a handler sees it, and every answer on its way out.

mod answer;
mod authentication;
mod compression;
mod concurrency;
mod connections;
mod pages;
mod rate_limit;
mod request_id;
mod telemetry;
mod unread_body;

pub(crate) use authentication::{Authentication, Principal, authenticate};
pub use compression::compressed;
pub(crate) use concurrency::{Concurrency, Permit};
pub(crate) use connections::Connections;
pub use pages::{AdmittedPage, FollowedRun, News, RefusedPage, admit_page, follow_run};
pub(crate) use rate_limit::{CheckLimit, RateLimiter};
pub(crate) use telemetry::observe;

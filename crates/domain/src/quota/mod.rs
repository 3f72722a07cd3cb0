//! Klaviyo's request quotas: fixed windows of a second and of a minute, per account and endpoint.

mod bucket;
mod endpoint;
mod rate_limits;
mod retry_after;
mod window;

pub use bucket::{Bucket, Reservation};
pub use endpoint::Endpoint;
pub use rate_limits::RateLimits;
pub use retry_after::RetryAfter;
pub use window::Window;

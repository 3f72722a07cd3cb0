//! Klaviyo's request quotas. Klaviyo counts an account's requests to an endpoint in fixed windows of one
//! second and of one minute.

mod bucket;
mod demand;
mod endpoint;
mod rate_limits;
mod retry_after;
mod share;
mod window;

pub use bucket::{Bucket, Reservation};
pub use demand::{Demand, Kept, Lease, Priority};
pub use endpoint::Endpoint;
pub use rate_limits::RateLimits;
pub use retry_after::RetryAfter;
pub use share::Share;
pub use window::Window;

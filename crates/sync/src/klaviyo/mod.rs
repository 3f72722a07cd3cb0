//! The only way to call Klaviyo: every call is counted against its quota.

mod client;
mod leased_requests;
mod lists;
mod quota;
mod rate_limit_block;
mod recorded;
mod short_wait;

pub(crate) use client::KlaviyoClient;
pub(crate) use quota::CallError;
pub use quota::RateLimitBlock;

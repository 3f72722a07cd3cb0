//! How many requests Klaviyo allows.

/// How many requests each fixed window allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RateLimits {
    /// Requests in each window of one second.
    pub burst: u32,
    /// Requests in each window of one minute.
    pub steady: u32,
}

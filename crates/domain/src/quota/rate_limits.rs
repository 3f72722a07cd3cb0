//! How many requests Klaviyo allows.

/// Requests allowed per fixed window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RateLimits {
    /// Requests per second.
    pub burst: u32,
    /// Requests per minute.
    pub steady: u32,
}

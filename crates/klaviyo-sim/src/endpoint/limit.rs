//! How often an endpoint or a costly parameter may be asked for.

/// How often something may be asked for, in requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limit {
    /// Requests in a second.
    pub burst: u32,
    /// Requests in a minute.
    pub steady: u32,
}

impl Limit {
    /// Tier XS.
    pub const XS: Self = Self {
        burst: 1,
        steady: 15,
    };
    /// Tier S.
    pub const S: Self = Self {
        burst: 3,
        steady: 60,
    };
    /// Tier M.
    pub const M: Self = Self {
        burst: 10,
        steady: 150,
    };
    /// Tier L.
    pub const L: Self = Self {
        burst: 75,
        steady: 750,
    };
    /// Tier XL.
    pub const XL: Self = Self {
        burst: 350,
        steady: 3_500,
    };
    /// More than any client can send.
    pub const NONE: Self = Self {
        burst: 1_000_000,
        steady: 60_000_000,
    };
}

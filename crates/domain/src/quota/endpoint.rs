//! The buckets of Klaviyo's quota, with the limits that Klaviyo documents.

use super::RateLimits;
use crate::text_enum::text_enum;

text_enum! {
    /// A bucket of Klaviyo's quota: an endpoint, or a costly parameter of one.
    Endpoint {
        /// `GET /api/accounts`
        Accounts = "accounts",
        /// `GET /api/lists`
        Lists = "lists",
        /// `GET /api/lists/{id}`
        List = "list",
        /// The same with `additional-fields[list]=profile_count`
        ListCount = "list_count",
        /// `GET /api/lists/{id}/profiles`
        ListProfiles = "list_profiles",
        /// `GET /api/segments`
        Segments = "segments",
        /// `GET /api/segments/{id}`
        Segment = "segment",
        /// The same with `additional-fields[segment]=profile_count`
        SegmentCount = "segment_count",
        /// `GET /api/segments/{id}/profiles`
        SegmentProfiles = "segment_profiles",
        /// `GET /api/profiles`
        Profiles = "profiles",
    }
}

impl Endpoint {
    /// For the bucket of a costly parameter: the bucket of the endpoint itself. A request with the
    /// parameter is taken out of both, and a rate-limit block applies to both.
    pub const fn base(self) -> Option<Self> {
        match self {
            Self::ListCount => Some(Self::List),
            Self::SegmentCount => Some(Self::Segment),
            Self::Accounts
            | Self::Lists
            | Self::List
            | Self::ListProfiles
            | Self::Segments
            | Self::Segment
            | Self::SegmentProfiles
            | Self::Profiles => None,
        }
    }

    /// The limits that Klaviyo documents at revision 2026-07-15; its answers may announce others.
    pub const fn documented_limits(self) -> RateLimits {
        match self {
            Self::Accounts | Self::ListCount | Self::SegmentCount => XS,
            Self::Lists
            | Self::List
            | Self::ListProfiles
            | Self::Segments
            | Self::Segment
            | Self::SegmentProfiles
            | Self::Profiles => L,
        }
    }
}

/// Klaviyo's limits of size "XS".
const XS: RateLimits = RateLimits {
    burst: 1,
    steady: 15,
};

/// Klaviyo's limits of size "L".
const L: RateLimits = RateLimits {
    burst: 75,
    steady: 750,
};

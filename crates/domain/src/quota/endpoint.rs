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
        /// `POST /api/events`
        CreateEvent = "create_event",
        /// `POST /api/event-bulk-create-jobs`
        CreateEvents = "create_events",
        /// `GET /api/events`
        Events = "events",
        /// `GET /api/metrics`
        Metrics = "metrics",
        /// `PATCH /api/profiles/{id}`
        UpdateProfile = "update_profile",
        /// `POST /api/profile-import`
        UpsertProfile = "upsert_profile",
        /// `POST /api/profile-bulk-import-jobs`
        StartImport = "start_import",
        /// `GET /api/profile-bulk-import-jobs/{id}`
        ImportJob = "import_job",
        /// `GET /api/profile-bulk-import-jobs/{id}/import-errors`
        ImportErrors = "import_errors",
        /// `GET /api/profile-bulk-import-jobs/{id}/profiles`
        ImportedProfiles = "imported_profiles",
        /// `POST /api/lists/{id}/relationships/profiles`
        AddToList = "add_to_list",
        /// `DELETE /api/lists/{id}/relationships/profiles`
        RemoveFromList = "remove_from_list",
        /// `POST /api/lists`
        CreateList = "create_list",
        /// `GET /api/lists/{id}/flow-triggers`
        ListFlows = "list_flows",
        /// `GET /api/segments/{id}/flow-triggers`
        SegmentFlows = "segment_flows",
        /// `GET /api/metrics/{id}/flow-triggers`
        MetricFlows = "metric_flows",
        /// `POST /api/profile-subscription-bulk-delete-jobs`
        Unsubscribe = "unsubscribe",
    }
}

impl Endpoint {
    /// For the bucket of a costly parameter: the bucket of the endpoint itself. A request with the
    /// parameter is taken out of both, and a rate-limit block applies to both.
    pub const fn base(self) -> Option<Self> {
        match self {
            Self::ListCount => Some(Self::List),
            Self::SegmentCount => Some(Self::Segment),
            _ => None,
        }
    }

    /// Whether workers alone use the bucket, and never a call that a user waits for.
    pub const fn is_of_workers(self) -> bool {
        matches!(self, Self::CreateEvent | Self::CreateEvents)
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
            | Self::Profiles
            | Self::UpdateProfile
            | Self::UpsertProfile
            | Self::Unsubscribe => L,
            Self::ListFlows | Self::SegmentFlows => S,
            // Lists have a limit of 150 a day besides, which nobody reaches who makes them by hand.
            Self::CreateEvents
            | Self::Metrics
            | Self::StartImport
            | Self::ImportJob
            | Self::ImportErrors
            | Self::ImportedProfiles
            | Self::AddToList
            | Self::RemoveFromList
            | Self::CreateList
            | Self::MetricFlows => M,
            Self::CreateEvent | Self::Events => XL,
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

/// Klaviyo's limits of size "S".
const S: RateLimits = RateLimits {
    burst: 3,
    steady: 60,
};

/// Klaviyo's limits of size "M".
const M: RateLimits = RateLimits {
    burst: 10,
    steady: 150,
};

/// Klaviyo's limits of size "XL".
const XL: RateLimits = RateLimits {
    burst: 350,
    steady: 3_500,
};

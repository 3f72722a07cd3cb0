//! Costly parameters, which have a quota of their own.

use super::Limit;
use crate::kind::Kind;
use crate::query::Parameters;

/// A costly parameter with a quota of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Parameter {
    /// `additional-fields[list]=profile_count`, and of segments
    ProfileCount(Kind),
    /// `additional-fields[profile]=predictive_analytics`
    PredictiveAnalytics,
    /// `include=lists`, `include=segments` of a profile
    Include(Kind),
}

impl Parameter {
    /// How often it may be asked for, on all endpoints together.
    pub const fn limit(self) -> Limit {
        match self {
            Self::ProfileCount(_) | Self::Include(_) => Limit::XS,
            Self::PredictiveAnalytics => Limit::M,
        }
    }

    /// Whether a query string asks for it.
    pub(super) fn is_in(self, parameters: &Parameters) -> bool {
        match self {
            Self::ProfileCount(kind) => parameters.adds(kind.noun(), "profile_count"),
            Self::PredictiveAnalytics => parameters.adds("profile", "predictive_analytics"),
            Self::Include(kind) => parameters.includes(kind.plural()),
        }
    }
}

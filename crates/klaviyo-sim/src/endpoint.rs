//! What can be asked, what it takes, and how often it may be asked.

use std::fmt;
use std::str::FromStr;

use crate::world::Kind;

/// An endpoint of the API.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Endpoint {
    /// `GET /api/accounts`
    Accounts,
    /// `GET /api/accounts/{id}`
    Account,
    /// `GET /api/lists`, `/api/segments`
    Collections(Kind),
    /// `GET /api/lists/{id}`, `/api/segments/{id}`
    Collection(Kind),
    /// `GET /api/lists/{id}/profiles`, `/api/segments/{id}/profiles`
    Members(Kind),
    /// `GET /api/lists/{id}/relationships/profiles`, and of segments
    MemberIds(Kind),
    /// `GET /api/profiles`
    Profiles,
    /// `GET /api/profiles/{id}`
    Profile,
}

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

/// How often something may be asked, in requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limit {
    /// In a second.
    pub burst: u32,
    /// In a minute.
    pub steady: u32,
}

impl Limit {
    /// Tier XS.
    pub const XS: Self = Self {
        burst: 1,
        steady: 15,
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
    /// More than anybody can ask.
    pub const NONE: Self = Self {
        burst: 1_000_000,
        steady: 60_000_000,
    };
}

/// A path that leads somewhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Route {
    pub(crate) endpoint: Endpoint,
    /// The id in the path, or an empty text.
    pub(crate) id: String,
}

const ALL: [(Endpoint, &str); 12] = [
    (Endpoint::Accounts, "accounts"),
    (Endpoint::Account, "account"),
    (Endpoint::Collections(Kind::List), "lists"),
    (Endpoint::Collection(Kind::List), "list"),
    (Endpoint::Members(Kind::List), "list-profiles"),
    (Endpoint::MemberIds(Kind::List), "list-profile-ids"),
    (Endpoint::Collections(Kind::Segment), "segments"),
    (Endpoint::Collection(Kind::Segment), "segment"),
    (Endpoint::Members(Kind::Segment), "segment-profiles"),
    (Endpoint::MemberIds(Kind::Segment), "segment-profile-ids"),
    (Endpoint::Profiles, "profiles"),
    (Endpoint::Profile, "profile"),
];

impl Endpoint {
    /// Where a path leads. A trailing slash makes no difference.
    pub(crate) fn route(path: &[&str]) -> Option<Route> {
        let path = path.strip_suffix(&[""]).unwrap_or(path);
        let kind = |noun: &str| match noun {
            "lists" => Some(Kind::List),
            "segments" => Some(Kind::Segment),
            _ => None,
        };
        let (endpoint, id) = match *path {
            ["api", "accounts"] => (Self::Accounts, ""),
            ["api", "accounts", id] => (Self::Account, id),
            ["api", "profiles"] => (Self::Profiles, ""),
            ["api", "profiles", id] => (Self::Profile, id),
            ["api", noun] => (Self::Collections(kind(noun)?), ""),
            ["api", noun, id] => (Self::Collection(kind(noun)?), id),
            ["api", noun, id, "profiles"] => (Self::Members(kind(noun)?), id),
            ["api", noun, id, "relationships", "profiles"] => (Self::MemberIds(kind(noun)?), id),
            _ => return None,
        };
        let id = id.to_owned();
        Some(Route { endpoint, id })
    }

    /// The scopes that a key needs.
    pub(crate) const fn scopes(self) -> &'static [&'static str] {
        match self {
            Self::Accounts | Self::Account => &["accounts:read"],
            Self::Collections(Kind::List) | Self::Collection(Kind::List) => &["lists:read"],
            Self::Collections(Kind::Segment) | Self::Collection(Kind::Segment) => {
                &["segments:read"]
            }
            Self::Members(Kind::List) | Self::MemberIds(Kind::List) => {
                &["lists:read", "profiles:read"]
            }
            Self::Members(Kind::Segment) | Self::MemberIds(Kind::Segment) => {
                &["profiles:read", "segments:read"]
            }
            Self::Profiles | Self::Profile => &["profiles:read"],
        }
    }

    /// How often it may be asked.
    pub const fn limit(self) -> Limit {
        match self {
            Self::Accounts | Self::Account => Limit::XS,
            _ => Limit::L,
        }
    }

    /// The page size if none is asked for, and the most; `None` where there are no pages.
    pub(crate) const fn page_sizes(self) -> Option<(usize, usize)> {
        match self {
            Self::Collections(_) => Some((10, 10)),
            Self::Members(_) | Self::MemberIds(_) | Self::Profiles => Some((20, 100)),
            Self::Accounts | Self::Account | Self::Collection(_) | Self::Profile => None,
        }
    }
}

impl Parameter {
    /// How often it may be asked, on all endpoints together.
    pub const fn limit(self) -> Limit {
        match self {
            Self::ProfileCount(_) | Self::Include(_) => Limit::XS,
            Self::PredictiveAnalytics => Limit::M,
        }
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = ALL.iter().find(|(endpoint, _)| endpoint == self);
        f.write_str(name.map_or("", |(_, name)| name))
    }
}

/// A text that names no endpoint.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no endpoint; there are {names}", names = names())]
pub struct UnknownEndpoint(String);

fn names() -> String {
    ALL.map(|(_, name)| name).join(", ")
}

impl FromStr for Endpoint {
    type Err = UnknownEndpoint;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let found = ALL.iter().find(|(_, name)| *name == text);
        found
            .map(|(endpoint, _)| *endpoint)
            .ok_or_else(|| UnknownEndpoint(text.to_owned()))
    }
}

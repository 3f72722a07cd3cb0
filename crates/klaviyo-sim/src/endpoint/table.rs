//! The table of the endpoints: name, path, scopes, limits, page sizes.

use super::{Endpoint, Limit, Parameter};
use crate::kind::Kind;

/// What there is to know of an endpoint, but for its answer.
pub(super) struct Row {
    pub(super) endpoint: Endpoint,
    /// The name on the command line, in fault specifications and in the request log.
    pub(super) name: &'static str,
    path: &'static [&'static str],
    /// The scopes that a key needs.
    pub(super) scopes: &'static [&'static str],
    pub(super) limit: Limit,
    /// The page size if none is asked for, and the most; `None` where there are no pages.
    pub(super) page_sizes: Option<(usize, usize)>,
    /// The parameters with a quota of their own that it takes.
    pub(super) costly: &'static [Parameter],
}

/// Stands for the id in a path.
const ID: &str = "{id}";

impl Row {
    /// The id in a path of this endpoint, empty where it has none; `None` if the path is another's.
    pub(super) fn id_in<'a>(&self, path: &[&'a str]) -> Option<&'a str> {
        let mut id = "";
        let is_same = self.path.len() == path.len()
            && self.path.iter().zip(path).all(|(pattern, part)| {
                if *pattern == ID {
                    id = part;
                }
                *pattern == ID || pattern == part
            });
        is_same.then_some(id)
    }
}

const COLLECTION_PAGES: Option<(usize, usize)> = Some((10, 10));
const PROFILE_PAGES: Option<(usize, usize)> = Some((20, 100));
const PREDICTIONS: &[Parameter] = &[Parameter::PredictiveAnalytics];

/// Every endpoint, in the order in which their names are listed.
pub(super) const TABLE: [Row; 12] = [
    Row {
        endpoint: Endpoint::Accounts,
        name: "accounts",
        path: &["api", "accounts"],
        scopes: &["accounts:read"],
        limit: Limit::XS,
        page_sizes: None,
        costly: &[],
    },
    Row {
        endpoint: Endpoint::Account,
        name: "account",
        path: &["api", "accounts", ID],
        scopes: &["accounts:read"],
        limit: Limit::XS,
        page_sizes: None,
        costly: &[],
    },
    Row {
        endpoint: Endpoint::Collections(Kind::List),
        name: "lists",
        path: &["api", "lists"],
        scopes: &["lists:read"],
        limit: Limit::L,
        page_sizes: COLLECTION_PAGES,
        costly: &[],
    },
    Row {
        endpoint: Endpoint::Collection(Kind::List),
        name: "list",
        path: &["api", "lists", ID],
        scopes: &["lists:read"],
        limit: Limit::L,
        page_sizes: None,
        costly: &[Parameter::ProfileCount(Kind::List)],
    },
    Row {
        endpoint: Endpoint::Members(Kind::List),
        name: "list-profiles",
        path: &["api", "lists", ID, "profiles"],
        scopes: &["lists:read", "profiles:read"],
        limit: Limit::L,
        page_sizes: PROFILE_PAGES,
        costly: PREDICTIONS,
    },
    Row {
        endpoint: Endpoint::MemberIds(Kind::List),
        name: "list-profile-ids",
        path: &["api", "lists", ID, "relationships", "profiles"],
        scopes: &["lists:read", "profiles:read"],
        limit: Limit::L,
        page_sizes: PROFILE_PAGES,
        costly: &[],
    },
    Row {
        endpoint: Endpoint::Collections(Kind::Segment),
        name: "segments",
        path: &["api", "segments"],
        scopes: &["segments:read"],
        limit: Limit::L,
        page_sizes: COLLECTION_PAGES,
        costly: &[],
    },
    Row {
        endpoint: Endpoint::Collection(Kind::Segment),
        name: "segment",
        path: &["api", "segments", ID],
        scopes: &["segments:read"],
        limit: Limit::L,
        page_sizes: None,
        costly: &[Parameter::ProfileCount(Kind::Segment)],
    },
    Row {
        endpoint: Endpoint::Members(Kind::Segment),
        name: "segment-profiles",
        path: &["api", "segments", ID, "profiles"],
        scopes: &["profiles:read", "segments:read"],
        limit: Limit::L,
        page_sizes: PROFILE_PAGES,
        costly: PREDICTIONS,
    },
    Row {
        endpoint: Endpoint::MemberIds(Kind::Segment),
        name: "segment-profile-ids",
        path: &["api", "segments", ID, "relationships", "profiles"],
        scopes: &["profiles:read", "segments:read"],
        limit: Limit::L,
        page_sizes: PROFILE_PAGES,
        costly: &[],
    },
    Row {
        endpoint: Endpoint::Profiles,
        name: "profiles",
        path: &["api", "profiles"],
        scopes: &["profiles:read"],
        limit: Limit::L,
        page_sizes: PROFILE_PAGES,
        costly: PREDICTIONS,
    },
    Row {
        endpoint: Endpoint::Profile,
        name: "profile",
        path: &["api", "profiles", ID],
        scopes: &["profiles:read"],
        limit: Limit::L,
        page_sizes: None,
        costly: &[
            Parameter::PredictiveAnalytics,
            Parameter::Include(Kind::List),
            Parameter::Include(Kind::Segment),
        ],
    },
];

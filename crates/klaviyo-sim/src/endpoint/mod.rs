//! The endpoints of the API, one row of a table each.
//!
//! A new endpoint is a variant of [`Endpoint`], a row of [`TABLE`], and the function that answers it, which
//! `read` calls.

mod limit;
mod parameter;
mod table;

use std::fmt;
use std::str::FromStr;

pub use self::limit::Limit;
pub use self::parameter::Parameter;
use self::table::{Row, TABLE};
use crate::kind::Kind;
use crate::query::Parameters;

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
    /// `POST /api/events`
    CreateEvent,
    /// `POST /api/event-bulk-create-jobs`
    CreateEvents,
    /// `GET /api/events`
    Events,
    /// `GET /api/metrics`
    Metrics,
    /// `PATCH /api/profiles/{id}`
    UpdateProfile,
    /// `POST /api/profile-import`
    UpsertProfile,
    /// `POST /api/profile-bulk-import-jobs`
    StartImport,
    /// `GET /api/profile-bulk-import-jobs/{id}`
    ImportJob,
    /// `GET /api/profile-bulk-import-jobs/{id}/import-errors`
    ImportErrors,
    /// `GET /api/profile-bulk-import-jobs/{id}/profiles`
    ImportedProfiles,
    /// `POST /api/lists/{id}/relationships/profiles`
    AddToList,
    /// `DELETE /api/lists/{id}/relationships/profiles`
    RemoveFromList,
    /// `POST /api/lists`
    CreateList,
    /// `GET /api/lists/{id}/flow-triggers`, and of segments
    CollectionFlows(Kind),
    /// `GET /api/metrics/{id}/flow-triggers`
    MetricFlows,
    /// `POST /api/profile-subscription-bulk-delete-jobs`
    Unsubscribe,
    /// `POST /api/profile-subscription-bulk-create-jobs`, which nothing of ours may call
    Subscribe,
    /// `POST /api/profile-suppression-bulk-create-jobs`, which nothing of ours may call
    Suppress,
    /// `POST /api/profile-suppression-bulk-delete-jobs`, which nothing of ours may call
    Unsuppress,
}

/// The endpoint that a path leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Route {
    pub(crate) endpoint: Endpoint,
    /// The id in the path, or an empty text.
    pub(crate) id: String,
}

impl Endpoint {
    /// Where a path leads with a method. A trailing slash makes no difference.
    pub(crate) fn route(method: &str, path: &[&str]) -> Option<Route> {
        let path = path.strip_suffix(&[""]).unwrap_or(path);
        let mut rows = TABLE.iter().filter(|row| row.method == method);
        rows.find_map(|row| {
            let id = row.id_in(path)?.to_owned();
            let endpoint = row.endpoint;
            Some(Route { endpoint, id })
        })
    }

    /// Whether a path leads somewhere with some method.
    pub(crate) fn is_path(path: &[&str]) -> bool {
        let path = path.strip_suffix(&[""]).unwrap_or(path);
        TABLE.iter().any(|row| row.id_in(path).is_some())
    }

    /// Whether its requests change something.
    pub(crate) fn is_write(self) -> bool {
        self.row().is_some_and(|row| row.method != "GET")
    }

    fn row(self) -> Option<&'static Row> {
        TABLE.iter().find(|row| row.endpoint == self)
    }

    /// The scopes that a key needs.
    pub fn scopes(self) -> &'static [&'static str] {
        self.row().map_or(&[], |row| row.scopes)
    }

    /// How often it may be asked.
    pub fn limit(self) -> Limit {
        self.row().map_or(Limit::NONE, |row| row.limit)
    }

    /// The page size if none is asked for, and the most; `None` where there are no pages.
    pub(crate) fn page_sizes(self) -> Option<(usize, usize)> {
        self.row()?.page_sizes
    }

    /// The costly parameters that a request makes use of.
    pub(crate) fn costly_in(self, parameters: &Parameters) -> Vec<Parameter> {
        let taken = self.row().map_or(&[][..], |row| row.costly).iter();
        taken
            .copied()
            .filter(|costly| costly.is_in(parameters))
            .collect()
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.row().map_or("", |row| row.name))
    }
}

/// A text that names no endpoint.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no endpoint; there are {names}", names = names())]
pub struct UnknownEndpoint(String);

fn names() -> String {
    let names: Vec<_> = TABLE.iter().map(|row| row.name).collect();
    names.join(", ")
}

impl FromStr for Endpoint {
    type Err = UnknownEndpoint;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let found = TABLE.iter().find(|row| row.name == text);
        found
            .map(|row| row.endpoint)
            .ok_or_else(|| UnknownEndpoint(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_endpoint_has_a_row_of_its_own() {
        let kinds = [Kind::List, Kind::Segment];
        let of_kind = kinds.into_iter().flat_map(|kind| {
            [
                Endpoint::Collections(kind),
                Endpoint::Collection(kind),
                Endpoint::Members(kind),
                Endpoint::MemberIds(kind),
                Endpoint::CollectionFlows(kind),
            ]
        });
        let others = [
            Endpoint::Accounts,
            Endpoint::Account,
            Endpoint::Profiles,
            Endpoint::Profile,
            Endpoint::CreateEvent,
            Endpoint::CreateEvents,
            Endpoint::Events,
            Endpoint::Metrics,
            Endpoint::UpdateProfile,
            Endpoint::UpsertProfile,
            Endpoint::StartImport,
            Endpoint::ImportJob,
            Endpoint::ImportErrors,
            Endpoint::ImportedProfiles,
            Endpoint::AddToList,
            Endpoint::RemoveFromList,
            Endpoint::CreateList,
            Endpoint::MetricFlows,
            Endpoint::Unsubscribe,
            Endpoint::Subscribe,
            Endpoint::Suppress,
            Endpoint::Unsuppress,
        ];
        let all: Vec<_> = of_kind.chain(others).collect();
        assert_eq!(all.len(), TABLE.len());
        for endpoint in all {
            assert_eq!(endpoint.to_string().parse(), Ok(endpoint));
        }
    }

    #[test]
    fn a_path_leads_to_one_endpoint() {
        let route = |path: &str| {
            let parts: Vec<_> = path.split('/').collect();
            Endpoint::route("GET", &parts).map(|route| (route.endpoint, route.id))
        };
        let found = |endpoint, id: &str| Some((endpoint, id.to_owned()));
        assert_eq!(route("api/accounts/"), found(Endpoint::Accounts, ""));
        assert_eq!(
            route("api/segments/AbC/profiles"),
            found(Endpoint::Members(Kind::Segment), "AbC")
        );
        assert_eq!(
            route("api/lists/X/relationships/profiles/"),
            found(Endpoint::MemberIds(Kind::List), "X")
        );
        assert_eq!(
            Endpoint::route(
                "DELETE",
                &["api", "lists", "X", "relationships", "profiles"]
            )
            .map(|route| route.endpoint),
            Some(Endpoint::RemoveFromList)
        );
        assert_eq!(Endpoint::route("PUT", &["api", "events"]), None);
        assert!(Endpoint::is_path(&["api", "events", ""]));
        assert_eq!(route("api/flows"), None);
        assert_eq!(route("api/lists/X/tags"), None);
        assert_eq!(
            route("api/lists//"),
            found(Endpoint::Collection(Kind::List), "")
        );
    }
}

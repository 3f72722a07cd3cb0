//! Answers of requests that are allowed and well-formed, one function for each endpoint.

mod accounts;
mod collections;
mod members;
mod profiles;
mod written;

use serde::Serialize;

use crate::endpoint::{Endpoint, Route};
use crate::query::{Cursor, CursorPosition, Page, PageQuery, Parameters, fingerprint};
use crate::refusal::Refusal;
use crate::state::Account;
use crate::switches::Switches;
use crate::wire::Links;

/// A request that may be answered, and what its answer is read from.
pub(crate) struct ReadContext<'a> {
    pub(crate) account: &'a Account,
    pub(crate) route: &'a Route,
    /// The path without a trailing slash.
    pub(crate) path: &'a str,
    pub(crate) parameters: &'a Parameters,
    /// `http://HOST:PORT`, as the client sees it.
    pub(crate) base: &'a str,
    /// Microseconds since the epoch.
    pub(crate) now: i64,
    pub(crate) switches: &'a Switches,
}

impl ReadContext<'_> {
    /// The answer's body.
    pub(crate) fn answer(&self) -> Result<Vec<u8>, Refusal> {
        match self.route.endpoint {
            Endpoint::Accounts => self.accounts(),
            Endpoint::Account => self.own_account(),
            Endpoint::Collections(kind) => self.collections(kind),
            Endpoint::Collection(kind) => self.collection(kind),
            Endpoint::Members(kind) => self.members(kind),
            Endpoint::MemberIds(kind) => self.member_ids(kind),
            Endpoint::Profiles => self.profiles(),
            Endpoint::Profile => self.profile(),
            Endpoint::Events => self.events(),
            Endpoint::Metrics => self.metrics(),
            Endpoint::CollectionFlows(kind) => self.flows_of(kind),
            Endpoint::MetricFlows => self.metric_flows(),
            Endpoint::ImportJob => self.import_job(),
            Endpoint::ImportErrors => self.import_errors(),
            Endpoint::ImportedProfiles => self.imported_profiles(),
            // The service gives these to `write`.
            Endpoint::CreateEvent
            | Endpoint::CreateEvents
            | Endpoint::UpdateProfile
            | Endpoint::UpsertProfile
            | Endpoint::StartImport
            | Endpoint::AddToList
            | Endpoint::RemoveFromList
            | Endpoint::CreateList
            | Endpoint::Unsubscribe
            | Endpoint::Subscribe
            | Endpoint::Suppress
            | Endpoint::Unsuppress => Err(Refusal::method("GET")),
        }
    }

    /// Which page the request asks for.
    fn page_query(&self, is_descending: bool) -> Result<PageQuery, Refusal> {
        let sizes = self.route.endpoint.page_sizes().unwrap_or((1, 1));
        let size = self.parameters.page_size(sizes)?;
        let cursor = match self.parameters.cursor() {
            None => None,
            Some(text) => Some(self.cursor(text).ok_or_else(Refusal::cursor)?),
        };
        Ok(PageQuery {
            is_descending,
            size,
            goes_back: cursor.as_ref().is_some_and(|cursor| !cursor.is_forward),
            from: cursor.map(|cursor| cursor.position),
        })
    }

    fn cursor(&self, text: &str) -> Option<Cursor> {
        let cursor = Cursor::decode(text)?;
        let age = self.now.saturating_sub(cursor.made);
        let life = self.switches.cursor_life.map(|life| life.as_micros());
        let is_alive = life.is_none_or(|life| i128::from(age) < life.cast_signed());
        let is_ours = cursor.made_for == self.fingerprint() || !self.switches.binds_cursors;
        (is_alive && is_ours).then_some(cursor)
    }

    fn fingerprint(&self) -> u64 {
        let get = |name| self.parameters.get(name).unwrap_or_default();
        fingerprint(&[self.path, get("filter"), get("sort")])
    }

    /// The links of a page, given the cursor positions of its first and last resources.
    fn links<T>(&self, page: &Page<T>, position: impl Fn(&T) -> CursorPosition) -> Links {
        let number = page_number(self.parameters);
        let link = |thing: Option<&T>, is_forward: bool| {
            let cursor = Cursor {
                position: position(thing?),
                is_forward,
                made: self.now,
                page: number.saturating_add(1),
                made_for: self.fingerprint(),
            };
            let text = if self.switches.has_odd_cursors {
                cursor.encode_oddly()
            } else {
                cursor.encode()
            };
            let query = self.parameters.with_cursor(&text);
            Some(format!("{}{}?{query}", self.base, self.path))
        };
        Links {
            itself: self.own_link(),
            next: link(page.items.last(), true).filter(|_| page.has_next),
            prev: link(page.items.first(), false).filter(|_| page.has_prev),
        }
    }

    fn own_link(&self) -> String {
        let query = self.parameters.encode();
        let separator = if query.is_empty() { "" } else { "?" };
        format!("{}{}{separator}{query}", self.base, self.path)
    }
}

/// The number of the page that is asked for, counted from 1 since the scan began.
pub(crate) fn page_number(parameters: &Parameters) -> u32 {
    let cursor = parameters.cursor().and_then(Cursor::decode);
    cursor.map_or(1, |cursor| cursor.page)
}

fn json(document: &impl Serialize) -> Result<Vec<u8>, Refusal> {
    // Nothing in a document can fail to be written.
    serde_json::to_vec(document).map_err(|_| Refusal::cursor())
}

//! What is asked: addresses of Klaviyo's API, with every parameter.

use fanfare_domain::ids::Cursor;
use fanfare_domain::ports::{Capability, KlaviyoError, MembersFrom};
use fanfare_domain::source::{CollectionKind, CollectionRef};
use url::Url;

use crate::origin::Origin;

/// The revision this program was written for; its answers' shapes depend on it.
pub(crate) const REVISION: &str = "2026-07-15";

/// Lists or segments on a page: Klaviyo's most.
const COLLECTIONS_PER_PAGE: &str = "10";

/// Profiles on a page: Klaviyo's most.
const PROFILES_PER_PAGE: &str = "100";

/// What a sync needs of a profile. Everything else stays with Klaviyo.
const PROFILE_FIELDS: &str = "email,phone_number,first_name,last_name,joined_group_at,updated";

/// A request to be made. All are `GET`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Request {
    pub(crate) url: Url,
    /// Whether it asks for a position in a collection, which Klaviyo may have forgotten.
    pub(crate) has_cursor: bool,
}

impl Request {
    fn new<'a>(
        origin: &Origin,
        path: impl IntoIterator<Item = &'a str>,
        parameters: &[(&str, &str)],
        cursor: Option<&Cursor>,
    ) -> Self {
        let mut url = origin.root().clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            // Each part is escaped as one: an id cannot climb out of its place.
            segments.pop_if_empty().push("api").extend(path);
        }
        {
            let mut query = url.query_pairs_mut();
            query.extend_pairs(parameters);
            if let Some(cursor) = cursor {
                query.append_pair("page[cursor]", cursor.as_str());
            }
        }
        Self {
            url,
            has_cursor: cursor.is_some(),
        }
    }

    /// Whose key it is. One harmless field: the account's address is nobody's business.
    pub(crate) fn account(origin: &Origin) -> Self {
        let parameters = [("fields[account]", "test_account")];
        Self::new(origin, ["accounts"], &parameters, None)
    }

    /// A page of lists or segments, in an order that a rename does not change.
    pub(crate) fn collections(
        origin: &Origin,
        kind: CollectionKind,
        cursor: Option<&Cursor>,
    ) -> Self {
        let parameters = [
            collection_fields(kind, false),
            ("sort", "id"),
            ("page[size]", COLLECTIONS_PER_PAGE),
        ];
        Self::new(origin, [plural(kind)], &parameters, cursor)
    }

    /// One list or segment, with or without its size.
    pub(crate) fn collection(
        origin: &Origin,
        of: &CollectionRef,
        count: bool,
    ) -> Result<Self, KlaviyoError> {
        let mut parameters = vec![collection_fields(of.kind, count)];
        if count {
            let name = match of.kind {
                CollectionKind::List => "additional-fields[list]",
                CollectionKind::Segment => "additional-fields[segment]",
            };
            parameters.push((name, "profile_count"));
        }
        let path = [plural(of.kind), place(of)?];
        Ok(Self::new(origin, path, &parameters, None))
    }

    /// A page of members by join time.
    pub(crate) fn members(
        origin: &Origin,
        of: &CollectionRef,
        from: &MembersFrom,
    ) -> Result<Self, KlaviyoError> {
        let filter = from.joined_from.map(|at| {
            format!(
                "greater-or-equal(joined_group_at,{})",
                at.to_whole_seconds()
            )
        });
        let mut parameters = vec![
            ("fields[profile]", PROFILE_FIELDS),
            ("sort", "joined_group_at"),
            ("page[size]", PROFILES_PER_PAGE),
        ];
        if let Some(filter) = &filter {
            parameters.push(("filter", filter));
        }
        let path = [plural(of.kind), place(of)?, "profiles"];
        Ok(Self::new(origin, path, &parameters, from.cursor.as_ref()))
    }

    /// The smallest request that needs the capability. None of its answer is a person's data.
    pub(crate) fn probe(origin: &Origin, capability: Capability) -> Self {
        let (path, fields) = match capability {
            Capability::ReadLists => ("lists", "fields[list]"),
            Capability::ReadProfiles => ("profiles", "fields[profile]"),
            Capability::ReadSegments => ("segments", "fields[segment]"),
        };
        let parameters = [(fields, "created"), ("page[size]", "1")];
        Self::new(origin, [path], &parameters, None)
    }
}

/// The id's part of a path. Dots alone name another place however they are escaped, so no address can
/// ask for such an id, and nothing has it.
fn place(of: &CollectionRef) -> Result<&str, KlaviyoError> {
    match of.id.as_str() {
        "." | ".." => Err(KlaviyoError::NotFound),
        id => Ok(id),
    }
}

const fn plural(kind: CollectionKind) -> &'static str {
    match kind {
        CollectionKind::List => "lists",
        CollectionKind::Segment => "segments",
    }
}

/// The sparse fieldset of a list or segment: a segment's definition can be large.
const fn collection_fields(kind: CollectionKind, count: bool) -> (&'static str, &'static str) {
    match (kind, count) {
        (CollectionKind::List, false) => ("fields[list]", "name,created,updated,opt_in_process"),
        (CollectionKind::List, true) => (
            "fields[list]",
            "name,created,updated,opt_in_process,profile_count",
        ),
        (CollectionKind::Segment, false) => (
            "fields[segment]",
            "name,created,updated,is_active,is_processing",
        ),
        (CollectionKind::Segment, true) => (
            "fields[segment]",
            "name,created,updated,is_active,is_processing,profile_count",
        ),
    }
}

//! `GET /api/lists`, `GET /api/segments`, and one list or segment by id.

use std::borrow::Cow;

use fanfare_domain::collection::{CollectionKind, CollectionRef};
use fanfare_domain::ids::{CollectionId, Cursor};
use fanfare_domain::klaviyo::{Collection, CollectionPage, KlaviyoError};
use serde::Deserialize;

use crate::document::{Many, Single, broken_id, parse};
use crate::lenient::{Object, Raw, time, value};
use crate::origin::Origin;
use crate::request::{Request, id_segment};

/// How many collections a page has: Klaviyo's maximum.
const PAGE_SIZE: &str = "10";

/// The attribute that holds the number of profiles.
const SIZE: &str = "profile_count";

/// Requests a page of collections, in an order that a rename does not change.
pub(crate) fn page_request(
    origin: &Origin,
    kind: CollectionKind,
    cursor: Option<&Cursor>,
) -> Request {
    let kind = kind.descriptor();
    let (name, attributes) = (format!("fields[{}]", kind.noun), kind.attributes.join(","));
    let parameters = [
        (name.as_str(), attributes.as_str()),
        ("sort", "id"),
        ("page[size]", PAGE_SIZE),
    ];
    Request::get(origin, [kind.path], &parameters, cursor)
}

/// Requests one collection, with or without its size. Only the attributes that are needed are requested, because
/// a segment's definition can be large.
pub(crate) fn request(
    origin: &Origin,
    of: &CollectionRef,
    count: bool,
) -> Result<Request, KlaviyoError> {
    let kind = of.kind.descriptor();
    let mut attributes = kind.attributes.join(",");
    let fields = format!("fields[{}]", kind.noun);
    let additional = format!("additional-fields[{}]", kind.noun);
    if count {
        attributes.push(',');
        attributes.push_str(SIZE);
    }
    let mut parameters = vec![(fields.as_str(), attributes.as_str())];
    if count {
        parameters.push((additional.as_str(), SIZE));
    }
    let path = [kind.path, id_segment(of)?];
    Ok(Request::get(origin, path, &parameters, None))
}

/// A list or segment.
#[derive(Deserialize)]
struct Resource<'a> {
    #[serde(borrow)]
    id: Cow<'a, str>,
    #[serde(borrow, default)]
    attributes: Object<Attributes<'a>>,
}

/// Attributes that were not requested are absent.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Attributes<'a> {
    #[serde(borrow)]
    name: Raw<'a>,
    #[serde(borrow)]
    created: Raw<'a>,
    #[serde(borrow)]
    updated: Raw<'a>,
    #[serde(borrow)]
    opt_in_process: Raw<'a>,
    #[serde(borrow)]
    is_active: Raw<'a>,
    #[serde(borrow)]
    is_processing: Raw<'a>,
    #[serde(borrow)]
    profile_count: Raw<'a>,
}

/// Reads a single collection.
pub(crate) fn read(body: &[u8], kind: CollectionKind) -> Result<Collection, KlaviyoError> {
    let document: Single<Resource<'_>> = parse(body)?;
    document.data.read(kind)
}

/// Reads a page of collections.
pub(crate) fn read_page(
    body: &[u8],
    kind: CollectionKind,
    origin: &Origin,
) -> Result<CollectionPage, KlaviyoError> {
    let document: Many<'_, Resource<'_>> = parse(body)?;
    let next = document.next(origin)?;
    let items = document
        .data
        .into_iter()
        .map(|resource| resource.read(kind))
        .collect::<Result<_, _>>()?;
    Ok(CollectionPage { items, next })
}

impl Resource<'_> {
    fn read(self, kind: CollectionKind) -> Result<Collection, KlaviyoError> {
        let attributes = self.attributes.0;
        Ok(Collection {
            id: CollectionId::parse(self.id).map_err(|_| broken_id(kind.noun()))?,
            name: value(attributes.name),
            created: time(attributes.created),
            updated: time(attributes.updated),
            opt_in_process: value(attributes.opt_in_process),
            is_active: value(attributes.is_active),
            is_processing: value(attributes.is_processing),
            // A number that no database can store is no count.
            profile_count: value(attributes.profile_count)
                .filter(|count| i64::try_from(*count).is_ok()),
        })
    }
}

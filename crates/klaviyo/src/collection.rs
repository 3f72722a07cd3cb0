//! `GET /api/lists`, `GET /api/segments`, and one list or segment by id.

use fanfare_domain::collection::{CollectionKind, CollectionRef};
use fanfare_domain::ids::{CollectionId, Cursor};
use fanfare_domain::klaviyo::{Collection, CollectionPage, KlaviyoError};

use crate::document::{Many, Single, broken_id, parse};
use crate::lenient::{Object, Raw, object, time, value};
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

object! {
    /// A list or segment.
    struct Resource<'a> {
        id: Raw<'a>,
        attributes: Object<Attributes<'a>>,
    }
}

object! {
    /// Attributes that were not requested are absent.
    struct Attributes<'a> {
        name: Raw<'a>,
        created: Raw<'a>,
        updated: Raw<'a>,
        opt_in_process: Raw<'a>,
        is_active: Raw<'a>,
        is_processing: Raw<'a>,
        profile_count: Raw<'a>,
    }
}

/// Reads a single collection.
pub(crate) fn read(text: &str, kind: CollectionKind) -> Result<Collection, KlaviyoError> {
    let resource: Object<Resource<'_>> = parse::<Single<'_>>(text)?.data()?;
    let collection = resource.0.read();
    collection.ok_or_else(|| broken_id(kind.noun()))
}

/// Reads a page of collections. One without a usable id costs itself and not the page: no user can choose it, and
/// nothing is removed for a list that is not shown.
pub(crate) fn read_page(text: &str, origin: &Origin) -> Result<CollectionPage, KlaviyoError> {
    let document: Many<'_, Object<Resource<'_>>> = parse(text)?;
    let next = document.next(origin)?;
    let items = document.data()?.iter();
    let items = items.filter_map(|resource| resource.0.read()).collect();
    Ok(CollectionPage { items, next })
}

impl Resource<'_> {
    /// The collection, if it has a usable id.
    fn read(&self) -> Option<Collection> {
        let attributes = &self.attributes.0;
        let time = |raw| time(raw).unwrap_or_default();
        Some(Collection {
            id: CollectionId::parse(value::<String>(self.id)?).ok()?,
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

//! Klaviyo's JSON:API documents: lists, segments, accounts, and where the next page begins.

use std::borrow::Cow;

use fanfare_domain::ids::{AccountId, CollectionId, Cursor};
use fanfare_domain::ports::{Account, Collection, CollectionPage, KlaviyoError};
use fanfare_domain::source::CollectionKind;
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;
use url::Url;

use crate::lenient::{Object, Raw, time, value};
use crate::origin::Origin;

/// A document with one resource.
#[derive(Deserialize)]
struct Single<T> {
    data: T,
}

/// A document with a page of resources.
#[derive(Deserialize)]
pub(crate) struct Many<'a, T> {
    pub(crate) data: Vec<T>,
    /// A document without an object of links is no page: taken for the last one, it would end a walk
    /// early.
    #[serde(borrow)]
    links: &'a RawValue,
}

/// The links of a page. `next` is `null` or absent after the last one.
#[derive(Deserialize)]
struct Links<'a> {
    #[serde(borrow, default)]
    next: Option<Cow<'a, str>>,
}

/// A list or segment.
#[derive(Deserialize)]
struct Resource<'a> {
    #[serde(borrow)]
    id: Cow<'a, str>,
    #[serde(borrow, default)]
    attributes: Object<Attributes<'a>>,
}

/// Attributes that were not asked for are absent.
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

#[derive(Deserialize)]
struct Identifier {
    id: String,
}

/// Reads a document, telling what is wrong by place and never by content.
pub(crate) fn parse<'a, T: Deserialize<'a>>(body: &'a [u8]) -> Result<T, KlaviyoError> {
    match body.trim_ascii_start().first() {
        None => return Err(KlaviyoError::Invalid("the body is empty".to_owned())),
        Some(b'{') => {}
        Some(_) => {
            return Err(KlaviyoError::Invalid(
                "it is not a JSON document".to_owned(),
            ));
        }
    }
    serde_json::from_slice(body).map_err(|error| {
        let what = match error.classify() {
            serde_json::error::Category::Data => "it has another shape than documented",
            serde_json::error::Category::Eof => "it is cut off",
            _ => "it is not JSON",
        };
        let (line, column) = (error.line(), error.column());
        KlaviyoError::Invalid(format!("{what} (line {line}, column {column})"))
    })
}

/// An account document. The key's own account is the only one in it.
pub(crate) fn account(body: &[u8]) -> Result<Account, KlaviyoError> {
    let document: Single<Vec<Identifier>> = parse(body)?;
    let [account] = <[Identifier; 1]>::try_from(document.data)
        .map_err(|_| KlaviyoError::Invalid("it does not name one account".to_owned()))?;
    let id = AccountId::parse(account.id).map_err(|_| broken_id("account"))?;
    Ok(Account { id })
}

/// A document that need only be one: what it holds was not asked for.
pub(crate) fn anything(body: &[u8]) -> Result<(), KlaviyoError> {
    parse::<Single<IgnoredAny>>(body).map(drop)
}

/// A single list or segment.
pub(crate) fn collection(body: &[u8], kind: CollectionKind) -> Result<Collection, KlaviyoError> {
    let document: Single<Resource<'_>> = parse(body)?;
    document.data.read(kind)
}

/// A page of lists or segments.
pub(crate) fn collections(
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
            profile_count: value(attributes.profile_count),
        })
    }
}

impl<T> Many<'_, T> {
    /// The cursor in the link to the next page; the rest of the link is what was asked anyway.
    pub(crate) fn next(&self, origin: &Origin) -> Result<Option<Cursor>, KlaviyoError> {
        let invalid =
            |what: &str| KlaviyoError::Invalid(format!("the link to the next page {what}"));
        let links = self.links.get();
        let links: Links<'_> = Some(links)
            .filter(|links| links.starts_with('{'))
            .and_then(|links| serde_json::from_str(links).ok())
            .ok_or_else(|| invalid("is not where it should be"))?;
        let Some(next) = links.next.as_deref() else {
            return Ok(None);
        };
        let url = Url::options()
            .base_url(Some(origin.root()))
            .parse(next)
            .map_err(|_| invalid("is not an address"))?;
        if !origin.is_of(&url) {
            return Err(KlaviyoError::ForeignLink);
        }
        let mut cursors = url
            .query_pairs()
            .filter_map(|(name, value)| (name == "page[cursor]").then_some(value));
        let (Some(cursor), None) = (cursors.next(), cursors.next()) else {
            return Err(invalid("has no cursor, or several"));
        };
        let cursor = Cursor::parse(cursor).map_err(|_| invalid("has an unusable cursor"))?;
        Ok(Some(cursor))
    }
}

pub(crate) fn broken_id(of: &str) -> KlaviyoError {
    KlaviyoError::Invalid(format!("a {of} in it has no usable id"))
}

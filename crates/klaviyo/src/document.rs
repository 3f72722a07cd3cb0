//! Klaviyo's JSON:API documents: their outer structure, and the cursor of the next page.

use std::borrow::Cow;

use fanfare_domain::ids::Cursor;
use fanfare_domain::klaviyo::KlaviyoError;
use serde::Deserialize;
use serde_json::value::RawValue;
use url::Url;

use crate::cursor;
use crate::origin::Origin;

/// A document with one resource.
#[derive(Deserialize)]
pub(crate) struct Single<T> {
    pub(crate) data: T,
}

/// A document with a page of resources.
#[derive(Deserialize)]
pub(crate) struct Many<'a, T> {
    pub(crate) data: Vec<T>,
    /// A document without an object of links is not a page: if it counted as the last page, a scan would end
    /// too early.
    #[serde(borrow)]
    links: &'a RawValue,
}

/// The links of a page. `next` is `null` or absent on the last page.
#[derive(Deserialize)]
struct Links<'a> {
    #[serde(borrow, default)]
    next: Option<Cow<'a, str>>,
}

/// Reads a document. An error names the position of what is wrong and never the content.
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

impl<T> Many<'_, T> {
    /// The cursor in the link to the next page. The rest of the link is the same as in the request.
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
        match cursor::of_link(next) {
            Ok(cursor) => Ok(Some(cursor)),
            Err(cursor::Unusable::NotOne) => Err(invalid("has no cursor, or several")),
            Err(cursor::Unusable::TooLong) => {
                Err(invalid("has a cursor that is too long for a request"))
            }
        }
    }
}

pub(crate) fn broken_id(of: &str) -> KlaviyoError {
    KlaviyoError::Invalid(format!("a {of} in it has no usable id"))
}

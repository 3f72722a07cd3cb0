//! Klaviyo's JSON:API documents: their outer structure, and the cursor of the next page.

use fanfare_domain::ids::Cursor;
use fanfare_domain::klaviyo::KlaviyoError;
use serde::Deserialize;
use serde_json::value::RawValue;
use url::Url;

use crate::cursor;
use crate::lenient::{Raw, object, value};
use crate::origin::Origin;

object! {
    /// A document with one resource, or with a few.
    pub(crate) struct Single<'a> {
        data: Raw<'a>,
    }
}

object! {
    /// A document with a page of resources.
    pub(crate) struct Many<'a, T> {
        data: Option<Vec<T>>,
        /// A document without an object of links is not a page: if it counted as the last page, a scan would end
        /// too early.
        links: Raw<'a>,
    }
}

object! {
    /// The links of a page. `next` is `null` or absent on the last page.
    struct Links<'a> {
        next: Raw<'a>,
    }
}

/// Reads a document. An error names the position of what is wrong and never the content.
pub(crate) fn parse<'a, T: Deserialize<'a>>(text: &'a str) -> Result<T, KlaviyoError> {
    match text.trim_ascii_start().as_bytes().first() {
        None => return Err(KlaviyoError::Invalid("the body is empty".to_owned())),
        Some(b'{') => {}
        Some(_) => {
            return Err(KlaviyoError::Invalid(
                "it is not a JSON document".to_owned(),
            ));
        }
    }
    decode(text)
}

fn decode<'a, T: Deserialize<'a>>(json: &'a str) -> Result<T, KlaviyoError> {
    serde_json::from_str(json).map_err(|error| {
        let what = match error.classify() {
            serde_json::error::Category::Data => "it has another shape than documented",
            serde_json::error::Category::Eof => "it is cut off",
            _ => "it is not JSON",
        };
        let (line, column) = (error.line(), error.column());
        KlaviyoError::Invalid(format!("{what} (line {line}, column {column})"))
    })
}

fn no_data() -> KlaviyoError {
    KlaviyoError::Invalid("it has no data".to_owned())
}

impl<'a> Single<'a> {
    /// What the document is about.
    pub(crate) fn data<T: Deserialize<'a>>(&self) -> Result<T, KlaviyoError> {
        decode(self.data.ok_or_else(no_data)?.get())
    }
}

impl<T> Many<'_, T> {
    /// The resources.
    pub(crate) fn data(&self) -> Result<&[T], KlaviyoError> {
        self.data.as_deref().ok_or_else(no_data)
    }

    /// The cursor in the link to the next page. The rest of the link is the same as in the request.
    pub(crate) fn next(&self, origin: &Origin) -> Result<Option<Cursor>, KlaviyoError> {
        let invalid =
            |what: &str| KlaviyoError::Invalid(format!("the link to the next page {what}"));
        let links = self.links.map(RawValue::get);
        let links: Links<'_> = links
            .filter(|links| links.starts_with('{'))
            .and_then(|links| serde_json::from_str(links).ok())
            .ok_or_else(|| invalid("is not where it should be"))?;
        if links.next.is_none() {
            return Ok(None);
        }
        let next = value::<String>(links.next).ok_or_else(|| invalid("is not an address"))?;
        let url = Url::options()
            .base_url(Some(origin.root()))
            .parse(&next)
            .map_err(|_| invalid("is not an address"))?;
        if !origin.is_of(&url) {
            return Err(KlaviyoError::ForeignLink);
        }
        match cursor::of_link(&next) {
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

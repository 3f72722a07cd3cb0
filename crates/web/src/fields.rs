//! The fields of an address and of a form, as a browser sends them: names and values, a name perhaps several times.

use std::time::Duration;

use actix_web::dev::Payload;
use actix_web::http::StatusCode;
use actix_web::web::{Bytes, BytesMut};
use actix_web::{FromRequest, HttpMessage, HttpRequest};
use fanfare_domain::paging::PageRequest;
use futures_util::StreamExt;
use futures_util::future::LocalBoxFuture;

use crate::error::PageError;
use crate::visitor::Visitor;

/// The largest form: a thousand ticked lists fit.
const MAX_FORM_BYTES: usize = 256 * 1024;

/// How long a browser may take to send a form.
const FORM_TIMEOUT: Duration = Duration::from_secs(15);

/// The longest text that is searched for, in characters.
const MAX_SEARCH_CHARS: usize = 200;

/// The shortest text that is searched for, in characters, as in the API.
const MIN_SEARCH_CHARS: usize = 2;

/// The longest key of a page, in bytes, as in the API's cursors.
const MAX_KEY_BYTES: usize = 2_048;

/// Names and values, in the order in which they were sent.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Fields(Vec<(String, String)>);

impl Fields {
    /// Reads the form that queries and forms share.
    pub(crate) fn parse(encoded: &[u8]) -> Self {
        Self(url::form_urlencoded::parse(encoded).into_owned().collect())
    }

    /// The first value of a name.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.iter()
            .find(|(of, _)| *of == name)
            .map(|(_, value)| value)
    }

    /// The first value of a name without white space around it; `None` if nothing is left.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.get(name)
            .map(str::trim)
            .filter(|text| !text.is_empty())
    }

    /// All values of a name.
    pub(crate) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        let values = self.0.iter().filter(move |(of, _)| of == name);
        values.map(|(_, value)| value.as_str())
    }

    /// Whether a box of this name was ticked.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    /// Every name and value.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// What is searched for, if it is long enough to be looked for.
    pub(crate) fn search(&self) -> Option<String> {
        let typed = self.text("search")?;
        let cut: String = typed.chars().take(MAX_SEARCH_CHARS).collect();
        (cut.chars().count() >= MIN_SEARCH_CHARS).then_some(cut)
    }

    /// What is written in the search field.
    pub(crate) fn typed_search(&self) -> &str {
        self.text("search").unwrap_or_default()
    }

    /// The page of a table that is asked for, of so many rows. A key that no page has shown is the beginning.
    pub(crate) fn page(&self, rows: u32) -> PageRequest {
        let is_key = |key: &&str| key.len() <= MAX_KEY_BYTES && !key.contains(char::is_control);
        PageRequest {
            first: rows,
            after: self.text("after").filter(is_key).map(str::to_owned),
        }
    }

    /// The same fields with this one set, or left out. Messages are shown once and never go on.
    pub(crate) fn set(&self, name: &str, value: Option<&str>) -> Self {
        let kept = self.iter().filter(|(of, _)| *of != name && *of != "notice");
        let set = kept.chain(value.map(|value| (name, value)));
        Self(
            set.map(|(of, value)| (of.to_owned(), value.to_owned()))
                .collect(),
        )
    }

    /// The fields as the query of an address.
    pub(crate) fn query(&self) -> String {
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        query.extend_pairs(self.iter());
        format!("?{}", query.finish())
    }
}

impl FromIterator<(String, String)> for Fields {
    fn from_iter<I: IntoIterator<Item = (String, String)>>(fields: I) -> Self {
        Self(fields.into_iter().collect())
    }
}

/// The fields of the address.
pub(crate) struct Query(pub(crate) Fields);

impl FromRequest for Query {
    type Error = PageError;
    type Future = std::future::Ready<Result<Self, PageError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let fields = Fields::parse(request.query_string().as_bytes());
        std::future::ready(Ok(Self(fields)))
    }
}

/// The fields of a form that a page of the visitor's own session has sent.
pub(crate) struct Form(pub(crate) Fields);

impl FromRequest for Form {
    type Error = PageError;
    type Future = LocalBoxFuture<'static, Result<Self, PageError>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let visitor = Visitor::of(request);
        let fields = read_form(request, payload);
        Box::pin(async move {
            let (visitor, fields) = (visitor?, fields.await?);
            if visitor.session.has_sent(fields.get("csrf")) {
                Ok(Self(fields))
            } else {
                Err(PageError::Forged)
            }
        })
    }
}

/// Reads a form's fields, whoever sent it.
pub(crate) fn read_form(
    request: &HttpRequest,
    payload: &mut Payload,
) -> LocalBoxFuture<'static, Result<Fields, PageError>> {
    let is_form = request
        .content_type()
        .eq_ignore_ascii_case("application/x-www-form-urlencoded");
    let payload = payload.take();
    Box::pin(async move {
        let body = tokio::time::timeout(FORM_TIMEOUT, read(payload)).await;
        let body = body.map_err(|_| PageError::Unusable(StatusCode::REQUEST_TIMEOUT))??;
        if is_form {
            Ok(Fields::parse(&body))
        } else if body.is_empty() {
            Ok(Fields::default())
        } else {
            Err(PageError::Unusable(StatusCode::UNSUPPORTED_MEDIA_TYPE))
        }
    })
}

async fn read(mut payload: Payload) -> Result<Bytes, PageError> {
    let mut bytes = BytesMut::new();
    while let Some(chunk) = payload.next().await {
        let chunk = chunk.map_err(|_| PageError::Unusable(StatusCode::BAD_REQUEST))?;
        if bytes.len() + chunk.len() > MAX_FORM_BYTES {
            return Err(PageError::Unusable(StatusCode::PAYLOAD_TOO_LARGE));
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes.freeze())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_keeps_its_fields_when_one_of_them_changes() {
        let fields = Fields::parse(b"search=a%26b&sort=name&after=old&notice=saved");
        assert_eq!(
            fields.set("after", Some("é 1")).query(),
            "?search=a%26b&sort=name&after=%C3%A9+1"
        );
        assert_eq!(fields.set("sort", None).query(), "?search=a%26b&after=old");
    }

    #[test]
    fn a_search_of_one_character_looks_for_nothing_and_stays_in_its_field() {
        let fields = Fields::parse(b"search=+a+");
        assert_eq!(fields.search(), None);
        assert_eq!(fields.typed_search(), "a");
        let long = Fields::parse(format!("search={}", "x".repeat(5_000)).as_bytes());
        assert_eq!(long.search().as_deref().map(str::len), Some(200));
    }

    #[test]
    fn a_key_that_no_page_has_shown_is_the_beginning() {
        assert_eq!(
            Fields::parse(b"after=cons_1").page(20).after.as_deref(),
            Some("cons_1")
        );
        assert_eq!(Fields::parse(b"after=a%00b").page(20).after, None);
        assert_eq!(Fields::parse(b"after=").page(20).after, None);
    }
}

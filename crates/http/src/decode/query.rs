//! Query strings.

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};
use deserr::Deserr;
use fanfare_domain::paging::PageRequest;
use serde_json::{Map, Value};
use url::form_urlencoded;
use utoipa::IntoParams;

use super::error::{DecodeError, InQuery};
use super::value::{Cursor, First};
use super::{Nothing, Request, decode};
use crate::error::{ApiError, Violation, Violations};

/// The parameters of a query string.
#[derive(Debug)]
pub(crate) struct Query<T>(pub(crate) T);

/// A query string without parameters.
pub(crate) type NoQuery = Query<Nothing>;

/// The parameters of a query string that asks for a page.
#[derive(Debug)]
pub(crate) struct PagedQuery<T>(pub(crate) T, pub(crate) PageRequest);

/// Which page is asked for.
#[derive(Deserr, IntoParams)]
#[deserr(error = DecodeError<InQuery>, deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct PageParameters {
    /// How many, at most 100; 20 if left out.
    #[deserr(default)]
    #[param(value_type = Option<u32>, minimum = 1, maximum = 100)]
    first: First<20, 100>,
    /// The `endCursor` of the page before.
    #[deserr(default)]
    #[param(value_type = Option<String>)]
    after: Option<Cursor>,
}

impl Request for PageParameters {}

impl<T: Request + Deserr<DecodeError<InQuery>>> FromRequest for Query<T> {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let decoded = Self::parse(request.query_string());
        ready(decoded.map_err(|violations| ApiError::invalid(&violations)))
    }
}

impl<T: Request + Deserr<DecodeError<InQuery>>> Query<T> {
    /// Decodes a query string.
    pub(crate) fn parse(query: &str) -> Result<Self, Violations> {
        let (parameters, violations) = parameters(query);
        decode(parameters.into(), violations).map(Self)
    }
}

impl<T: Request + Deserr<DecodeError<InQuery>>> FromRequest for PagedQuery<T> {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let decoded = Self::parse(request.query_string());
        ready(decoded.map_err(|violations| ApiError::invalid(&violations)))
    }
}

impl<T: Request + Deserr<DecodeError<InQuery>>> PagedQuery<T> {
    /// Decodes a query string.
    pub(crate) fn parse(query: &str) -> Result<Self, Violations> {
        let (mut parameters, violations) = parameters(query);
        let of_page = ["first", "after"].into_iter();
        let of_page = of_page
            .filter_map(|name| parameters.remove_entry(name))
            .collect();
        let page = decode::<PageParameters, InQuery>(Value::Object(of_page), violations);
        let decoded = decode(parameters.into(), Violations::default());
        match (page, decoded) {
            (Ok(page), Ok(decoded)) => Ok(Self(decoded, page.into())),
            (page, decoded) => {
                let mut violations = page.err().unwrap_or_default();
                violations.append(decoded.err().unwrap_or_default());
                Err(violations)
            }
        }
    }
}

impl From<PageParameters> for PageRequest {
    fn from(parameters: PageParameters) -> Self {
        Self {
            first: parameters.first.0,
            after: parameters.after.map(|cursor| cursor.0),
        }
    }
}

/// The parameters that were sent, and the violations of those that were sent twice.
fn parameters(query: &str) -> (Map<String, Value>, Violations) {
    let (mut parameters, mut violations) = (Map::new(), Violations::default());
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        let before = parameters.insert(name.to_string(), Value::from(value.as_ref()));
        if before.is_some() {
            let message = "is given more than once".to_owned();
            violations.add(Violation::of_name(Vec::new(), &name, "once", message));
        }
    }
    (parameters, violations)
}

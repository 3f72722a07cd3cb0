//! Query strings.

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};
use fanfare_domain::paging::PageRequest;
use serde_json::{Map, Value};
use url::form_urlencoded;
use utoipa::IntoParams;

use super::object::Object;
use crate::cursor;
use crate::error::ApiError;
use crate::error::Violations;

/// A query string that was sent.
#[derive(Debug)]
pub(crate) struct Query {
    parameters: Map<String, Value>,
    /// Those given more than once.
    twice: Vec<String>,
}

/// That a route takes no parameters: any is a violation.
#[derive(Debug)]
pub(crate) struct NoQuery;

/// What is asked for of a page.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "describes parameters that are decoded by hand")]
pub(crate) struct PageParams {
    /// How many, at most 100; 20 if left out.
    #[param(minimum = 1, maximum = 100)]
    first: Option<u32>,
    /// The `endCursor` of the page before.
    after: Option<String>,
}

/// What is asked for beside an audience.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "describes parameters that are decoded by hand")]
pub(crate) struct IncludeParams {
    /// `primarySyncSource` to see the sync source too. `rules` and `imports` are always there.
    include: Option<String>,
}

/// How many items a page has by default, and at most.
const DEFAULT_FIRST: u32 = 20;
const MAX_FIRST: u32 = 100;

/// Shortest text to search for, in characters.
const MIN_SEARCH: usize = 2;
const MAX_SEARCH: usize = 255;

impl Query {
    fn parse(text: &str) -> Self {
        let (mut parameters, mut twice) = (Map::new(), Vec::new());
        for (name, value) in form_urlencoded::parse(text.as_bytes()) {
            let before = parameters.insert(name.to_string(), Value::from(value.as_ref()));
            if before.is_some() {
                twice.push(name.into_owned());
            }
        }
        Self { parameters, twice }
    }

    /// Decodes the parameters. `decode` takes those it knows; any other is a violation.
    pub(crate) fn decode<T>(
        self,
        decode: impl FnOnce(&mut Object, &mut Violations) -> Option<T>,
    ) -> Result<T, ApiError> {
        let mut violations = Violations::default();
        let mut parameters = Object::of_query(self.parameters);
        for name in self.twice {
            parameters.refuse_repeated(&name, &mut violations);
        }
        let decoded = decode(&mut parameters, &mut violations);
        parameters.finish(&mut violations);
        violations.or(decoded)
    }
}

/// `first` and `after`.
pub(crate) fn page(query: &mut Object, violations: &mut Violations) -> Option<PageRequest> {
    let first = match query.take("first").present() {
        Some(first) => first.digits(1..=MAX_FIRST, violations),
        None => Some(DEFAULT_FIRST),
    };
    let after = match query.take("after").present() {
        Some(after) => {
            let read = |text: &str| {
                cursor::decode(text)
                    .ok_or("is not a cursor; send the endCursor of a page as it was")
            };
            after.parsed("cursor", "cursor", read, violations).map(Some)
        }
        None => Some(None),
    };
    Some(PageRequest {
        first: first?,
        after: after?,
    })
}

/// `search`.
#[expect(
    clippy::option_option,
    reason = "whether it is right, and whether it is there"
)]
pub(crate) fn search(query: &mut Object, violations: &mut Violations) -> Option<Option<String>> {
    // What is searched for is somebody's name, address or number: a violation does not echo it.
    match query.take("search").masked().present() {
        Some(search) => search.text(MIN_SEARCH..=MAX_SEARCH, violations).map(Some),
        None => Some(None),
    }
}

/// `include`: which of `known` are asked for.
pub(crate) fn include<'k>(
    query: &mut Object,
    known: &[&'k str],
    violations: &mut Violations,
) -> Option<Vec<&'k str>> {
    let Some(include) = query.take("include").present() else {
        return Some(Vec::new());
    };
    let find = |text: &str| -> Result<Vec<&'k str>, String> {
        text.split(',')
            .map(|name| {
                let found = known.iter().find(|known| **known == name.trim()).copied();
                found.ok_or_else(|| format!("can include {}", known.join(", ")))
            })
            .collect()
    };
    include.parsed("picklist", &known.join(" | "), find, violations)
}

impl FromRequest for Query {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Ok(Self::parse(request.query_string())))
    }
}

impl FromRequest for NoQuery {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Query::parse(request.query_string()).decode(|_, _| Some(Self)))
    }
}

//! Query strings.

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};
use deserr::Deserr;
use serde_json::{Map, Value};
use url::form_urlencoded;

use super::error::{DecodeError, InQuery};
use super::{Nothing, Request, decode};
use crate::error::{ApiError, Violation, Violations};

/// The parameters of a query string.
#[derive(Debug)]
pub(crate) struct Query<T>(pub(crate) T);

/// A query string without parameters.
pub(crate) type NoQuery = Query<Nothing>;

impl<T: Request + Deserr<DecodeError<InQuery>>> FromRequest for Query<T> {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let (mut parameters, mut violations) = (Map::new(), Violations::default());
        for (name, value) in form_urlencoded::parse(request.query_string().as_bytes()) {
            let before = parameters.insert(name.to_string(), Value::from(value.as_ref()));
            if before.is_some() {
                let message = "is given more than once".to_owned();
                violations.add(Violation::of_name(Vec::new(), &name, "once", message));
            }
        }
        let decoded = decode(Value::Object(parameters), violations);
        ready(
            decoded
                .map(Self)
                .map_err(|violations| ApiError::invalid(&violations)),
        )
    }
}

//! Who asks, and whether they may.

use std::future::{Ready, ready};
use std::ops::Deref;

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{Payload, ServiceRequest, ServiceResponse};
use actix_web::http::header::{AUTHORIZATION, HeaderMap};
use actix_web::middleware::Next;
use actix_web::{Error, FromRequest, HttpMessage, HttpRequest, web};
use fanfare_domain::organization::Role;
use fanfare_sync::{Caller, Integration};
use secrecy::SecretString;

use super::RateLimiter;
use crate::error::ApiError;

/// Who asks.
#[derive(Debug, Clone)]
pub(crate) struct By(Caller);

impl By {
    /// The name that records bear as their author: the key's id, which is not the key.
    pub(crate) fn actor(&self) -> String {
        self.0.key.to_string()
    }
}

impl Deref for By {
    type Target = Caller;

    fn deref(&self) -> &Caller {
        &self.0
    }
}

impl FromRequest for By {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let by = request.extensions().get::<Self>().cloned();
        ready(by.ok_or_else(|| ApiError::internal("a handler was reached without authentication")))
    }
}

/// Lets in whoever shows a secret key that is one, as often as the organization may ask.
pub(crate) async fn authenticate(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    match admit(&request).await {
        Ok(by) => {
            request.extensions_mut().insert(by);
            Ok(next.call(request).await?.map_into_boxed_body())
        }
        Err(error) => Ok(request.error_response(error)),
    }
}

async fn admit(request: &ServiceRequest) -> Result<By, ApiError> {
    let cases = request.app_data::<web::Data<Integration>>();
    let limiter = request.app_data::<web::Data<RateLimiter>>();
    let (Some(cases), Some(limiter)) = (cases, limiter) else {
        return Err(ApiError::internal(
            "the API was put together without its parts",
        ));
    };
    let secret = secret_key(request.headers())?;
    let caller = cases.authenticate(&secret).await?.ok_or_else(|| {
        ApiError::authentication_required("The secret key is unknown or has been revoked.")
    })?;
    let spent = limiter.spend(&caller.organization, cases.clock().now());
    request.extensions_mut().insert(spent);
    // Known from here on, for the log too.
    request.extensions_mut().insert(By(caller.clone()));
    spent.refusal().map_or(Ok(By(caller)), Err)
}

fn secret_key(headers: &HeaderMap) -> Result<SecretString, ApiError> {
    let Some(credentials) = headers.get(AUTHORIZATION) else {
        return Err(if headers.contains_key("x-publishable-key") {
            ApiError::secret_key_required()
        } else {
            ApiError::authentication_required("Send Authorization: Bearer sk_…")
        });
    };
    let token = credentials.to_str().ok().and_then(|credentials| {
        let (scheme, token) = credentials.trim().split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
    });
    match token {
        Some(token) if token.starts_with("sk_") => Ok(SecretString::from(token)),
        _ => Err(ApiError::secret_key_required()),
    }
}

/// Lets through whose role is `needed` or more.
pub(crate) async fn require(
    needed: Role,
    request: ServiceRequest,
    next: Next<BoxBody>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let held = request.extensions().get::<By>().map(|by| by.role);
    match held {
        Some(held) if held >= needed => next.call(request).await,
        Some(held) => Ok(request.error_response(ApiError::forbidden(needed, held))),
        None => Ok(request.error_response(ApiError::authentication_required(
            "Send Authorization: Bearer sk_…",
        ))),
    }
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::{HeaderName, HeaderValue};
    use actix_web::test::TestRequest;
    use secrecy::ExposeSecret;

    use super::*;

    fn check(header: (&'static str, &str), want: Result<&str, &str>) {
        let header = (
            HeaderName::from_static(header.0),
            HeaderValue::from_str(header.1).unwrap(),
        );
        let request = TestRequest::default().insert_header(header).to_request();
        let got = secret_key(request.headers());
        let got = got.as_ref().map(ExposeSecret::expose_secret);
        assert_eq!(
            got.map_err(ToString::to_string),
            want.map_err(str::to_owned)
        );
    }

    #[test]
    fn only_a_secret_key_as_bearer_is_taken() {
        check(("authorization", "Bearer sk_live_1"), Ok("sk_live_1"));
        check(("authorization", "bearer  sk_test_1 "), Ok("sk_test_1"));
        check(
            ("authorization", "Bearer pk_live_1"),
            Err("Secret key required"),
        );
        check(
            ("authorization", "Basic c2tfbGl2ZQ=="),
            Err("Secret key required"),
        );
        check(("authorization", "sk_live_1"), Err("Secret key required"));
        check(
            ("x-publishable-key", "pk_live_1"),
            Err("Secret key required"),
        );
        check(("accept", "*/*"), Err("Authentication required"));
    }
}

//! How a route knows its caller, and whether the caller may use it.

use std::future::{Ready, ready};
use std::ops::Deref;

use actix_web::body::BoxBody;
use actix_web::dev::{Payload, ServiceRequest, ServiceResponse};
use actix_web::http::header::{AUTHORIZATION, HeaderMap};
use actix_web::middleware::Next;
use actix_web::{Error, FromRequest, HttpMessage, HttpRequest, web};
use fanfare_domain::ids::OrganizationId;
use fanfare_domain::organization::Role;
use fanfare_domain::rate_limit::Counted;
use fanfare_sync::{Caller, Integration};
use secrecy::SecretString;

use super::answer::{UnderWay, count_until_sent};
use super::compression::compressed;
use super::connections::Connection;
use super::{Concurrency, RateLimiter};
use crate::error::ApiError;
use crate::server::TimeLimits;

/// How a route knows its caller. Every use is an exhaustive match, so that a new variant shows the
/// places that have to know it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Authentication {
    /// A secret key of an organization, whose role is this one or a higher one.
    SecretKey(Role),
    /// The same at the door: the key may have been revoked a second ago, and the request counts as a check.
    Door(Role),
    /// The route is open to every caller.
    None,
}

impl Authentication {
    /// The same authentication, with the lowest role that passes it.
    pub(crate) const fn weakest(self) -> Self {
        match self {
            Self::SecretKey(_) | Self::Door(_) => Self::SecretKey(Role::Viewer),
            Self::None => Self::None,
        }
    }
}

/// The organization that a request is counted for, once its caller is known.
#[derive(Debug, Clone)]
pub(super) struct Asking(pub(super) OrganizationId);

/// The caller of a route with authentication.
#[derive(Debug, Clone)]
pub(crate) struct Principal(Caller);

impl Principal {
    /// The name that records bear as their author: the key's id, which is not the key.
    pub(crate) fn actor(&self) -> String {
        self.key.to_string()
    }
}

impl Deref for Principal {
    type Target = Caller;

    fn deref(&self) -> &Caller {
        &self.0
    }
}

impl FromRequest for Principal {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let principal = request.extensions().get::<Self>().cloned();
        ready(
            principal
                .ok_or_else(|| ApiError::internal("a handler was reached without authentication")),
        )
    }
}

/// Lets a request through that passes the authentication of its route.
pub(crate) async fn authenticate(
    authentication: Authentication,
    request: ServiceRequest,
    next: Next<BoxBody>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let (needed, counted) = match authentication {
        Authentication::SecretKey(needed) => (needed, Counted::Requests),
        Authentication::Door(needed) => (needed, Counted::Checks),
        Authentication::None => return Ok(compressed(next.call(request).await?)),
    };
    let limits = request.app_data::<web::Data<TimeLimits>>().cloned();
    let concurrency = request.app_data::<web::Data<Concurrency>>().cloned();
    let (Some(limits), Some(concurrency)) = (limits, concurrency) else {
        return Ok(request.error_response(put_together_wrong()));
    };
    match admit_secret_key(&request, &concurrency, needed, counted).await {
        Ok((organization, under_way)) => {
            let answer = next.call(request).await?;
            let shares = (concurrency.as_ref(), &organization);
            Ok(count_until_sent(answer, under_way, limits.answer, shares))
        }
        Err(error) => Ok(request.error_response(error)),
    }
}

/// Admits a secret key that is known and has the role, within the limits of its organization.
async fn admit_secret_key(
    request: &ServiceRequest,
    concurrency: &Concurrency,
    needed: Role,
    counted: Counted,
) -> Result<(OrganizationId, UnderWay), ApiError> {
    let application = request.app_data::<web::Data<Integration>>();
    let application = application.ok_or_else(put_together_wrong)?;
    let secret = secret_key(request.headers())?;
    let caller = match counted {
        Counted::Requests => application.authenticate(&secret).await?,
        Counted::Checks => application.authenticate_at_door(&secret).await?,
    };
    let caller = caller.ok_or_else(|| {
        ApiError::authentication_required("The secret key is unknown or has been revoked.")
    })?;
    request.extensions_mut().insert(Principal(caller.clone()));
    let under_way = admit(request, concurrency, &caller, needed, counted).await?;
    Ok((caller.organization, under_way))
}

/// Admits a caller who has the role, within the limits of its organization.
pub(super) async fn admit(
    request: &ServiceRequest,
    concurrency: &Concurrency,
    caller: &Caller,
    needed: Role,
    counted: Counted,
) -> Result<UnderWay, ApiError> {
    let application = request.app_data::<web::Data<Integration>>();
    let limiter = request.app_data::<web::Data<RateLimiter>>();
    let (Some(application), Some(limiter)) = (application, limiter) else {
        return Err(put_together_wrong());
    };
    let organization = &caller.organization;
    // The log line and the headers of a refusal need both.
    request
        .extensions_mut()
        .insert(Asking(organization.clone()));
    let used = limiter.count(application, organization, counted, 1).await;
    request.extensions_mut().insert(used);
    if let Some(error) = used.refusal() {
        return Err(error);
    }
    if caller.role < needed {
        return Err(ApiError::forbidden(needed, caller.role));
    }
    let permit = concurrency.begin(counted, organization).await?;
    let busy = request.conn_data::<Connection>().map(Connection::begin);
    Ok(UnderWay { permit, busy })
}

pub(super) fn put_together_wrong() -> ApiError {
    ApiError::internal("the API was put together without its parts")
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

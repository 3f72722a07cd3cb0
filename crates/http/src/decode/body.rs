//! Bodies: JSON, of bounded size.

use actix_web::dev::Payload;
use actix_web::http::header;
use actix_web::web::{Bytes, BytesMut, Data};
use actix_web::{FromRequest, HttpMessage, HttpRequest};
use deserr::Deserr;
use fanfare_domain::ids::OrganizationId;
use futures_util::StreamExt;
use futures_util::future::LocalBoxFuture;
use serde_json::{Map, Value};

use super::error::{DecodeError, InBody};
use super::{Request, decode};
use crate::error::{ApiError, Violation, Violations};
use crate::middleware::{Concurrency, Permit, Principal};
use crate::server::TimeLimits;

/// The largest body, in bytes: 1 MB.
pub(crate) const MAX_BODY_BYTES: usize = 1_000_000;

/// How much of a body that is too large is read and dropped, so that a client that sends before it
/// reads gets to see the answer.
const MAX_DROPPED_BYTES: usize = 16 * MAX_BODY_BYTES;

/// The bytes of a body as they were sent, at most [`MAX_BODY_BYTES`], with the room that they take.
struct RawBody {
    bytes: Bytes,
    _held: Vec<Permit>,
}

/// A body that must be there, or with `MAY_BE_EMPTY` one whose absence is an empty object.
#[derive(Debug)]
pub(crate) struct Body<T, const MAY_BE_EMPTY: bool = false>(pub(crate) T);

/// A body that may be left out.
pub(crate) type OptionalBody<T> = Body<T, true>;

/// A body as it was signed, byte for byte, of a caller whom its signature will tell.
pub(crate) struct SignedBody {
    /// The bytes.
    pub(crate) bytes: Bytes,
    _held: Vec<Permit>,
}

/// Whose room large bodies take of callers who are not known yet: all of them share it.
const UNKNOWN_CALLERS: &str = "unknown_callers";

impl FromRequest for SignedBody {
    type Error = ApiError;
    type Future = LocalBoxFuture<'static, Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let shared = OrganizationId::parse(UNKNOWN_CALLERS).ok();
        let body = RawBody::take(request, payload, shared);
        Box::pin(async move {
            let RawBody { bytes, _held: held } = body.await?;
            Ok(Self { bytes, _held: held })
        })
    }
}

impl RawBody {
    /// The body of a request, in the room of an organization.
    fn take(
        request: &HttpRequest,
        payload: &mut Payload,
        organization: Option<OrganizationId>,
    ) -> LocalBoxFuture<'static, Result<Self, ApiError>> {
        let payload = payload.take();
        let shares = request.app_data::<Data<Concurrency>>().cloned();
        let room = shares.zip(organization);
        let limits = request.app_data::<Data<TimeLimits>>();
        let limit = limits
            .map_or_else(TimeLimits::default, |limits| ***limits)
            .body;
        Box::pin(async move {
            let body = tokio::time::timeout(limit, read(payload, room)).await;
            body.map_err(|_| ApiError::body_timeout(limit))?
        })
    }
}

impl FromRequest for RawBody {
    type Error = ApiError;
    type Future = LocalBoxFuture<'static, Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let principal = request.extensions().get::<Principal>().cloned();
        let organization = principal.map(|principal| principal.organization.clone());
        Self::take(request, payload, organization)
    }
}

impl<T, const MAY_BE_EMPTY: bool> FromRequest for Body<T, MAY_BE_EMPTY>
where
    T: Request + Deserr<DecodeError<InBody>>,
{
    type Error = ApiError;
    type Future = LocalBoxFuture<'static, Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let (request, body) = (request.clone(), RawBody::from_request(request, payload));
        Box::pin(async move {
            let body = body.await?;
            if !body.bytes.is_empty() && !is_json(&request) {
                return Err(ApiError::unsupported_media_type());
            }
            Self::parse(&body.bytes)
        })
    }
}

impl<T, const MAY_BE_EMPTY: bool> Body<T, MAY_BE_EMPTY>
where
    T: Request + Deserr<DecodeError<InBody>>,
{
    /// Decodes the bytes of a body.
    pub(crate) fn parse(body: &[u8]) -> Result<Self, ApiError> {
        let value: Value = match body {
            [] if MAY_BE_EMPTY => Map::new().into(),
            [] => return Err(not_json("the body is empty; send a JSON object")),
            body => serde_json::from_slice(body)
                .map_err(|error| not_json(format!("the body is not JSON: {error}")))?,
        };
        let decoded = decode(value, Violations::default());
        decoded
            .map(Self)
            .map_err(|violations| ApiError::invalid(&violations))
    }
}

fn is_json(request: &HttpRequest) -> bool {
    if !request.headers().contains_key(header::CONTENT_TYPE) {
        return false;
    }
    let content_type = request.content_type();
    content_type.eq_ignore_ascii_case("application/json")
        || content_type.to_ascii_lowercase().ends_with("+json")
}

/// Reads a body, which takes room of its organization's as it grows.
async fn read(
    mut payload: Payload,
    room: Option<(Data<Concurrency>, OrganizationId)>,
) -> Result<RawBody, ApiError> {
    let (mut bytes, mut held) = (BytesMut::new(), Vec::new());
    let mut length = 0;
    while let Some(chunk) = payload.next().await {
        let chunk = chunk.map_err(|_| not_json("the body ended early or could not be read"))?;
        length += chunk.len();
        if length > MAX_DROPPED_BYTES {
            break;
        }
        if length <= MAX_BODY_BYTES {
            if let Some((shares, organization)) = &room {
                held.extend(shares.hold_bytes(organization, bytes.len(), length)?);
            }
            bytes.extend_from_slice(&chunk);
        }
    }
    if length > MAX_BODY_BYTES {
        return Err(ApiError::too_large(MAX_BODY_BYTES));
    }
    Ok(RawBody {
        bytes: bytes.freeze(),
        _held: held,
    })
}

fn not_json(message: impl Into<String>) -> ApiError {
    let violation = Violation::new(Vec::new(), "json", "JSON", "unknown", message);
    ApiError::invalid(&violation.into())
}

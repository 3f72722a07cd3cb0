//! Bodies: JSON, of bounded size.

use actix_web::dev::Payload;
use actix_web::http::header;
use actix_web::web::{Bytes, BytesMut};
use actix_web::{FromRequest, HttpMessage, HttpRequest};
use futures_util::StreamExt;
use futures_util::future::LocalBoxFuture;
use serde_json::Value;

use super::node::Node;
use super::object::Object;
use crate::error::ApiError;
use crate::error::{Violation, Violations};

/// The largest body, in bytes: 1 MB.
pub(crate) const MAX_BODY_BYTES: usize = 1_000_000;

/// How much of a body that is too large is read and dropped, so that a client that sends before it
/// reads gets to see the answer.
const MAX_DROPPED_BYTES: usize = 16 * MAX_BODY_BYTES;

/// A body that was read; `None` if there was none.
#[derive(Debug)]
pub(crate) struct Body(Option<Value>);

impl Body {
    /// Decodes a body that must be there. `decode` takes the members it knows; any other is a
    /// violation.
    pub(crate) fn decode<T>(
        self,
        decode: impl FnOnce(&mut Object, &mut Violations) -> Option<T>,
    ) -> Result<T, ApiError> {
        let Some(value) = self.0 else {
            return Err(ApiError::invalid(&not_json(
                "the body is empty; send a JSON object",
            )));
        };
        let mut violations = Violations::default();
        let decoded = Node::root(value)
            .object(&mut violations)
            .and_then(|mut body| {
                let decoded = decode(&mut body, &mut violations);
                body.finish(&mut violations);
                decoded
            });
        violations.or(decoded)
    }

    /// Decodes a body that may be left out, which is the same as an empty object.
    pub(crate) fn decode_optional<T>(
        self,
        decode: impl FnOnce(&mut Object, &mut Violations) -> Option<T>,
    ) -> Result<T, ApiError> {
        Self(
            self.0
                .or_else(|| Some(Value::Object(serde_json::Map::new()))),
        )
        .decode(decode)
    }
}

impl FromRequest for Body {
    type Error = ApiError;
    type Future = LocalBoxFuture<'static, Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let request = request.clone();
        let payload = payload.take();
        Box::pin(async move {
            let bytes = read(payload).await?;
            if bytes.is_empty() {
                return Ok(Self(None));
            }
            if !is_json(&request) {
                return Err(ApiError::unsupported_media_type());
            }
            match serde_json::from_slice(&bytes) {
                Ok(value) => Ok(Self(Some(value))),
                Err(error) => {
                    let message = format!("the body is not JSON: {error}");
                    Err(ApiError::invalid(&not_json(message)))
                }
            }
        })
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

async fn read(mut payload: Payload) -> Result<Bytes, ApiError> {
    let mut bytes = BytesMut::new();
    let mut length = 0;
    while let Some(chunk) = payload.next().await {
        let chunk = chunk.map_err(|_| {
            ApiError::invalid(&not_json("the body ended early or could not be read"))
        })?;
        length += chunk.len();
        if length > MAX_DROPPED_BYTES {
            break;
        }
        if length <= MAX_BODY_BYTES {
            bytes.extend_from_slice(&chunk);
        }
    }
    if length > MAX_BODY_BYTES {
        return Err(ApiError::too_large(MAX_BODY_BYTES));
    }
    Ok(bytes.freeze())
}

fn not_json(message: impl Into<String>) -> Violations {
    Violations::from(Violation {
        path: Vec::new(),
        rule: "json",
        expected: "JSON".to_owned(),
        received: "unknown".to_owned(),
        message: message.into(),
    })
}

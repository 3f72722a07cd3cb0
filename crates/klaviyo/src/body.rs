//! Reading bodies of a limited size.

use fanfare_domain::ports::{AnswerRoom, KlaviyoError};
use reqwest::Response;

/// The largest body of an answer, decompressed, in bytes. A page of a hundred profiles with 64 KiB in each of
/// their four texts, escaped, still fits. Reading a compressed body stops at this size.
pub(crate) const MAX_BODY_BYTES: usize = 32 << 20;

/// The largest body of a refusal, decompressed, in bytes. Only its error codes and scopes are needed.
pub(crate) const MAX_REFUSAL_BYTES: usize = 64 << 10;

/// The largest body of an answer that is no page of members, decompressed, in bytes: ten lists, or one.
pub(crate) const MAX_DOCUMENT_BYTES: usize = 1 << 20;

/// The most memory that is taken because of a `Content-Length`, in bytes.
const MAX_TRUSTED_LENGTH: usize = 1 << 20;

/// Reads a body of at most `max` bytes, decompressed, as far as there is room for it.
pub(crate) async fn read(
    mut response: Response,
    max: usize,
    room: &dyn AnswerRoom,
) -> Result<Vec<u8>, KlaviyoError> {
    let announced = usize::try_from(response.content_length().unwrap_or(0)).unwrap_or(max);
    let mut body = Vec::new();
    grow(&mut body, announced.min(max).min(MAX_TRUSTED_LENGTH), room)?;
    while let Some(chunk) = response.chunk().await.map_err(|error| cut_off(&error))? {
        let length = body.len() + chunk.len();
        if length > max {
            return Err(KlaviyoError::Invalid(format!(
                "the body is larger than {} MiB",
                max >> 20
            )));
        }
        if length > body.capacity() {
            let half_more = body.capacity() + body.capacity() / 2;
            grow(&mut body, length.max(half_more.min(max)), room)?;
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

fn grow(body: &mut Vec<u8>, to: usize, room: &dyn AnswerRoom) -> Result<(), KlaviyoError> {
    if !room.grow_to(to) {
        return Err(KlaviyoError::NoRoom(to));
    }
    body.reserve_exact(to - body.len());
    Ok(())
}

/// The error for a body that is incomplete or cannot be decompressed. A connection that breaks here looks the
/// same as a server that sent too little.
fn cut_off(error: &reqwest::Error) -> KlaviyoError {
    if error.is_timeout() {
        KlaviyoError::Unavailable("the answer did not arrive in time".to_owned())
    } else {
        KlaviyoError::Invalid("the body is cut off or cannot be decompressed".to_owned())
    }
}

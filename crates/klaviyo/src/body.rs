//! Reading bodies of a limited size.

use fanfare_domain::ports::KlaviyoError;
use reqwest::Response;

/// The largest body of an answer, decompressed, in bytes. A page of a hundred profiles with 64 KiB in each of
/// their four texts, escaped, still fits. Reading a compressed body stops at this size.
pub(crate) const MAX_BODY_BYTES: usize = 32 << 20;

/// The largest body of a refusal, decompressed, in bytes. Only its error codes and scopes are needed.
pub(crate) const MAX_REFUSAL_BYTES: usize = 64 << 10;

/// The most memory that is reserved because of a `Content-Length`, in bytes.
const MAX_TRUSTED_LENGTH: usize = 1 << 20;

/// Reads a body of at most `max` bytes, decompressed.
pub(crate) async fn read(mut response: Response, max: usize) -> Result<Vec<u8>, KlaviyoError> {
    let announced = usize::try_from(response.content_length().unwrap_or(0)).unwrap_or(max);
    let mut body = Vec::with_capacity(announced.min(max).min(MAX_TRUSTED_LENGTH));
    while let Some(chunk) = response.chunk().await.map_err(|error| cut_off(&error))? {
        if body.len() + chunk.len() > max {
            return Err(KlaviyoError::Invalid(format!(
                "the body is larger than {} MiB",
                max >> 20
            )));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
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

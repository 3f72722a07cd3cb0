//! Bodies, read to a size.

use fanfare_domain::ports::KlaviyoError;
use reqwest::Response;

/// The largest body taken, decompressed: a page of a hundred profiles with 64 KiB in each of their
/// four texts, escaped, still fits. A gzip bomb is dropped when it has swollen to this.
pub(crate) const MAX_BODY_BYTES: usize = 32 << 20;

/// Of a refusal only a few words are of use.
pub(crate) const MAX_REFUSAL_BYTES: usize = 64 << 10;

/// The most that is set aside on the word of a `Content-Length`.
const MAX_TRUSTED_LENGTH: usize = 1 << 20;

/// Reads a body that may be `max` bytes, decompressed.
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

/// A body that was begun and did not come to its end, or cannot be decompressed. A connection that
/// breaks here is not told apart from a server that sent too little.
fn cut_off(error: &reqwest::Error) -> KlaviyoError {
    if error.is_timeout() {
        KlaviyoError::Unavailable("the answer did not arrive in time".to_owned())
    } else {
        KlaviyoError::Invalid("the body is cut off or cannot be decompressed".to_owned())
    }
}

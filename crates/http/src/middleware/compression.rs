//! Answers as gzip, where the other side takes that.

use std::io::Write;

use actix_web::HttpMessage;
use actix_web::HttpRequest;
use actix_web::body::{BodySize, BoxBody, MessageBody};
use actix_web::dev::ServiceResponse;
use actix_web::http::Method;
use actix_web::http::header::{
    AcceptEncoding, CONTENT_ENCODING, CONTENT_TYPE, Encoding, HeaderMap, HeaderValue, VARY,
};
use flate2::Compression;
use flate2::write::GzEncoder;

/// The smallest answer that is worth it, in bytes: one that fits into a packet is not sooner there when it is smaller.
const SMALLEST: u64 = 1_024;

/// How well an answer is compressed that is made for one request: a page in a millisecond or two.
const FAST: Compression = Compression::new(4);

/// The same answer, compressed if it is a whole one to a GET, and the other side takes gzip. What a request that writes
/// answers is left as it is, because a secret that was just made is shown there; and so are streams, whose events must not
/// wait for one another.
pub fn compressed(answer: ServiceResponse<BoxBody>) -> ServiceResponse<BoxBody> {
    let request = answer.request();
    if request.method() != Method::GET {
        return answer;
    }
    let is_taken = takes_gzip(request);
    answer.map_body(|head, body| {
        let is_large = matches!(body.size(), BodySize::Sized(bytes) if bytes >= SMALLEST);
        if !is_large || !is_compressible(&head.headers) {
            return body;
        }
        let bytes = match body.try_into_bytes() {
            Ok(bytes) => bytes,
            Err(body) => return body,
        };
        head.headers
            .insert(VARY, HeaderValue::from_static("Accept-Encoding"));
        let packed = is_taken.then(|| gzipped(&bytes)).flatten();
        let Some(packed) = packed.filter(|packed| packed.len() < bytes.len()) else {
            return BoxBody::new(bytes);
        };
        head.headers
            .insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        BoxBody::new(packed)
    })
}

/// Whether the other side would rather have gzip than an answer as it is.
fn takes_gzip(request: &HttpRequest) -> bool {
    let gzip = Encoding::gzip();
    let accepted = request.get_header::<AcceptEncoding>();
    let chosen = accepted
        .and_then(|accepted| accepted.negotiate([&gzip, &Encoding::identity()].into_iter()));
    chosen == Some(gzip)
}

fn gzipped(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::with_capacity(bytes.len() / 4), FAST);
    encoder.write_all(bytes).ok()?;
    encoder.finish().ok()
}

/// Whether it is text that nobody has compressed yet.
fn is_compressible(headers: &HeaderMap) -> bool {
    let content_type = headers
        .get(CONTENT_TYPE)
        .map_or(&b""[..], HeaderValue::as_bytes);
    let is_text = [&b"text/"[..], b"application/json"];
    is_text.iter().any(|of| content_type.starts_with(of)) && !headers.contains_key(CONTENT_ENCODING)
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    #[test]
    fn gzip_is_sent_to_those_who_take_it_rather_than_nothing() {
        for (accepted, want) in [
            (None, false),
            (Some(""), false),
            (Some("gzip"), true),
            (Some("gzip, deflate, br, zstd"), true),
            (Some("br;q=1.0, gzip;q=0.8, *;q=0.1"), true),
            (Some("GZIP"), true),
            (Some("br"), false),
            (Some("identity"), false),
            (Some("gzip;q=0"), false),
            (Some("gzip;q=0.2, identity;q=0.9"), false),
            (Some("nonsense;;q=x"), false),
        ] {
            let mut request = TestRequest::default();
            if let Some(accepted) = accepted {
                request = request.insert_header(("accept-encoding", accepted));
            }
            let request = request.to_http_request();
            assert_eq!(takes_gzip(&request), want, "{accepted:?}");
        }
    }
}

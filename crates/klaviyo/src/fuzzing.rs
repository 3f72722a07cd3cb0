//! What must hold whatever bytes Klaviyo sends: the fuzzing engine looks for bytes for which it does not, and the tests
//! repeat those that were found.
//!
//! A target takes any bytes as a document, a refusal, a link or a header, and panics if something does not hold. It is
//! compiled for tests and by `cargo xtask fuzz` alone.
#![expect(
    clippy::missing_panics_doc,
    reason = "a target panics to tell what it found"
)]

use std::fmt::Debug;
use std::sync::LazyLock;

use fanfare_domain::collection::CollectionKind;
use fanfare_domain::failure;
use fanfare_domain::ids::Cursor;
use fanfare_domain::klaviyo::KlaviyoError;
use fanfare_domain::profile::UsableProfile;
use fanfare_domain::quota::{Bucket, Demand, Endpoint, Reservation, RetryAfter};
use fanfare_domain::time::Timestamp;
use fanfare_domain::value::{Email, FullName, Phone};
use reqwest::StatusCode;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};

use crate::origin::Origin;
use crate::request::Request;
use crate::write::fuzzing as write;
use crate::{account, collection, cursor, member, probe, rate_limits, refusal, retry_after, text};

/// A target's name and function. The bytes that it is tested with are in `crates/fuzz/corpus/NAME`.
pub type Target = (&'static str, fn(&[u8]));

/// All targets of this crate.
pub const TARGETS: &[Target] = &[
    ("klaviyo-account", account),
    ("klaviyo-collection", collection),
    ("klaviyo-collections", collections),
    ("klaviyo-members", members),
    ("klaviyo-probe", probe),
    ("klaviyo-refusal", refusal),
    ("klaviyo-cursor", cursor),
    ("klaviyo-retry-after", retry_after),
    ("klaviyo-rate-limits", rate_limits),
    ("klaviyo-written", write::written),
    ("klaviyo-write-refusal", write::write_refusal),
    ("klaviyo-found", write::found),
    ("klaviyo-import-errors", write::import_errors),
    ("klaviyo-recorded-events", write::recorded_events),
    ("klaviyo-flows", write::flows),
    ("klaviyo-definition", write::definition),
];

/// Texts that stand for what is private. The engine knows them and puts them where it can.
pub(crate) const CANARIES: [&str; 3] = [
    "canary@example.com",
    "pk_canary0123456789",
    "Zo\u{eb} Canary",
];

/// The longest text of an error, in bytes: it is stored, logged and shown.
pub(crate) const MAX_ERROR_BYTES: usize = 2_000;

pub(crate) static ORIGIN: LazyLock<Origin> =
    LazyLock::new(|| Origin::parse("https://a.klaviyo.com").expect("it is an origin"));

/// The body of an account's document.
pub fn account(body: &[u8]) {
    document(body, account::read);
}

/// The body of a single list's document, and of a segment's.
pub fn collection(body: &[u8]) {
    for kind in [CollectionKind::List, CollectionKind::Segment] {
        let read = document(body, |text| collection::read(text, kind));
        let count = read.and_then(|collection| collection.profile_count);
        assert!(count.is_none_or(|count| i64::try_from(count).is_ok()));
    }
}

/// The body of a page of lists or segments.
pub fn collections(body: &[u8]) {
    if let Some(page) = document(body, |text| collection::read_page(text, &ORIGIN)) {
        page.next.as_ref().map(goes_back);
    }
}

/// The body of a page of members, and what becomes of its profiles.
pub fn members(body: &[u8]) {
    let Some(page) = document(body, |text| member::read_page(text, &ORIGIN)) else {
        return;
    };
    page.next.as_ref().map(goes_back);
    for profile in &page.profiles {
        let usable = UsableProfile::of(profile, Timestamp::EPOCH);
        assert!(usable.updated.is_none_or(|at| at <= Timestamp::EPOCH));
        for at in [usable.updated, usable.joined_at].into_iter().flatten() {
            let shown = Timestamp::parse(&at.to_string());
            assert!(shown.is_some_and(|shown| at.since(shown).as_micros() < 1_000));
        }
        // Each value has one form: it stays as it is when it is read again.
        if let Some(email) = &usable.email {
            assert_eq!(Email::parse(email.as_str()).as_ref(), Ok(email));
        }
        if let Some(phone) = &usable.phone {
            assert_eq!(Phone::parse(phone.as_str()).as_ref(), Ok(phone));
        }
        if let Some(name) = &usable.full_name {
            let (again, _) = FullName::join(Some(name.as_str()), None);
            assert_eq!(again.as_ref(), Some(name));
        }
        shows_nothing_private(&format!("{profile:?} {usable:?}").replace(profile.id.as_str(), ""));
    }
}

/// The body of the answer to a probe.
pub fn probe(body: &[u8]) {
    document(body, probe::read);
}

/// A refusal: a line with the status, lines with headers, an empty line and the body. A `c` behind the status stands
/// for a request with a cursor, an `r` for one with a range.
pub fn refusal(answer: &[u8]) {
    let Some(Refusal {
        status,
        flags,
        headers,
        body,
    }) = Refusal::parse(answer)
    else {
        return;
    };
    let (has_cursor, has_range) = (flags.contains(&b'c'), flags.contains(&b'r'));
    let error = refusal::read(status, &headers, body, has_cursor, has_range);
    check_error(&error);
    let is_wait = status == StatusCode::TOO_MANY_REQUESTS;
    assert_eq!(matches!(error, KlaviyoError::Throttled(_)), is_wait);
}

/// A refusal as it is written in a file.
pub(crate) struct Refusal<'a> {
    pub(crate) status: StatusCode,
    /// What stands behind the status.
    pub(crate) flags: &'a [u8],
    pub(crate) headers: HeaderMap,
    pub(crate) body: &'a [u8],
}

impl<'a> Refusal<'a> {
    pub(crate) fn parse(answer: &'a [u8]) -> Option<Self> {
        let head_ends = answer.windows(2).position(|pair| pair == b"\n\n");
        let (head, body) = match head_ends {
            Some(at) => (&answer[..at], &answer[at + 2..]),
            None => (answer, &[][..]),
        };
        let mut lines = head.split(|byte| *byte == b'\n');
        let line = lines.next().unwrap_or_default();
        let (number, flags) = line.split_at(line.len().min(3));
        let status = StatusCode::from_bytes(number).ok()?;
        let mut headers = HeaderMap::new();
        for line in lines {
            let colon = line.iter().position(|byte| *byte == b':');
            let Some((name, value)) = colon.map(|at| (&line[..at], &line[at + 1..])) else {
                continue;
            };
            let name = HeaderName::from_bytes(name);
            if let (Ok(name), Ok(value)) = (name, HeaderValue::from_bytes(value)) {
                headers.append(name, value);
            }
        }
        Some(Self {
            status,
            flags,
            headers,
            body,
        })
    }
}

/// A link to the next page.
pub fn cursor(link: &[u8]) {
    let link = String::from_utf8_lossy(link);
    let Ok(cursor) = cursor::of_link(&link) else {
        return;
    };
    goes_back(&cursor);
    assert!(cursor.as_str().bytes().all(|byte| byte.is_ascii_graphic()));
    // A server that decodes what is sent reads the bytes that it wrote into one of the link's parameters.
    let received = decoded(cursor.as_str());
    let link = link.trim_matches(|c: char| c <= ' ');
    let query = link.split('#').next().and_then(|link| link.split_once('?'));
    let pairs = query.map_or("", |(_, query)| query).split('&');
    let mut values = pairs.filter_map(|pair| pair.split_once('='));
    assert!(values.any(|(_, value)| decoded(value) == received));
}

/// The header `Retry-After`.
pub fn retry_after(header: &[u8]) {
    let Ok(header) = std::str::from_utf8(header) else {
        return;
    };
    let parsed = retry_after::parse(Some(header), None);
    assert_eq!(
        retry_after::parse(Some(&format!(" {header}\t")), None),
        parsed
    );
    // As it comes, the header may also be the answer's date.
    let _ = retry_after::parse(Some("5"), Some(header));
    if let RetryAfter::Seconds(seconds) = parsed {
        let written = retry_after::parse(Some(&seconds.to_string()), None);
        assert_eq!(written, parsed);
    }
    let year = 31_557_600_000_000;
    for now in [0, 57 * year, 8_000 * year] {
        let now = Timestamp::from_micros(now).expect("it is before the year 10000");
        let until = parsed.until(now);
        assert!(until > now);
        assert!(!parsed.is_later_than(now) || until >= now);
        let error = KlaviyoError::Throttled(parsed);
        assert_eq!(failure::asks_to_wait_until(&error, now), Some(until));
        let mut bucket = Bucket::new(Endpoint::Profiles, now);
        bucket.block(until, now);
        let one = Demand::ONE;
        assert_eq!(bucket.reserve(&one, now), Reservation::Blocked(until));
        // At the last time that there is no request can be made, but nor does the block hold it.
        assert!(!matches!(
            bucket.reserve(&one, until),
            Reservation::Blocked(_)
        ));
    }
}

/// The header `RateLimit-Limit`.
pub fn rate_limits(header: &[u8]) {
    let Ok(header) = std::str::from_utf8(header) else {
        return;
    };
    let Some(limits) = rate_limits::parse(header) else {
        return;
    };
    assert!(limits.burst > 0 && limits.steady > 0);
    let now = Timestamp::EPOCH;
    let mut bucket = Bucket::new(Endpoint::Profiles, now);
    bucket.limits = limits;
    let granted = bucket.reserve(&Demand::ONE, now);
    assert!(matches!(granted, Reservation::Granted(lease) if lease.limits == limits));
    for requests in [0, 1, u64::from(limits.steady) + 1, u64::MAX] {
        bucket.estimate(requests, now);
    }
}

/// Reads a document. Returns what it holds, if it can be used.
pub(crate) fn document<T: Debug + PartialEq>(
    body: &[u8],
    read: impl Fn(&str) -> Result<T, KlaviyoError>,
) -> Option<T> {
    let answer = text::decode(body, &read);
    let mark = b"\xef\xbb\xbf";
    if !body.starts_with(mark) {
        assert_eq!(text::decode(&[mark, body].concat(), &read), answer);
    }
    match answer {
        Ok(value) => {
            let repaired = text::repaired(body);
            assert_eq!(read(&repaired).as_ref(), Ok(&value));
            Some(value)
        }
        Err(error) => {
            check_error(&error);
            None
        }
    }
}

/// What holds of every error: it is short, shows nothing of an answer that could be private, and has a remedy.
pub(crate) fn check_error(error: &KlaviyoError) {
    failure::remedy(error);
    for shown in [error.to_string(), format!("{error:?}")] {
        assert!(shown.len() <= MAX_ERROR_BYTES, "{} bytes", shown.len());
        assert!(!shown.chars().any(char::is_control));
        shows_nothing_private(&shown);
    }
}

pub(crate) fn shows_nothing_private(shown: &str) {
    for canary in CANARIES {
        assert!(!shown.contains(canary), "it shows {canary}");
    }
}

/// A cursor is in the request for its page as it was in the link.
pub(crate) fn goes_back(cursor: &Cursor) {
    let request = Request::get(&ORIGIN, ["lists"], &[("sort", "id")], Some(cursor));
    assert_eq!(cursor::of_link(request.url.as_str()).as_ref(), Ok(cursor));
    assert!(request.url.as_str().len() < 64 << 10, "it cannot be sent");
}

/// What a server reads in a value of a query.
fn decoded(value: &str) -> Vec<u8> {
    percent_encoding::percent_decode_str(&value.replace('+', " ")).collect()
}

#[cfg(test)]
mod tests {
    #[test]
    fn what_fuzzing_has_found_holds() {
        fanfare_testkit::corpus::replay(super::TARGETS);
    }
}

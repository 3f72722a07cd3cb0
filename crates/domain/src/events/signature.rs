//! The signatures of Fanfare's webhooks: what is signed, for how long a signature is good, and with which secrets.

use std::time::Duration;

use crate::connection::SealedKey;
use crate::time::Timestamp;

/// How old a signature may be.
pub const OLDEST_SIGNATURE: Duration = Duration::from_mins(5);

/// By how much Fanfare's clock may be ahead of ours.
const AHEAD: Duration = Duration::from_secs(5);

/// How long the secret of before a rotation is good for.
pub const SECRET_OVERLAP: Duration = Duration::from_hours(24);

/// When a webhook was signed, as its header says: seconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SignedAt<'a> {
    /// The header as it was sent, which is a part of what is signed.
    pub text: &'a str,
    at: Timestamp,
}

impl<'a> SignedAt<'a> {
    /// Reads the header; `None` if it is no time.
    pub fn parse(text: &'a str) -> Option<Self> {
        let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        let seconds: i64 = text.parse().ok().filter(|_| is_number)?;
        let at = Timestamp::from_micros(seconds.checked_mul(1_000_000)?)?;
        Some(Self { text, at })
    }

    /// Whether a signature of then is good now: it is neither old nor of the future.
    pub fn is_good(self, now: Timestamp) -> bool {
        now.since(self.at) <= OLDEST_SIGNATURE && self.at.since(now) <= AHEAD
    }
}

/// The code in a signature's header, `sha256=` and hexadecimal digits; `None` if it is of another form.
pub fn signature_of(header: &str) -> Option<[u8; 32]> {
    let digits = header.strip_prefix("sha256=")?.as_bytes();
    let mut code = [0; 32];
    if digits.len() != 2 * code.len() {
        return None;
    }
    for (byte, pair) in code.iter_mut().zip(digits.chunks_exact(2)) {
        let digit = |digit: u8| char::from(digit).to_digit(16);
        *byte = u8::try_from(digit(pair[0])? * 16 + digit(pair[1])?).ok()?;
    }
    Some(code)
}

/// The secrets that an organization's webhooks are signed with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebhookSecrets {
    /// The present one.
    pub current: SealedKey,
    /// The one before, and until when it is good.
    pub previous: Option<(SealedKey, Timestamp)>,
}

impl WebhookSecrets {
    /// The secrets after a rotation at this time. The present one becomes the one before, which is let go of.
    pub fn rotated(before: Option<Self>, to: SealedKey, now: Timestamp) -> Self {
        let until = now.plus(SECRET_OVERLAP);
        Self {
            current: to,
            previous: before.map(|secrets| (secrets.current, until)),
        }
    }

    /// Those that are good now, the present one first.
    pub fn good_at(&self, now: Timestamp) -> impl Iterator<Item = &SealedKey> {
        let previous = self.previous.as_ref().filter(|(_, until)| now < *until);
        std::iter::once(&self.current).chain(previous.map(|(secret, _)| secret))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_micros(second * 1_000_000).unwrap()
    }

    #[test]
    fn a_signature_is_good_for_five_minutes_and_not_of_the_future() {
        let signed = SignedAt::parse("1000").unwrap();
        for (now, is_good) in [
            (1000, true),
            (1300, true),
            (1301, false),
            (995, true),
            (994, false),
        ] {
            assert_eq!(signed.is_good(at(now)), is_good, "{now}");
        }
        for text in ["", "x", "-1", "+1", "1.5", " 1", "9223372036854775807"] {
            assert_eq!(SignedAt::parse(text), None, "{text}");
        }
    }

    #[test]
    fn a_signature_is_sha256_and_64_digits() {
        let digits = "0f".repeat(32);
        assert_eq!(signature_of(&format!("sha256={digits}")), Some([15; 32]));
        let upper = digits.to_uppercase();
        assert_eq!(signature_of(&format!("sha256={upper}")), Some([15; 32]));
        for header in [
            &digits,
            "sha256=",
            &format!("sha256={digits}0"),
            &format!("sha256=é{}", &digits[2..]),
        ] {
            assert_eq!(signature_of(header), None, "{header}");
        }
    }

    #[test]
    fn the_secret_before_is_good_for_a_day() {
        let key = |byte| SealedKey {
            form: 1,
            bytes: vec![byte],
        };
        let first = WebhookSecrets::rotated(None, key(1), at(0));
        let second = WebhookSecrets::rotated(Some(first), key(2), at(100));
        let good = |now| second.good_at(at(now)).cloned().collect::<Vec<_>>();
        assert_eq!(good(100 + 86_399), [key(2), key(1)]);
        assert_eq!(good(100 + 86_400), [key(2)]);
        let third = WebhookSecrets::rotated(Some(second), key(3), at(200));
        let good: Vec<_> = third.good_at(at(300)).cloned().collect();
        assert_eq!(good, [key(3), key(2)]);
    }
}

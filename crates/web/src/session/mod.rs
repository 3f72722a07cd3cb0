//! A session: who has signed in, and until when. It stands sealed in a cookie, and nowhere else.

mod cookie;

use std::time::Duration;

use fanfare_domain::ids::{Ids, KeyId, OrganizationId};
use fanfare_domain::time::Timestamp;
use fanfare_sync::Caller;
use secrecy::{ExposeSecret, SecretBox};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

pub(crate) use cookie::{ended, of_request, sealed};

/// How long a session lasts.
const LONGEST: Duration = Duration::from_hours(12);

/// How long it lasts without a request.
const LONGEST_IDLE: Duration = Duration::from_mins(30);

/// How old the time of the last request may be in the cookie before it is written anew.
const FRESH: Duration = Duration::from_mins(1);

/// What sessions are sealed with: the first key seals, all open.
pub struct SessionKeys(Vec<actix_web::cookie::Key>);

impl SessionKeys {
    /// The keys that are made of these secrets.
    pub fn of(secrets: &[SecretBox<[u8; 32]>]) -> Self {
        let key = |secret: &SecretBox<[u8; 32]>| {
            actix_web::cookie::Key::derive_from(secret.expose_secret())
        };
        Self(secrets.iter().map(key).collect())
    }
}

impl std::fmt::Debug for SessionKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SessionKeys(…)")
    }
}

/// Who has signed in with which key, and when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Session {
    pub(crate) organization: OrganizationId,
    pub(crate) key: KeyId,
    /// What every form of the session's pages sends back under a mask, and no other site knows.
    csrf: String,
    began: Timestamp,
    seen: Timestamp,
}

impl Session {
    /// The session of a caller who has just shown a secret key.
    pub(crate) fn begin(caller: &Caller, ids: &dyn Ids, now: Timestamp) -> Self {
        let csrf = written(random(ids));
        Self {
            organization: caller.organization.clone(),
            key: caller.key.clone(),
            csrf,
            began: now,
            seen: now,
        }
    }

    /// Whether it has lasted too long, or was not used for too long.
    fn is_over(&self, now: Timestamp) -> bool {
        now.since(self.began) > LONGEST || now.since(self.seen) > LONGEST_IDLE
    }

    /// The session with this request as its last; `None` if the cookie says nearly that already.
    pub(crate) fn used(&self, now: Timestamp) -> Option<Self> {
        (now.since(self.seen) >= FRESH).then(|| Self {
            seen: now,
            ..self.clone()
        })
    }

    /// What the forms of one answer send back: the secret under a mask of its own. An answer is compressed together with
    /// what a visitor has typed, and its size tells whether both are alike; of a mask that is used once it tells nothing.
    pub(crate) fn form_token(&self, ids: &dyn Ids) -> Option<String> {
        let mask = random(ids);
        let masked = xor(read(&self.csrf)?, mask);
        Some(written(mask) + &written(masked))
    }

    /// Whether a form with this token was sent by a page of the session. The hashes are compared, so that the time it
    /// takes tells nothing of the secret.
    pub(crate) fn has_sent(&self, token: Option<&str>) -> bool {
        let unmasked = |token: &str| {
            let (mask, masked) = token.split_at_checked(WRITTEN)?;
            Some(written(xor(read(mask)?, read(masked)?)))
        };
        let hash = |secret: &str| Sha256::digest(secret.as_bytes());
        let secret = token.and_then(unmasked);
        secret.is_some_and(|secret| hash(&secret) == hash(&self.csrf))
    }

    /// By what scripts tell this session from another one of the same browser: a hash, which gives nothing away.
    pub(crate) fn mark(&self) -> String {
        let digest = Sha256::digest(self.csrf.as_bytes());
        let beginning = digest.iter().take(8);
        let mark = beginning.fold(0_u64, |mark, byte| (mark << 8) | u64::from(*byte));
        format!("{mark:016x}")
    }
}

/// 160 bits that nobody can guess, as two numbers of 80.
type Bits = [u128; 2];

/// How long they are as text.
const WRITTEN: usize = 40;

/// The random parts of two ULIDs, of 80 bits each.
fn random(ids: &dyn Ids) -> Bits {
    [ids.ulid().random(), ids.ulid().random()]
}

fn xor(one: Bits, other: Bits) -> Bits {
    [one[0] ^ other[0], one[1] ^ other[1]]
}

fn written([first, second]: Bits) -> String {
    format!("{first:020x}{second:020x}")
}

fn read(text: &str) -> Option<Bits> {
    let (first, second) = text.split_at_checked(WRITTEN / 2)?;
    let number = |half: &str| {
        let is_whole = half.len() == WRITTEN / 2;
        u128::from_str_radix(half, 16).ok().filter(|_| is_whole)
    };
    Some([number(first)?, number(second)?])
}

#[cfg(test)]
mod tests {
    use fanfare_testkit::clock::SeededIds;

    use super::*;

    fn session(ids: &SeededIds) -> Session {
        Session {
            organization: OrganizationId::parse("org_a").unwrap(),
            key: KeyId::parse("key_a").unwrap(),
            csrf: written(random(ids)),
            began: Timestamp::EPOCH,
            seen: Timestamp::EPOCH,
        }
    }

    #[test]
    fn the_forms_of_each_answer_have_another_token_and_all_are_of_the_session() {
        let ids = SeededIds::new(1);
        let (one, other) = (session(&ids), session(&ids));
        let tokens: Vec<String> = (0..50).map(|_| one.form_token(&ids).unwrap()).collect();
        for (at, token) in tokens.iter().enumerate() {
            assert!(one.has_sent(Some(token)));
            assert!(!other.has_sent(Some(token)));
            assert!(!token.contains(&one.csrf));
            // Neither half is in another answer: what can be guessed of one helps with no other.
            for half in [&token[..WRITTEN], &token[WRITTEN..]] {
                assert!(tokens[..at].iter().all(|before| !before.contains(half)));
            }
        }
    }

    #[test]
    fn what_is_no_token_was_sent_by_no_page() {
        let ids = SeededIds::new(2);
        let session = session(&ids);
        let token = session.form_token(&ids).unwrap();
        for wrong in [
            "",
            "é",
            "forged",
            session.csrf.as_str(),
            &token[1..],
            &format!("{token}0"),
            &"0".repeat(2 * WRITTEN),
            &"+".repeat(2 * WRITTEN),
            &"é".repeat(WRITTEN),
        ] {
            assert!(!session.has_sent(Some(wrong)), "{wrong}");
        }
        assert!(!session.has_sent(None));
    }
}

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
    /// What every form of the session's pages sends back, and no other site knows.
    pub(crate) csrf: String,
    began: Timestamp,
    seen: Timestamp,
}

impl Session {
    /// The session of a caller who has just shown a secret key.
    pub(crate) fn begin(caller: &Caller, ids: &dyn Ids, now: Timestamp) -> Self {
        // The random parts of two ULIDs, of 80 bits each.
        let csrf = format!("{:020x}{:020x}", ids.ulid().random(), ids.ulid().random());
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

    /// Whether a form with this token was sent by a page of the session. The hashes are compared, so that the time it
    /// takes tells nothing of the token.
    pub(crate) fn has_sent(&self, token: Option<&str>) -> bool {
        let hash = |token: &str| Sha256::digest(token.as_bytes());
        token.is_some_and(|token| hash(token) == hash(&self.csrf))
    }
}

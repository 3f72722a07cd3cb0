//! Secrets that were just made, for the second click of whoever made them.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use fanfare_domain::ids::{KeyId, OrganizationId};
use fanfare_domain::time::Timestamp;
use secrecy::SecretString;

/// For how long a second click is answered like the first.
const KEPT_FOR: Duration = Duration::from_secs(30);

/// Which form has made a secret: of an organization, sent by somebody with this key, who saw the secret with this mark before.
type Maker = (OrganizationId, KeyId, Option<String>);

/// The secrets that forms have made a moment ago.
///
/// A secret is shown once. A browser shows only the answer to the second click of a double click, and without this it
/// would be lost at once.
#[derive(Default)]
pub(crate) struct MadeSecrets(Mutex<HashMap<Maker, (Timestamp, SecretString)>>);

impl fmt::Debug for MadeSecrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MadeSecrets")
    }
}

impl MadeSecrets {
    /// Remembers a secret for a moment, and forgets those of before.
    pub(crate) fn keep(&self, maker: Maker, secret: &SecretString, now: Timestamp) {
        let mut made = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        made.retain(|_, (at, _)| is_recent(*at, now));
        made.insert(maker, (now, secret.clone()));
    }

    /// The secret that the same form has made a moment ago.
    pub(crate) fn of(&self, maker: &Maker, now: Timestamp) -> Option<SecretString> {
        let mut made = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        made.retain(|_, (at, _)| is_recent(*at, now));
        made.get(maker).map(|(_, secret)| secret.clone())
    }
}

/// A time that lies ahead is of a clock that was set back.
fn is_recent(at: Timestamp, now: Timestamp) -> bool {
    at <= now && now.since(at) <= KEPT_FOR
}

//! An organization's lists and segments as Klaviyo told them last, kept for a few seconds.
//!
//! Klaviyo tells ten lists in an answer, each of which names the next, so two thousand take two hundred requests one
//! after the other. A page that many users have open, or that one user reloads, must not take that out of the
//! account's quota each time. What a list is to us is not kept: that is read from the store for every caller.
//!
//! A page that must not wait for Klaviyo is told of the last reading for some minutes more, while the next one is under
//! way.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use fanfare_domain::collection::CollectionKind;
use fanfare_domain::connection::SealedKey;
use fanfare_domain::ids::OrganizationId;
use fanfare_domain::klaviyo::Collection;
use fanfare_domain::ports::Clock;
use fanfare_domain::time::Timestamp;

use crate::error::Error;

/// How long a reading stands for the present.
const KEPT_FOR: Duration = Duration::from_secs(5);

/// How long it is told to a page that does not wait.
const AT_HAND_FOR: Duration = Duration::from_mins(5);

/// What was read last, for every organization that has asked lately. Clones are the same.
#[derive(Clone, Default)]
pub(crate) struct KeptCollections(Arc<Mutex<Slots>>);

type Slots = HashMap<(OrganizationId, CollectionKind), Arc<Slot>>;

#[derive(Default)]
struct Slot {
    /// The request that reads from Klaviyo holds this lock, so that all who ask meanwhile wait for this one reading.
    reading: tokio::sync::Mutex<Option<Reading>>,
    /// The last reading that found something, for those who do not wait.
    told: Mutex<Option<AtHand>>,
}

struct Reading {
    key: SealedKey,
    at: Timestamp,
    outcome: Result<Told, Error>,
}

/// What Klaviyo told, and when.
#[derive(Clone)]
pub(crate) struct Told {
    pub(crate) collections: Arc<[Collection]>,
    pub(crate) at: Timestamp,
}

struct AtHand {
    /// The key that Klaviyo was asked with, as it is stored: each one that is stored is sealed into other bytes.
    key: SealedKey,
    told: Told,
    /// Whether a caller was sent for another reading.
    is_being_renewed: bool,
}

impl KeptCollections {
    /// The collections that were read with this key within the last few seconds, or else those that `read` finds. Of
    /// all who ask at once one reads. An error of Klaviyo's is told to those who have waited for it, and is not kept.
    pub(crate) async fn get(
        &self,
        of: (OrganizationId, CollectionKind),
        key: &SealedKey,
        clock: &dyn Clock,
        read: impl Future<Output = Result<Vec<Collection>, Error>>,
    ) -> Result<Told, Error> {
        let slot = self.slot(of, clock.now());
        let (mut reading, has_waited) = match slot.reading.try_lock() {
            Ok(free) => (free, false),
            Err(_) => (slot.reading.lock().await, true),
        };
        if let Some(last) = reading.as_ref().filter(|last| last.key == *key) {
            match &last.outcome {
                Ok(told) if is_within(KEPT_FOR, told.at, clock.now()) => return Ok(told.clone()),
                Err(error) if has_waited => {
                    if let Some(same) = error.of_klaviyo_again() {
                        return Err(same);
                    }
                }
                _ => {}
            }
        }
        // A caller who is gone ends its reading here, and leaves nothing behind.
        *reading = None;
        let read = read.await;
        let at = clock.now();
        let outcome = read.map(|found| Told {
            collections: Arc::from(found),
            at,
        });
        // What failed is told to the next who asks, and not hidden behind what was told before.
        *slot.told() = outcome.as_ref().ok().map(|told| AtHand {
            key: key.clone(),
            told: told.clone(),
            is_being_renewed: false,
        });
        let answer = match &outcome {
            Ok(told) => Ok(told.clone()),
            // An error that only this caller can be told.
            Err(error) => match error.of_klaviyo_again() {
                Some(same) => Err(same),
                None => return outcome,
            },
        };
        *reading = Some(Reading {
            key: key.clone(),
            at,
            outcome,
        });
        answer
    }

    /// The collections that were read with this key within the last minutes, without waiting; and whether the caller is
    /// the one to read them anew, which is told to one caller for each reading.
    pub(crate) fn at_hand(
        &self,
        of: (OrganizationId, CollectionKind),
        key: &SealedKey,
        now: Timestamp,
    ) -> Option<(Told, bool)> {
        let slot = self.slot(of, now);
        let mut told = slot.told();
        let known = told.as_mut().filter(|known| known.key == *key)?;
        if !is_within(AT_HAND_FOR, known.told.at, now) {
            return None;
        }
        let is_old = !is_within(KEPT_FOR, known.told.at, now);
        let is_to_renew = is_old && !known.is_being_renewed;
        known.is_being_renewed |= is_to_renew;
        Some((known.told.clone(), is_to_renew))
    }

    /// The slot of these, without which those go whose readings are too old to be of use.
    fn slot(&self, of: (OrganizationId, CollectionKind), now: Timestamp) -> Arc<Slot> {
        let mut slots = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        slots.retain(|_, slot| slot.is_of_use(now));
        Arc::clone(slots.entry(of).or_default())
    }
}

impl Slot {
    fn told(&self) -> MutexGuard<'_, Option<AtHand>> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_of_use(&self, now: Timestamp) -> bool {
        let is_at_hand = |known: &AtHand| is_within(AT_HAND_FOR, known.told.at, now);
        let is_fresh = |last: &Reading| is_within(KEPT_FOR, last.at, now);
        match self.reading.try_lock() {
            Ok(last) => {
                last.as_ref().is_some_and(is_fresh) || self.told().as_ref().is_some_and(is_at_hand)
            }
            // Somebody reads just now.
            Err(_) => true,
        }
    }
}

/// Whether a reading is younger than this. A clock that was set back makes it neither older nor younger than it can be.
fn is_within(longest: Duration, at: Timestamp, now: Timestamp) -> bool {
    at <= now && now.since(at) < longest
}

impl Error {
    /// The same error for another caller, if it is one that Klaviyo's answers gave.
    fn of_klaviyo_again(&self) -> Option<Self> {
        match self {
            Self::KeyRejected => Some(Self::KeyRejected),
            Self::ScopeMissing(scopes) => Some(Self::ScopeMissing(scopes.clone())),
            Self::KlaviyoUnreachable(error) => Some(Self::KlaviyoUnreachable(error.clone())),
            Self::KlaviyoThrottled(wait) => Some(Self::KlaviyoThrottled(*wait)),
            Self::EndlessCollections { what, pages } => Some(Self::EndlessCollections {
                what,
                pages: *pages,
            }),
            _ => None,
        }
    }
}

//! An organization's lists and segments as Klaviyo told them last, kept for a few seconds.
//!
//! Klaviyo tells ten lists in an answer, each of which names the next, so two thousand take two hundred requests one
//! after the other. A page that many users have open, or that one user reloads, must not take that out of the
//! account's quota each time. What a list is to us is not kept: that is read from the store for every caller.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use fanfare_domain::collection::CollectionKind;
use fanfare_domain::connection::SealedKey;
use fanfare_domain::ids::OrganizationId;
use fanfare_domain::klaviyo::Collection;
use fanfare_domain::ports::Clock;
use fanfare_domain::time::Timestamp;

use crate::error::Error;

/// How long they are kept.
const KEPT_FOR: Duration = Duration::from_secs(5);

/// What was read last, for every organization that has asked lately. Clones are the same.
#[derive(Clone, Default)]
pub(crate) struct KeptCollections(Arc<Mutex<Slots>>);

type Slots = HashMap<(OrganizationId, CollectionKind), Arc<tokio::sync::Mutex<Slot>>>;

/// The request that reads from Klaviyo holds the slot's lock, so that all who ask meanwhile wait for this one reading.
#[derive(Default)]
struct Slot(Option<Reading>);

struct Reading {
    /// The key that Klaviyo was asked with, as it is stored: each one that is stored is sealed into other bytes.
    key: SealedKey,
    at: Timestamp,
    outcome: Result<Arc<[Collection]>, Error>,
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
    ) -> Result<Arc<[Collection]>, Error> {
        let slot = self.slot(of, clock.now());
        let (mut slot, has_waited) = match slot.try_lock() {
            Ok(free) => (free, false),
            Err(_) => (slot.lock().await, true),
        };
        if let Some(reading) = slot.0.as_ref().filter(|reading| reading.key == *key) {
            match &reading.outcome {
                Ok(kept) if reading.is_fresh(clock.now()) => return Ok(Arc::clone(kept)),
                Err(error) if has_waited => {
                    if let Some(same) = error.of_klaviyo_again() {
                        return Err(same);
                    }
                }
                _ => {}
            }
        }
        // A caller who is gone ends its reading here, and leaves nothing behind.
        slot.0 = None;
        let outcome = read.await.map(Arc::from);
        let told = match &outcome {
            Ok(found) => Ok(Arc::clone(found)),
            // An error that only this caller can be told.
            Err(error) => match error.of_klaviyo_again() {
                Some(same) => Err(same),
                None => return outcome,
            },
        };
        slot.0 = Some(Reading {
            key: key.clone(),
            at: clock.now(),
            outcome,
        });
        told
    }

    /// The slot of these, without which those go whose readings are too old to be of use.
    fn slot(
        &self,
        of: (OrganizationId, CollectionKind),
        now: Timestamp,
    ) -> Arc<tokio::sync::Mutex<Slot>> {
        let mut slots = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        slots.retain(|_, slot| match slot.try_lock() {
            Ok(slot) => slot.0.as_ref().is_some_and(|reading| reading.is_fresh(now)),
            Err(_) => true,
        });
        Arc::clone(slots.entry(of).or_default())
    }
}

impl Reading {
    /// Whether it may still be told. A clock that was set back makes it neither older nor younger than it can be.
    fn is_fresh(&self, now: Timestamp) -> bool {
        self.at <= now && now.since(self.at) < KEPT_FOR
    }
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

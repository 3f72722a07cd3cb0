//! How many members audiences have, kept by this process.
//!
//! To count a million members takes longer than a page may, so pages do not wait long for it: a count is made in the background, and
//! until it is there a page shows the number that the audience's source has kept since its last success. A count is kept for as
//! long as the source is as it was, and made anew now and then: members change while a sync is under way, and when a person is
//! erased.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use fanfare_domain::ids::{AudienceId, OrganizationId};
use fanfare_domain::ports::AudienceRecord;
use fanfare_domain::source::CollectionSource;
use fanfare_domain::time::Timestamp;
use fanfare_sync::{Error, Integration};

/// How old a count may be while a sync changes it, or where people fill the audience by hand, and otherwise.
const WHILE_SYNCING: Duration = Duration::from_secs(1);
const OTHERWISE: Duration = Duration::from_secs(30);

/// How long a page waits for counts that it shows for the first time.
const PATIENCE: Duration = Duration::from_millis(20);

/// Up to how many members an audience that is filled by hand is counted before its page is shown.
const SMALL: u64 = 10_000;

/// The most counts that are kept: then all are forgotten.
const MOST: usize = 100_000;

/// The counts.
#[derive(Debug, Clone, Default)]
pub(crate) struct Counts(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    kept: HashMap<AudienceId, Count>,
    /// Those that are being counted.
    under_way: HashSet<AudienceId>,
}

#[derive(Debug)]
struct Count {
    /// The source as it was.
    source: Option<CollectionSource>,
    members: u64,
    /// When it was counted, or when counting anew began.
    at: Timestamp,
}

/// Audiences to be counted, by how much a page needs it.
#[derive(Default)]
struct Missing {
    /// Nothing is known of them.
    unknown: Vec<AudienceRecord>,
    /// Their sources have kept a number, or there is a count that people may have made wrong by hand.
    estimated: Vec<AudienceRecord>,
    /// Their count is old.
    old: Vec<AudienceRecord>,
}

impl Counts {
    /// The members of each audience.
    pub(crate) async fn of(
        &self,
        application: &Integration,
        organization: &OrganizationId,
        records: &[&AudienceRecord],
    ) -> Result<Vec<u64>, Error> {
        let now = application.clock().now();
        let Missing {
            unknown,
            estimated,
            old,
        } = self.missing(records, now);
        if !unknown.is_empty() {
            self.count(application, organization, &unknown).await?;
        }
        if !old.is_empty() {
            drop(self.count_in_background(application, organization, old));
        }
        if !estimated.is_empty() {
            let counted = self.count_in_background(application, organization, estimated);
            // It goes on, and a later page shows it.
            let _ = tokio::time::timeout(PATIENCE, counted).await;
        }
        let state = self.state();
        let members = |record: &&AudienceRecord| match state.kept.get(&record.audience.id) {
            Some(count) => count.members,
            None => members_at_success(record).unwrap_or(0),
        };
        Ok(records.iter().map(members).collect())
    }

    /// Forgets the count of an audience whose members this process has just changed.
    pub(crate) fn forget(&self, audience: &AudienceId) {
        self.state().kept.remove(audience);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Those to be counted. What somebody else counts already is not counted beside it, unless nothing is known.
    fn missing(&self, records: &[&AudienceRecord], now: Timestamp) -> Missing {
        let mut state = self.state();
        let State { kept, under_way } = &mut *state;
        let mut missing = Missing::default();
        for record in records {
            let (id, record) = (&record.audience.id, *record);
            // Whoever fills an audience by hand does so at any time, perhaps by the API of another process.
            let is_by_hand = record.source.is_none();
            let is_syncing = record.is_syncing() || is_by_hand;
            match kept.get_mut(id) {
                Some(count) if is_syncing || count.source == record.source => {
                    let longest = if is_syncing { WHILE_SYNCING } else { OTHERWISE };
                    if now.since(count.at) > longest && under_way.insert(id.clone()) {
                        count.at = now;
                        if is_by_hand && count.members <= SMALL {
                            missing.estimated.push(record.clone());
                        } else {
                            missing.old.push(record.clone());
                        }
                    }
                }
                _ if members_at_success(record).is_none() => {
                    missing.unknown.push(record.clone());
                }
                _ if under_way.insert(id.clone()) => {
                    // What was counted of the source as it was says less than what the source says now.
                    kept.remove(id);
                    missing.estimated.push(record.clone());
                }
                _ => {}
            }
        }
        missing
    }

    fn count_in_background(
        &self,
        application: &Integration,
        organization: &OrganizationId,
        records: Vec<AudienceRecord>,
    ) -> tokio::task::JoinHandle<()> {
        let (counts, application) = (self.clone(), application.clone());
        let organization = organization.clone();
        tokio::spawn(async move {
            let counted = counts.count(&application, &organization, &records).await;
            let mut state = counts.state();
            for record in &records {
                state.under_way.remove(&record.audience.id);
            }
            // What cannot be counted now is counted by a later page.
            if let Err(error) = counted {
                let error = &error as &dyn std::error::Error;
                tracing::warn!(error, "members cannot be counted now");
            }
        })
    }

    async fn count(
        &self,
        application: &Integration,
        organization: &OrganizationId,
        records: &[AudienceRecord],
    ) -> Result<(), Error> {
        let at = application.clock().now();
        let ids: Vec<AudienceId> = records
            .iter()
            .map(|record| record.audience.id.clone())
            .collect();
        let counted = application.member_counts(organization, &ids).await?;
        let mut state = self.state();
        if state.kept.len() + counted.len() > MOST {
            state.kept.clear();
        }
        for (record, members) in records.iter().zip(counted) {
            let source = record.source.clone();
            let count = Count {
                source,
                members,
                at,
            };
            state.kept.insert(record.audience.id.clone(), count);
        }
        Ok(())
    }
}

/// What the last successful sync left behind; `None` where nothing has been synced.
fn members_at_success(record: &AudienceRecord) -> Option<u64> {
    record.source.as_ref()?.guard.members_at_success
}

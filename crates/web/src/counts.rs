//! How many members audiences have, kept by this process.
//!
//! To count a million members takes longer than a page may. A count is kept for as long as the audience's source is as
//! it was, and counted anew in the background now and then: members change while a sync is under way, and when a person
//! is erased.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use fanfare_domain::ids::{AudienceId, OrganizationId};
use fanfare_domain::ports::AudienceRecord;
use fanfare_domain::source::CollectionSource;
use fanfare_domain::time::Timestamp;
use fanfare_sync::{Error, Integration};

/// How old a count may be while a sync changes it, and otherwise.
const WHILE_SYNCING: Duration = Duration::from_secs(1);
const OTHERWISE: Duration = Duration::from_secs(30);

/// The most counts that are kept: then all are forgotten.
const MOST: usize = 100_000;

/// The counts.
#[derive(Debug, Clone, Default)]
pub(crate) struct Counts(Arc<Mutex<HashMap<AudienceId, Count>>>);

#[derive(Debug)]
struct Count {
    /// The source as it was.
    source: Option<CollectionSource>,
    members: u64,
    /// When it was counted, or when counting anew began.
    at: Timestamp,
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
        let (unknown, old) = self.missing(records, now);
        if !unknown.is_empty() {
            self.count(application, organization, &unknown).await?;
        }
        if !old.is_empty() {
            let old: Vec<AudienceRecord> = old.into_iter().cloned().collect();
            let (counts, application) = (self.clone(), application.clone());
            let organization = organization.clone();
            tokio::spawn(async move {
                let old: Vec<&AudienceRecord> = old.iter().collect();
                // What cannot be counted now is counted by a later page.
                if let Err(error) = counts.count(&application, &organization, &old).await {
                    let error = &error as &dyn std::error::Error;
                    tracing::warn!(error, "members cannot be counted now");
                }
            });
        }
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let members =
            |record: &&AudienceRecord| kept.get(&record.audience.id).map_or(0, |it| it.members);
        Ok(records.iter().map(members).collect())
    }

    /// The audiences whose count is not known, and those whose count is old.
    fn missing<'a>(
        &self,
        records: &[&'a AudienceRecord],
        now: Timestamp,
    ) -> (Vec<&'a AudienceRecord>, Vec<&'a AudienceRecord>) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (mut unknown, mut old) = (Vec::new(), Vec::new());
        for record in records {
            // Whoever fills an audience by hand does so at any time.
            let is_syncing = record.is_syncing() || record.source.is_none();
            match kept.get_mut(&record.audience.id) {
                Some(count) if is_syncing || count.source == record.source => {
                    let longest = if is_syncing { WHILE_SYNCING } else { OTHERWISE };
                    if now.since(count.at) > longest {
                        count.at = now;
                        old.push(*record);
                    }
                }
                _ => unknown.push(*record),
            }
        }
        (unknown, old)
    }

    async fn count(
        &self,
        application: &Integration,
        organization: &OrganizationId,
        records: &[&AudienceRecord],
    ) -> Result<(), Error> {
        let at = application.clock().now();
        let ids: Vec<AudienceId> = records
            .iter()
            .map(|record| record.audience.id.clone())
            .collect();
        let counted = application.member_counts(organization, &ids).await?;
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() + counted.len() > MOST {
            kept.clear();
        }
        for (record, members) in records.iter().zip(counted) {
            let source = record.source.clone();
            kept.insert(
                record.audience.id.clone(),
                Count {
                    source,
                    members,
                    at,
                },
            );
        }
        Ok(())
    }
}

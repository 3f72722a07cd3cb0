//! What pages tell of the runs of an audience that have ended, kept by this process.
//!
//! The overview of a continuous audience is asked for again every few seconds by everybody who looks at it. A run that has ended
//! changes no more, so what is told of those before is read once for each run that ends, and not with each look.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use fanfare_domain::ids::{AudienceId, OrganizationId, RunId};
use fanfare_domain::paging::PageRequest;
use fanfare_domain::run::SyncRun;
use fanfare_domain::time::Timestamp;
use fanfare_sync::{Error, Integration};

use crate::pages::duplicates;

/// Runs that are told of.
const RUNS: u32 = 50;

/// The most audiences that are kept: then all are forgotten.
const MOST: usize = 1_000;

/// What is kept, by audience.
#[derive(Debug, Clone, Default)]
pub(crate) struct EndedRuns(Arc<Mutex<HashMap<AudienceId, Arc<Ended>>>>);

/// What the runs of an audience have done that have ended.
#[derive(Debug, Default)]
pub(crate) struct Ended {
    /// The latest of them.
    latest: Option<RunId>,
    /// What each has done, the latest first.
    pub(crate) outcomes: Vec<Outcome>,
    /// How many profiles the latest has found to be of one person with another.
    pub(crate) duplicates: u64,
}

/// What a run has done to the members.
#[derive(Debug)]
pub(crate) struct Outcome {
    /// When it ended.
    pub(crate) at: Timestamp,
    pub(crate) joined: u64,
    pub(crate) left: u64,
}

impl EndedRuns {
    /// Those of an audience of the organization's, whose latest ended run is this one.
    pub(crate) async fn of(
        &self,
        application: &Integration,
        organization: &OrganizationId,
        audience: &AudienceId,
        latest: Option<&SyncRun>,
    ) -> Result<Arc<Ended>, Error> {
        let Some(latest) = latest else {
            return Ok(Arc::default());
        };
        let kept = self.state().get(audience).cloned();
        if let Some(kept) = kept.filter(|kept| kept.latest.as_ref() == Some(&latest.id)) {
            return Ok(kept);
        }
        let page = PageRequest {
            first: RUNS,
            after: None,
        };
        let runs = application.runs(organization, audience, &page).await?;
        let outcome = |run: SyncRun| {
            Some(Outcome {
                at: run.finished_at?,
                joined: run.progress.members_added,
                left: run.progress.members_removed,
            })
        };
        let counts = application.issue_counts(organization, &latest.id).await?;
        let ended = Arc::new(Ended {
            latest: Some(latest.id.clone()),
            outcomes: runs.items.into_iter().filter_map(outcome).collect(),
            duplicates: duplicates(&counts),
        });
        let mut state = self.state();
        if state.len() >= MOST {
            state.clear();
        }
        state.insert(audience.clone(), Arc::clone(&ended));
        Ok(ended)
    }

    fn state(&self) -> MutexGuard<'_, HashMap<AudienceId, Arc<Ended>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

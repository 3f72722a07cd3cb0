//! Import jobs of a fake Klaviyo that writes.

use fanfare_domain::ids::ImportJobId;
use fanfare_domain::klaviyo::{Answer, KlaviyoError};
use fanfare_domain::quota::RetryAfter;
use fanfare_domain::writing::{ImportJob, ImportJobState, ProfileUpsert, WriteError};

use super::profiles::ProfileCall;
use super::{FakeWrites, WriteFault, answer};
use crate::memory::yield_point;

/// How import jobs go.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Jobs {
    /// They are done when they are asked for the second time.
    #[default]
    Work,
    /// They stay where they are.
    Stuck,
    /// They are complete, and all rows have failed.
    Fail,
}

/// A job that was started.
pub(super) struct Job {
    rows: Vec<ProfileUpsert>,
    asked: usize,
}

impl FakeWrites {
    /// Lets import jobs go so from now on.
    pub fn set_jobs(&self, jobs: Jobs) {
        self.state().jobs_go = jobs;
    }

    /// The rows of the import jobs that were started, in order.
    pub fn imports(&self) -> Vec<Vec<ProfileUpsert>> {
        let state = self.state();
        state.jobs.iter().map(|job| job.rows.clone()).collect()
    }

    pub(super) async fn start_job(
        &self,
        rows: &[ProfileUpsert],
    ) -> Result<Answer<ImportJob>, WriteError> {
        yield_point().await;
        if self.account().is_none() {
            return super::none();
        }
        let (fault, shown) = {
            let mut state = self.state();
            let fault = state.faults.pop_front();
            match &fault {
                Some(WriteFault::Refused(error)) => return Err(error.clone()),
                Some(WriteFault::RequestLost) => {}
                Some(WriteFault::AnswerLost | WriteFault::NoEffect) | None => {
                    state.jobs.push(Job {
                        rows: rows.to_vec(),
                        asked: 0,
                    });
                }
            }
            let place = state.jobs.len().saturating_sub(1);
            (fault, shown(place, ImportJobState::Queued, rows.len()))
        };
        yield_point().await;
        match fault {
            None | Some(WriteFault::NoEffect) => Ok(answer(shown)),
            Some(_) => Err(WriteError::OutcomeUnknown {
                what: "nothing came".to_owned(),
                retry_after: RetryAfter::Unknown,
            }),
        }
    }

    pub(super) async fn job(&self, id: &ImportJobId) -> Result<Answer<ImportJob>, KlaviyoError> {
        yield_point().await;
        let account = self.account();
        let (rows, place, is_over) = {
            let mut state = self.state();
            let go = state.jobs_go;
            let place = id.as_str().strip_prefix("job");
            let place: Option<usize> = place.and_then(|place| place.parse().ok());
            let job = place.and_then(|place| state.jobs.get_mut(place));
            let job = job.ok_or(KlaviyoError::NotFound)?;
            job.asked += 1;
            let is_over = job.asked > 1 && go != Jobs::Stuck;
            let works = go == Jobs::Work && job.asked == 2;
            let rows = if works { job.rows.clone() } else { Vec::new() };
            (rows, place.unwrap_or_default(), is_over)
        };
        let total = rows.len();
        for row in rows {
            // A row that is refused costs itself.
            let _ = account
                .as_ref()
                .map(|account| account.apply(&ProfileCall::Upsert(row)));
        }
        let state = if is_over {
            ImportJobState::Complete
        } else {
            ImportJobState::Processing
        };
        Ok(answer(shown(place, state, total)))
    }
}

fn shown(place: usize, state: ImportJobState, rows: usize) -> ImportJob {
    ImportJob {
        id: ImportJobId::parse(format!("job{place}")).expect("an id"),
        state,
        total: rows as u64,
        completed: None,
        failed: None,
    }
}

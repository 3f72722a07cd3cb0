//! Comparing: after a list was read by ranges, what was seen is compared with what Klaviyo counts, because a
//! member without a join time is in no range.

use std::time::Duration;

use fanfare_domain::connection::OpenConnection;
use fanfare_domain::ports::{Collection, KlaviyoError};
use fanfare_domain::source::CollectionRef;
use fanfare_domain::time::Timestamp;
use fanfare_domain::waiting::{WaitReason, Waiting};
use tokio_util::sync::CancellationToken;

use super::slice::{ActiveSlice, Step};
use crate::engine::drain::Drain;
use crate::error::Error;
use crate::integration::Integration;
use crate::klaviyo::CallError;

/// The longest wait for the quota of Klaviyo's counts, which is 15 a minute. For a longer one the count is taken
/// as not known: what only proves a run must not keep it for hours.
const LONGEST_WAIT: Duration = Duration::from_mins(1);

/// The longest wait for that quota, which is one count a second, where the count only tells how to divide the list: of several
/// lists that are imported by one click each is counted.
const LONGEST_WAIT_FOR_DIVISION: Duration = Duration::from_secs(5);

impl ActiveSlice<'_> {
    pub(super) async fn compare_counts(&mut self, stop: &CancellationToken) -> Result<Step, Error> {
        let Some(answer) = Drain::default().wait_for(self.count_again(), stop).await else {
            return Ok(Step::Continue);
        };
        let Some(answer) = answer? else {
            return Ok(Step::Lost);
        };
        let now = self.integration.now();
        let count = match answer {
            Ok(collection) => collection.profile_count,
            Err(error @ CallError::Store(_)) => return self.handle_failed_call(None, error).await,
            Err(CallError::NotBefore(waiting)) if waiting.until.since(now) <= LONGEST_WAIT => {
                let wait = CallError::NotBefore(waiting);
                return self.handle_failed_call(None, wait).await;
            }
            // The quota knows by now for how long, so the next try waits or gives up.
            Err(CallError::Klaviyo(KlaviyoError::Throttled(_))) => return Ok(Step::Continue),
            Err(CallError::NotBefore(_) | CallError::Klaviyo(_)) => None,
        };
        let Some(unit) = self.lease.begin().await? else {
            return Ok(Step::Lost);
        };
        self.run.compare_counts(count, now)?;
        self.mark_progress();
        self.commit_step(unit).await
    }

    /// A list that could not be counted while it was read is counted while the run waits for the quota of pages anyway.
    /// Whatever happens to this request, the run goes on.
    pub(super) async fn count_in_pause(&mut self, pause: Waiting, stop: &CancellationToken) {
        if pause.why != WaitReason::Quota || !self.run.is_uncounted() {
            return;
        }
        let collection = &self.run.source().collection;
        let end = Some(pause.until);
        let count = count_before(self.integration, &self.connection, collection, end);
        let counted = stop.run_until_cancelled(self.lease.keep_during(count));
        if let Some(Ok(Some(Some(profiles)))) = counted.await {
            self.run.count(profiles);
        }
    }

    async fn count_again(&self) -> Result<Option<Result<Collection, CallError>>, Error> {
        let collection = &self.run.source().collection;
        let klaviyo = &self.integration.klaviyo;
        let call = klaviyo.collection(&self.connection, collection, true);
        self.lease.keep_during(call).await
    }
}

/// Asks how many profiles a list has, again after each short wait for the quota of counts that ends before `end`. `None` if
/// Klaviyo does not say.
pub(super) async fn count_before(
    integration: &Integration,
    connection: &OpenConnection,
    collection: &CollectionRef,
    end: Option<Timestamp>,
) -> Option<u64> {
    let mut waits = LONGEST_WAIT_FOR_DIVISION;
    loop {
        match integration
            .klaviyo
            .collection(connection, collection, true)
            .await
        {
            Ok(counted) => return counted.profile_count,
            Err(CallError::NotBefore(waiting)) if end.is_none_or(|end| waiting.until < end) => {
                let wait = waiting.until.since(integration.now());
                let wait = wait.max(Duration::from_millis(1));
                waits = waits.checked_sub(wait)?;
                tokio::time::sleep(wait).await;
            }
            Err(_) => return None,
        }
    }
}

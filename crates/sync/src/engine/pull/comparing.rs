//! Comparing: after a list was read by ranges, what was seen is compared with what Klaviyo counts, because a
//! member without a join time is in no range.

use std::time::Duration;

use fanfare_domain::ports::{Collection, KlaviyoError};
use tokio_util::sync::CancellationToken;

use super::slice::{ActiveSlice, Step};
use crate::engine::drain::Drain;
use crate::error::Error;
use crate::klaviyo::CallError;

/// The longest wait for the quota of Klaviyo's counts, which is 15 a minute. For a longer one the count is taken
/// as not known: what only proves a run must not keep it for hours.
const LONGEST_WAIT: Duration = Duration::from_mins(1);

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

    async fn count_again(&self) -> Result<Option<Result<Collection, CallError>>, Error> {
        let collection = &self.run.source().collection;
        let klaviyo = &self.integration.klaviyo;
        let call = klaviyo.collection(&self.connection, collection, true);
        self.lease.keep_during(call).await
    }
}

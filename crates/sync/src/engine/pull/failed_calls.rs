//! What a slice does about calls to Klaviyo that failed.

use fanfare_domain::connection::ConnectionStatus;
use fanfare_domain::failure::{FailureCode, Remedy, backoff, remedy};
use fanfare_domain::ports::{KlaviyoError, UnitOfWork};
use fanfare_domain::scan::PartitionNumber;
use fanfare_domain::waiting::{WaitReason, Waiting};

use super::fetching::SHORT_WAIT;
use super::slice::{ActiveSlice, Step};
use crate::error::Error;
use crate::klaviyo::CallError;
use crate::saving::save_run;

impl ActiveSlice<'_> {
    /// Decides what follows from a failed call, and stores it.
    pub(super) async fn handle_failed_call(
        &mut self,
        partition: Option<PartitionNumber>,
        error: CallError,
    ) -> Result<Step, Error> {
        let error = match error {
            CallError::Klaviyo(error) => error,
            CallError::Store(error) => return Err(error.into()),
            CallError::NotBefore(waiting) => {
                let wait = waiting.until.since(self.integration.now());
                if wait > SHORT_WAIT {
                    return Ok(Step::Pause(waiting));
                }
                let slept = self.lease.keep_during(tokio::time::sleep(wait)).await?;
                return Ok(if slept.is_some() {
                    Step::Continue
                } else {
                    Step::Lost
                });
            }
        };
        let Some(unit) = self.lease.begin().await? else {
            return Ok(Step::Lost);
        };
        match remedy(&error) {
            Remedy::Wait => Ok(Step::Yield),
            Remedy::Retry(code) => self.retry(unit, partition, code, &error).await,
            Remedy::Reposition(code) => {
                match partition {
                    Some(partition) => {
                        self.run.reposition(partition);
                    }
                    None => self.run.reposition_changes(),
                }
                self.retry(unit, partition, code, &error).await
            }
            Remedy::ReadWhole => self.read_whole(unit, partition, &error).await,
            Remedy::Fail(code) => self.fail_for_good(unit, code, &error).await,
        }
    }

    async fn retry(
        &mut self,
        mut unit: Box<dyn UnitOfWork>,
        partition: Option<PartitionNumber>,
        code: FailureCode,
        error: &KlaviyoError,
    ) -> Result<Step, Error> {
        let now = self.integration.now();
        self.run
            .count_failure(partition, code, explain(code, error), now)?;
        save_run(unit.as_mut(), &self.run).await?;
        unit.commit().await?;
        let failures = self.run.run().failures;
        tracing::warn!(
            failures,
            code = code.as_str(),
            error = error as &dyn std::error::Error,
            "Klaviyo gave no usable answer"
        );
        if !self.run.is_active() {
            return Ok(Step::Ended);
        }
        #[expect(clippy::cast_possible_truncation, reason = "any bits will do")]
        let random = self.integration.ports.ids.ulid().random() as u64;
        Ok(Step::Pause(Waiting {
            until: now.plus(backoff(failures, random)),
            why: WaitReason::Retry,
        }))
    }

    async fn read_whole(
        &mut self,
        unit: Box<dyn UnitOfWork>,
        partition: Option<PartitionNumber>,
        error: &KlaviyoError,
    ) -> Result<Step, Error> {
        if !partition.is_some_and(|partition| self.run.drop_range(partition)) {
            return self
                .retry(unit, partition, FailureCode::UpstreamInvalid, error)
                .await;
        }
        tracing::warn!(
            error = error as &dyn std::error::Error,
            "the list is read whole, in one partition"
        );
        self.commit_step(unit).await
    }

    async fn fail_for_good(
        &mut self,
        mut unit: Box<dyn UnitOfWork>,
        code: FailureCode,
        error: &KlaviyoError,
    ) -> Result<Step, Error> {
        let message = explain(code, error);
        let is_the_keys_fault = matches!(code, FailureCode::KeyInvalid | FailureCode::ScopeMissing);
        if is_the_keys_fault && let Some(mut connection) = unit.connection().await? {
            if connection.generation != self.connection.generation {
                // Klaviyo refused the old key. The next slice uses the new one.
                return Ok(Step::Yield);
            }
            connection.status = ConnectionStatus::Error;
            connection.message = Some(message.clone());
            unit.put_connection(&connection).await?;
        }
        self.run.fail(code, message, self.integration.now())?;
        self.commit_step(unit).await
    }
}

/// What happened and what to do, as a message for the organization's users.
fn explain(code: FailureCode, error: &KlaviyoError) -> String {
    match (code, error) {
        (FailureCode::KeyInvalid, _) => {
            "Klaviyo refused the API key. Connect a valid key under Settings, Integrations, then sync again.".to_owned()
        }
        (FailureCode::ScopeMissing, KlaviyoError::ScopeMissing(scopes)) => format!(
            "The Klaviyo API key lacks {}. Make a key with these scopes, connect it, then sync again.",
            scopes.join(", ")
        ),
        (FailureCode::ScopeMissing, _) => {
            "Klaviyo does not permit reading this with the connected key. Check the key's scopes and the account's plan.".to_owned()
        }
        (FailureCode::SourceGone, _) => {
            "Klaviyo no longer knows this list or segment, or it belongs to another account. The audience keeps its members.".to_owned()
        }
        (FailureCode::UpstreamUnavailable, _) => {
            format!("{error}. The pages read so far were kept; sync again later.")
        }
        (_, KlaviyoError::CursorRejected) => {
            "Klaviyo refused the cursor of the next page again and again. The pages read so far were kept; sync again, and tell support if it happens again.".to_owned()
        }
        _ => format!("{error}. The pages read so far were kept; sync again, and tell support if it happens again."),
    }
}

//! Pages of members: read, planned, written; and what is done about answers that are no page.

use std::time::Duration;

use fanfare_domain::connection::ConnectionStatus;
use fanfare_domain::failure::{FailureCode, Remedy, backoff, remedy};
use fanfare_domain::page::{keys, plan};
use fanfare_domain::ports::{KlaviyoError, MemberPage, MembersFrom, PageWrite, UnitOfWork};

use super::slice::{Held, Step, save};
use crate::browse::members_endpoint;
use crate::error::Error;
use crate::gateway::CallError;

/// A wait for our own pacing that is shorter than this is sat out; any other gives the worker back.
/// Whatever Klaviyo asks for by `Retry-After` is a second at least.
const SHORT_WAIT: Duration = Duration::from_millis(999);

impl Held<'_> {
    pub(super) async fn read_page(&mut self) -> Result<Step, Error> {
        let collection = &self.source.collection;
        let checkpoint = &self.run.checkpoint;
        let from = MembersFrom {
            joined_from: checkpoint.range_from,
            cursor: checkpoint.cursor.clone(),
        };
        let klaviyo = &self.integration.ports.klaviyo;
        let call = klaviyo.members(&self.connection.key, collection, &from);
        let gateway = self.integration.gateway();
        let call = gateway.call(
            &self.connection.account,
            members_endpoint(collection.kind),
            call,
        );
        match self.lease.keep_during(call).await? {
            None => Ok(Step::Lost),
            Some(Ok(page)) => self.take_page(page).await,
            Some(Err(error)) => self.not_answered(error).await,
        }
    }

    /// Everything that a page changes, and the checkpoint behind it, in one unit.
    async fn take_page(&mut self, page: MemberPage) -> Result<Step, Error> {
        let Some(mut unit) = self.lease.begin().await? else {
            return Ok(Step::Lost);
        };
        let now = self.integration.now();
        let started_at = self.run.started_at.unwrap_or(now);
        let (emails, profiles) = keys(&page.profiles);
        let known = unit.known(&self.run.id, &emails, &profiles).await?;
        let ids = self.integration.ports.ids.as_ref();
        let plan = plan(&page.profiles, known, started_at, now, ids);

        let write = PageWrite {
            run: &self.run.id,
            audience: &self.run.audience,
            plan: &plan,
            now,
        };
        let added = unit.write_page(write).await?;
        self.run.count_page(plan.tally, added)?;
        self.got_on();

        // A join dated in the future must not make a range that skips the present.
        let joined = page
            .profiles
            .iter()
            .filter_map(|profile| profile.joined_at)
            .max();
        let joined = joined.map(|at| at.min(now));
        let seen = plan.sightings.len() as u64;
        let moved = self
            .run
            .checkpoint
            .advance(page.next, joined, seen, self.run.progress.pages);
        if moved.is_err() {
            let message = "Klaviyo's pages of this list lead in a circle. The profiles of the \
                pages read so far were kept. Sync again later.";
            return self
                .fail(unit, FailureCode::CursorLoop, message.to_owned())
                .await;
        }
        self.source = save(unit.as_mut(), &self.run, self.source.clone(), now).await?;
        unit.commit().await?;
        Ok(Step::Go)
    }

    /// What is done about a call that gave no value.
    pub(super) async fn not_answered(&mut self, error: CallError) -> Result<Step, Error> {
        let error = match error {
            CallError::Klaviyo(error) => error,
            CallError::Store(error) => return Err(error.into()),
            CallError::NotBefore(until) => {
                let wait = until.since(self.integration.now());
                if wait > SHORT_WAIT {
                    return Ok(Step::Pause(until, "quota"));
                }
                let slept = self.lease.keep_during(tokio::time::sleep(wait)).await?;
                return Ok(if slept.is_some() {
                    Step::Go
                } else {
                    Step::Lost
                });
            }
        };
        let Some(unit) = self.lease.begin().await? else {
            return Ok(Step::Lost);
        };
        match remedy(&error) {
            Remedy::Wait => Ok(Step::Pause(self.integration.now(), "quota")),
            Remedy::Retry(code) => self.retry(unit, code, &error).await,
            Remedy::Reposition => self.reposition(unit, &error).await,
            Remedy::Fail(code) => self.fail_for_good(unit, code, &error).await,
        }
    }

    async fn retry(
        &mut self,
        mut unit: Box<dyn UnitOfWork>,
        code: FailureCode,
        error: &KlaviyoError,
    ) -> Result<Step, Error> {
        let now = self.integration.now();
        let goes_on = self.run.count_failure(code, explain(code, error), now)?;
        self.source = save(unit.as_mut(), &self.run, self.source.clone(), now).await?;
        unit.commit().await?;
        tracing::warn!(
            failures = self.run.failures,
            code = code.as_str(),
            error = error as &dyn std::error::Error,
            "Klaviyo gave no usable answer"
        );
        if !goes_on {
            return Ok(Step::Ended);
        }
        #[expect(clippy::cast_possible_truncation, reason = "any bits will do as dice")]
        let dice = self.integration.ports.ids.ulid().random() as u64;
        Ok(Step::Pause(
            now.plus(backoff(self.run.failures, dice)),
            "retry",
        ))
    }

    async fn reposition(
        &mut self,
        mut unit: Box<dyn UnitOfWork>,
        error: &KlaviyoError,
    ) -> Result<Step, Error> {
        if !self.run.checkpoint.reposition() {
            return self.retry(unit, FailureCode::UpstreamInvalid, error).await;
        }
        unit.save_run(&self.run).await?;
        unit.commit().await?;
        Ok(Step::Go)
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
            if connection.key != self.connection.sealed {
                // That was the old key: the next slice shows the new one.
                return Ok(Step::Yield);
            }
            connection.status = ConnectionStatus::Error;
            connection.message = Some(message.clone());
            unit.put_connection(&connection).await?;
        }
        self.fail(unit, code, message).await
    }
}

/// What happened and what to do, for the merchant.
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
        _ => format!("{error}. The pages read so far were kept; sync again, and tell support if it happens again."),
    }
}

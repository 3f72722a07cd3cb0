//! A run's place in the queue, and its lease.
//!
//! A run can be claimed when it is due and nobody holds it. `notify_at` is when the bell must ring if
//! nothing has happened until then: ten seconds after a ring, when the lease runs out, or when a
//! pause is over.

use std::time::Duration;

use fanfare_domain::ids::RunId;
use fanfare_domain::ports::{Claim, DueRun, StoreError};
use fanfare_domain::run::FencingToken;
use fanfare_domain::time::Timestamp;

use crate::error::{corrupt, store_error};
use crate::queue::NOTIFICATION_TIMEOUT;
use crate::rows::signed;
use crate::unit::SqliteUnit;

/// Makes a new run due, and rings.
pub(super) async fn enqueue(unit: &mut SqliteUnit, run: &RunId) -> Result<(), StoreError> {
    let now = unit.now();
    let (organization, connection) = unit.writing()?;
    let id = run.as_str();
    let (due_at, notify_at) = (now.as_micros(), now.plus(NOTIFICATION_TIMEOUT).as_micros());
    sqlx::query!(
        "INSERT INTO run_queue (organization_id, run_id, due_at, lease_until, token, ring_at)
         VALUES (?1, ?2, ?3, NULL, 0, ?4)",
        organization,
        id,
        due_at,
        notify_at
    )
    .execute(connection)
    .await
    .map_err(store_error)?;
    notify(unit, run, now).await
}

pub(super) async fn leave_queue(unit: &mut SqliteUnit, run: &RunId) -> Result<(), StoreError> {
    let (organization, connection) = unit.writing()?;
    let run = run.as_str();
    sqlx::query!(
        "DELETE FROM run_queue WHERE organization_id = ?1 AND run_id = ?2",
        organization,
        run
    )
    .execute(connection)
    .await
    .map_err(store_error)?;
    Ok(())
}

pub(super) async fn claim(
    unit: &mut SqliteUnit,
    run: &RunId,
    length: Duration,
) -> Result<Option<Claim>, StoreError> {
    let now = unit.now();
    let (organization, connection) = unit.writing()?;
    let run = run.as_str();
    let (now_micros, until) = (now.as_micros(), now.plus(length).as_micros());
    let place = sqlx::query!(
        "SELECT token, lease_until FROM run_queue
         WHERE organization_id = ?1 AND run_id = ?2
           AND due_at <= ?3 AND (lease_until IS NULL OR lease_until <= ?3)",
        organization,
        run,
        now_micros
    )
    .fetch_optional(&mut *connection)
    .await
    .map_err(store_error)?;
    let Some(place) = place else { return Ok(None) };
    // What was read stays true: this unit excludes every other writer.
    let token = place.token + 1;
    sqlx::query!(
        "INSERT INTO run_turns (organization_id, served_at) VALUES (?1, ?2)
         ON CONFLICT (organization_id) DO UPDATE SET served_at = excluded.served_at",
        organization,
        now_micros
    )
    .execute(&mut *connection)
    .await
    .map_err(store_error)?;
    sqlx::query!(
        "UPDATE run_queue SET token = ?3, lease_until = ?4, ring_at = ?4
         WHERE organization_id = ?1 AND run_id = ?2",
        organization,
        run,
        token,
        until
    )
    .execute(connection)
    .await
    .map_err(store_error)?;
    Ok(Some(Claim {
        token: FencingToken(u64::try_from(token).map_err(|_| corrupt("run_queue.token"))?),
        abandoned: place.lease_until.is_some(),
    }))
}

pub(super) async fn renew(
    unit: &mut SqliteUnit,
    run: &RunId,
    token: FencingToken,
    length: Duration,
) -> Result<bool, StoreError> {
    let now = unit.now();
    let (organization, connection) = unit.writing()?;
    let (run, token) = (run.as_str(), signed(token.0));
    let (now_micros, until) = (now.as_micros(), now.plus(length).as_micros());
    let done = sqlx::query!(
        "UPDATE run_queue SET lease_until = ?5, ring_at = ?5
         WHERE organization_id = ?1 AND run_id = ?2 AND token = ?3 AND lease_until > ?4",
        organization,
        run,
        token,
        now_micros,
        until
    )
    .execute(connection)
    .await
    .map_err(store_error)?;
    Ok(done.rows_affected() > 0)
}

pub(super) async fn release(
    unit: &mut SqliteUnit,
    run: &RunId,
    token: FencingToken,
    due: Option<Timestamp>,
) -> Result<bool, StoreError> {
    let now = unit.now();
    let due = due.unwrap_or(now);
    let is_due = due <= now;
    let (organization, connection) = unit.writing()?;
    let (id, token) = (run.as_str(), signed(token.0));
    let notify_at = if is_due {
        now.plus(NOTIFICATION_TIMEOUT)
    } else {
        due
    }
    .as_micros();
    let due_at = due.as_micros();
    let done = sqlx::query!(
        "UPDATE run_queue SET lease_until = NULL, due_at = ?4, ring_at = ?5
         WHERE organization_id = ?1 AND run_id = ?2 AND token = ?3 AND lease_until IS NOT NULL",
        organization,
        id,
        token,
        due_at,
        notify_at
    )
    .execute(connection)
    .await
    .map_err(store_error)?;
    if done.rows_affected() == 0 {
        return Ok(false);
    }
    if is_due {
        notify(unit, run, now).await?;
    }
    Ok(true)
}

async fn notify(unit: &mut SqliteUnit, run: &RunId, now: Timestamp) -> Result<(), StoreError> {
    let due = DueRun {
        organization: unit.organization.clone(),
        run: run.clone(),
    };
    unit.notifier.notify(&mut unit.tx, &[due], now).await
}

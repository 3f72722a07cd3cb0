//! A run's place in the queue, and its lease.
//!
//! A run can be claimed when it is due and nobody holds it. `ring_at` is when the bell must ring if
//! nothing has happened until then: ten seconds after a ring, when the lease runs out, or when a
//! pause is over.
//!
//! Time is the database's at the statement, the same for all processes: a worker whose own clock is
//! wrong neither loses its lease nor keeps it too long.

use std::time::Duration;

use fanfare_domain::ids::RunId;
use fanfare_domain::ports::{Claim, DueRun, StoreError};
use fanfare_domain::run::FencingToken;
use fanfare_domain::time::Timestamp;

use crate::queue::NOTIFICATION_TIMEOUT;
use crate::timeout::WithTimeout;
use crate::unit::PostgresUnit;
use fanfare_sql_rows::DbTimestamp;
use fanfare_sql_rows::corrupt;
use fanfare_sql_rows::signed;

/// Makes a new run due, and rings.
pub(super) async fn enqueue(unit: &mut PostgresUnit, run: &RunId) -> Result<(), StoreError> {
    let now = unit.now();
    let (organization, connection) = unit.writing()?;
    sqlx::query!(
        "WITH t AS MATERIALIZED (SELECT coalesce($3, clock_timestamp()) AS now)
         INSERT INTO run_queue (organization_id, run_id, due_at, lease_until, token, ring_at)
         SELECT $1, $2, t.now, NULL, 0, t.now + make_interval(secs => $4) FROM t",
        organization,
        run.as_str(),
        now as _,
        NOTIFICATION_TIMEOUT
    )
    .execute(connection)
    .with_timeout()
    .await?;
    notify(unit, run).await
}

pub(super) async fn leave_queue(unit: &mut PostgresUnit, run: &RunId) -> Result<(), StoreError> {
    let (organization, connection) = unit.writing()?;
    sqlx::query!(
        "DELETE FROM run_queue WHERE organization_id = $1 AND run_id = $2",
        organization,
        run.as_str()
    )
    .execute(connection)
    .with_timeout()
    .await?;
    Ok(())
}

pub(super) async fn claim(
    unit: &mut PostgresUnit,
    run: &RunId,
    length: Duration,
) -> Result<Option<Claim>, StoreError> {
    let now = unit.now();
    let (organization, connection) = unit.writing()?;
    let claimed = sqlx::query!(
        r#"WITH t AS MATERIALIZED (SELECT coalesce($3, clock_timestamp()) AS now),
           place AS MATERIALIZED (
            SELECT q.lease_until IS NOT NULL AS abandoned FROM t
            JOIN run_queue q ON q.due_at <= t.now AND (q.lease_until IS NULL OR q.lease_until <= t.now)
            WHERE q.organization_id = $1 AND q.run_id = $2
            FOR UPDATE OF q
           ),
           turn AS (
            INSERT INTO run_turns (organization_id, served_at) SELECT $1, t.now FROM t, place
            ON CONFLICT (organization_id) DO UPDATE SET served_at = excluded.served_at
           )
           UPDATE run_queue q SET token = q.token + 1,
            lease_until = t.now + make_interval(secs => $4),
            ring_at = t.now + make_interval(secs => $4)
           FROM t, place
           WHERE q.organization_id = $1 AND q.run_id = $2
           RETURNING q.token, place.abandoned AS "abandoned!""#,
        organization,
        run.as_str(),
        now as _,
        length.as_secs_f64()
    )
    .fetch_optional(connection)
    .with_timeout()
.await?;
    let Some(claimed) = claimed else {
        return Ok(None);
    };
    let token = u64::try_from(claimed.token).map_err(|_| corrupt("run_queue.token"))?;
    Ok(Some(Claim {
        token: FencingToken(token),
        abandoned: claimed.abandoned,
    }))
}

pub(super) async fn renew(
    unit: &mut PostgresUnit,
    run: &RunId,
    token: FencingToken,
    length: Duration,
) -> Result<bool, StoreError> {
    let now = unit.now();
    let (organization, connection) = unit.writing()?;
    let done = sqlx::query!(
        "WITH t AS MATERIALIZED (SELECT coalesce($4, clock_timestamp()) AS now)
         UPDATE run_queue q SET lease_until = t.now + make_interval(secs => $5),
            ring_at = t.now + make_interval(secs => $5)
         FROM t
         WHERE q.organization_id = $1 AND q.run_id = $2 AND q.token = $3 AND q.lease_until > t.now",
        organization,
        run.as_str(),
        signed(token.0),
        now as _,
        length.as_secs_f64()
    )
    .execute(connection)
    .with_timeout()
    .await?;
    Ok(done.rows_affected() > 0)
}

pub(super) async fn release(
    unit: &mut PostgresUnit,
    run: &RunId,
    token: FencingToken,
    due: Option<Timestamp>,
) -> Result<bool, StoreError> {
    let now = unit.now();
    let (organization, connection) = unit.writing()?;
    let is_due = sqlx::query_scalar!(
        r#"WITH n AS MATERIALIZED (SELECT coalesce($4, clock_timestamp()) AS now),
            t AS MATERIALIZED (SELECT now, coalesce($5, now) AS due FROM n)
           UPDATE run_queue q SET lease_until = NULL, due_at = t.due,
            ring_at = CASE WHEN t.due <= t.now THEN t.now + make_interval(secs => $6) ELSE t.due END
           FROM t
           WHERE q.organization_id = $1 AND q.run_id = $2 AND q.token = $3
             AND q.lease_until IS NOT NULL
           RETURNING t.due <= t.now AS "is_due!""#,
        organization,
        run.as_str(),
        signed(token.0),
        now as _,
        due.map(DbTimestamp) as _,
        NOTIFICATION_TIMEOUT
    )
    .fetch_optional(connection)
    .with_timeout()
    .await?;
    if is_due == Some(true) {
        notify(unit, run).await?;
    }
    Ok(is_due.is_some())
}

async fn notify(unit: &mut PostgresUnit, run: &RunId) -> Result<(), StoreError> {
    let due = DueRun {
        organization: unit.organization.clone(),
        run: run.clone(),
    };
    let notifier = unit.notifier;
    let (_, connection) = unit.writing()?;
    notifier.notify(connection, &[due]).await
}

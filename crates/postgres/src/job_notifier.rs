//! Job notifications: jobs in apalis's queue, put there by our own transaction.
//!
//! apalis offers no public way to enqueue inside a transaction of ours, so this file knows its schema, as
//! `fanfare-jobs` does. The insert does what `queries/task/sink.sql` of apalis-postgres 1.0.0 does; that crate's trigger on the table then notifies its workers when we commit, for jobs that are
//! due by the transaction's time.
//!
//! Work has one job at most: its payload is its idempotency key. A notification of work whose job is still
//! waiting for a worker adds nothing, so that a busy queue does not fill with repeats. Any other job of
//! the work is over or stuck with a worker that died, and makes room for the new one; if its handler is
//! at work after all, the handler goes on by our own tables. Nothing here is checked at compile time, because the
//! tables are made by apalis's migrations and not by ours; tests run it against those migrations.

use fanfare_domain::ports::StoreError;
use fanfare_domain::work::WorkItem;
use sqlx::PgConnection;
use ulid::Ulid;

use crate::error::OpenError;
use crate::timeout::WithTimeout;
use fanfare_sql_rows::{JobNotifier, QUEUE, job_payload};

/// Puts a job for each piece of work in apalis's queue, in the caller's transaction, which holds the row
/// of each in our own queue.
pub(crate) async fn notify(
    notifier: JobNotifier,
    connection: &mut PgConnection,
    work: &[WorkItem],
) -> Result<(), StoreError> {
    if notifier == JobNotifier::None || work.is_empty() {
        return Ok(());
    }
    let ids: Vec<String> = work.iter().map(|_| Ulid::generate().to_string()).collect();
    let payloads: Vec<String> = work.iter().map(job_payload).collect();
    // A job that waits for a time to come was made before the database's clock was set back.
    //
    // A job that a worker is writing at this moment is passed over: to wait for it could end in a
    // deadlock with apalis, which takes that badly. Workers are notified again if need be.
    sqlx::query(
        "WITH past AS MATERIALIZED (
            SELECT id FROM apalis.jobs
            WHERE job_type = $1 AND idempotency_key = ANY($2)
                AND (status <> 'Pending' OR run_at > now() + interval '2 s')
            FOR UPDATE SKIP LOCKED
         )
         DELETE FROM apalis.jobs j USING past WHERE j.id = past.id",
    )
    .bind(QUEUE)
    .bind(&payloads)
    .execute(&mut *connection)
    .with_timeout()
    .await?;
    // Never more than one attempt: workers are notified again of what failed, by our own rules. `''` is an
    // empty hstore, wherever that extension's schema is.
    sqlx::query(
        "INSERT INTO apalis.jobs (id, job_type, job, status, attempts, max_attempts, run_at,
            priority, metadata, idempotency_key)
         SELECT id, $1, convert_to(payload, 'UTF8'), 'Pending', 0, 1, now(), 0, '', payload
         FROM unnest($3::text[], $2::text[]) AS w (id, payload)
         ON CONFLICT (job_type, idempotency_key) DO NOTHING",
    )
    .bind(QUEUE)
    .bind(payloads)
    .bind(ids)
    .execute(connection)
    .with_timeout()
    .await?;
    Ok(())
}

/// What apalis's migrations want to find. They would make the extensions themselves, and say less
/// clearly what is missing.
const EXTENSIONS: &[&str] = &["hstore", "pgcrypto"];

/// The role's rights in apalis's schema: on what is there, and on what this owner makes later.
const GRANTS: &str = "
    CREATE EXTENSION IF NOT EXISTS hstore;
    CREATE EXTENSION IF NOT EXISTS pgcrypto;
    CREATE SCHEMA IF NOT EXISTS apalis;
    GRANT USAGE ON SCHEMA apalis TO fanfare_app;
    GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA apalis TO fanfare_app;
    ALTER DEFAULT PRIVILEGES IN SCHEMA apalis
        GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO fanfare_app";

/// Makes ready what apalis's migrations need and what its workers may do.
pub(crate) async fn prepare(connection: &mut PgConnection, place: &str) -> Result<(), OpenError> {
    let refused = |source| OpenError::Postgres {
        place: place.to_owned(),
        source,
    };
    let there: Vec<String> =
        sqlx::query_scalar("SELECT name::text FROM pg_available_extensions WHERE name = ANY($1)")
            .bind(EXTENSIONS)
            .fetch_all(&mut *connection)
            .await
            .map_err(refused)?;
    let missing: Vec<&str> = EXTENSIONS
        .iter()
        .copied()
        .filter(|name| !there.iter().any(|there| there == name))
        .collect();
    if !missing.is_empty() {
        return Err(OpenError::Extensions {
            place: place.to_owned(),
            missing: missing.join(" and "),
        });
    }
    sqlx::raw_sql(GRANTS)
        .execute(connection)
        .await
        .map_err(refused)?;
    Ok(())
}

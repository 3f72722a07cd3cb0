//! The bell: jobs in apalis's queue, put there by our own transaction.
//!
//! apalis offers no public way to enqueue inside a transaction of ours, so this file alone knows
//! its schema. The insert does what `queries/task/sink.sql` of apalis-postgres 1.0.0 does; that crate's
//! trigger on the table then notifies its workers when we commit, for jobs that are due by the
//! transaction's time. Nothing here is checked at compile time, because the tables are made by
//! apalis's migrations and not by ours; tests run it against those migrations.

use fanfare_domain::ports::{DueRun, StoreError};
use serde::Serialize;
use sqlx::PgConnection;
use ulid::Ulid;

use crate::error::{OpenError, store_error};

/// The queue in apalis that due runs are rung in. A job's payload is
/// `{"organizationId":"…","runId":"…"}`.
pub const QUEUE: &str = "klaviyo/sync-list";

/// Who is told that a run is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Doorbell {
    /// apalis's workers on the same database. Its tables must be there.
    Apalis,
    /// Nobody: whoever embeds the store looks after due runs.
    None,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Payload<'a> {
    organization_id: &'a str,
    run_id: &'a str,
}

impl Doorbell {
    /// Puts a job for each run in the queue, in the caller's transaction.
    pub(crate) async fn ring(
        self,
        connection: &mut PgConnection,
        runs: &[DueRun],
    ) -> Result<(), StoreError> {
        if self == Self::None || runs.is_empty() {
            return Ok(());
        }
        let ids: Vec<String> = runs.iter().map(|_| Ulid::generate().to_string()).collect();
        let payloads: Vec<Vec<u8>> = runs.iter().map(payload).collect();
        // Never more than one attempt: what failed is rung for again, by our own rules. `''` is an
        // empty hstore, wherever that extension's schema is.
        sqlx::query(
            "INSERT INTO apalis.jobs (id, job_type, job, status, attempts, max_attempts, run_at,
                priority, metadata)
             SELECT id, $2, job, 'Pending', 0, 1, now(), 0, ''
             FROM unnest($1::text[], $3::bytea[]) AS w (id, job)",
        )
        .bind(ids)
        .bind(QUEUE)
        .bind(payloads)
        .execute(connection)
        .await
        .map_err(store_error)?;
        Ok(())
    }
}

fn payload(due: &DueRun) -> Vec<u8> {
    serde_json::to_vec(&Payload {
        organization_id: due.organization.as_str(),
        run_id: due.run.as_str(),
    })
    .expect("two texts become JSON")
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

//! What every connection of the programs is told before its first use.

use std::io::ErrorKind;
use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{Connection, PgConnection, PgPool};
use tokio::time::timeout;

/// The role that every connection takes. It owns no table and does not bypass row security, so that
/// forgetting the organization shows nothing, whatever login made the connection.
pub const ROLE: &str = "fanfare_app";

/// How long a unit waits for a connection, which may have to be made.
pub(crate) const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(5);

/// How long a connection may take to answer a ping before each use. Short, so that a waiting caller finds
/// one that answers even where several no longer do.
const ALIVE: Duration = Duration::from_secs(1);

/// How long a connection may take to come back to the pool, rolling back what it was used for. Shorter
/// than a unit waits, so that one that hangs makes room before the waiting caller gives up.
pub(crate) const COMING_BACK: Duration = Duration::from_secs(2);

/// * `search_path`: no schema of that name can come before ours.
/// * `lock_timeout`: waiting for the organization's other writers, whose pages take milliseconds. It
///   is longer than that by far, and short enough that the waiting worker can still renew its lease (ten
///   seconds).
/// * `statement_timeout`: the longest statements are batches of a few thousand rows.
/// * `idle_in_transaction_session_timeout`: units are never open across a call to Klaviyo, so a program that
///   idles in one has died without closing the connection, or sleeps, and must not keep the organization
///   locked for as long as a lease. Longer than `lock_timeout`, so that a caller whom a slow unit
///   holds up tries again first.
/// * Planner: every statement reaches rows by key, a page or a batch at a time, for which nested loops
///   over indexes are right at every size of the tables. The planner cannot know: it guesses an
///   array's length, takes a run that began after the latest statistics for one without rows, and
///   keeps a plan that it made for an empty table while the table fills. It is not asked, therefore.
///   Which side of a loop is looked up in the other is said in the statements, by `LATERAL (… OFFSET 0)`:
///   Postgres never turns such a subquery around. Compiling such short plans costs more than it saves.
const SESSION: &str = "
    SET ROLE fanfare_app;
    SET search_path = public;
    SET lock_timeout = '5s';
    SET statement_timeout = '15s';
    SET idle_in_transaction_session_timeout = '6s';
    SET enable_seqscan = off;
    SET enable_hashjoin = off;
    SET enable_mergejoin = off;
    SET jit = off";

/// What connections for our own statements are told as well. Where an organization's rows can be reached by two
/// indexes, the planner takes both for equally good as long as it believes that the organization has
/// one row: because of no statistics, of old ones, or of those of an empty table. Then:
///
/// * By the primary key: every other index is partial, on `IS NOT NULL` of a column that a look-up by the
///   primary key does not name, and so it cannot be used.
/// * By another index: the statement asks for a range, `>=` and `<=` the same value, in the order of that index.
///   By the primary key it would have to sort, which is refused here. It asks for a range because rows with
///   equal values need no sorting, as the planner knows.
///
/// A statement is planned once for a connection, and not at each use: to plan it takes longer than to do it, and the plan is
/// the same for all parameters. Citus looks for a shard by the parameters' values, so it has to plan.
const OURS: &str = "
    SET enable_sort = off;
    SELECT set_config('plan_cache_mode', 'force_generic_plan', false)
    WHERE NOT EXISTS (SELECT FROM pg_extension WHERE extname = 'citus')";

/// The role itself may have been told otherwise (`docs/SCALING.md`).
const JOB_QUEUE: &str = "SET enable_sort = on";

/// Whose statements connections are for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Statements {
    /// Ours, which say by which index they go.
    Ours,
    /// The job queue's, which do not.
    JobQueue,
    /// Ours, of checks at the door: thousands in a second, of a few messages each.
    Checks,
}

/// A pool of such connections, each of which is closed when it comes back after this lifetime. It connects when it
/// is first used.
///
/// A unit that gave up waiting leaves an unfinished statement behind. A connection that returns to the pool
/// must answer in time, or it is closed: one that hangs would keep its place for ever. `transaction.rs` bounds
/// closing it.
pub(crate) fn pool(
    connect: PgConnectOptions,
    connections: u32,
    statements: Statements,
    lifetime: Duration,
) -> PgPool {
    PgPoolOptions::new()
        .max_connections(connections)
        .max_lifetime(lifetime)
        .acquire_timeout(ACQUIRE_TIMEOUT)
        .after_connect(move |connection, _| {
            Box::pin(async move {
                sqlx::raw_sql(SESSION).execute(&mut *connection).await?;
                let more = match statements {
                    Statements::Ours | Statements::Checks => OURS,
                    Statements::JobQueue => JOB_QUEUE,
                };
                sqlx::raw_sql(more).execute(connection).await?;
                Ok(())
            })
        })
        // The pool's own test waits for ever.
        .test_before_acquire(false)
        .before_acquire(move |connection, state| {
            let has_just_answered = statements == Statements::Checks && state.idle_for < ALIVE;
            Box::pin(async move { Ok(has_just_answered || answers(connection, ALIVE).await?) })
        })
        .after_release(move |connection, _| {
            // A transaction gives back no connection that owes an answer.
            let has_answered = statements == Statements::Checks;
            Box::pin(async move { Ok(has_answered || answers(connection, COMING_BACK).await?) })
        })
        .connect_lazy_with(connect)
}

/// Whether Citus is installed, which distributes tables over several servers (`docs/SCALING.md`).
pub(crate) async fn is_distributed(pool: &PgPool) -> Result<bool, sqlx::Error> {
    let find = sqlx::query_scalar!(
        r#"SELECT EXISTS (SELECT FROM pg_extension WHERE extname = 'citus') AS "is_there!""#
    );
    find.fetch_one(pool).await
}

/// Whether a connection is of use; one that is not is closed without more ado.
async fn answers(connection: &mut PgConnection, within: Duration) -> Result<bool, sqlx::Error> {
    match timeout(within, connection.ping()).await {
        Ok(answer) => answer.map(|()| true),
        Err(_) => Err(sqlx::Error::Io(ErrorKind::TimedOut.into())),
    }
}

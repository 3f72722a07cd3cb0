//! A unit of work: one transaction, one organization.
//!
//! The first statement of a transaction names the organization to Postgres, until the transaction
//! ends; row security shows that organization's rows and no others. It is a `SET LOCAL`. It goes with `BEGIN` in one message,
//! and so does the lock of a unit that writes: for each message a busy server may take a millisecond. Where the rows are
//! distributed over several servers, each statement is a message: Citus sends the `SET LOCAL` on to each server, as it
//! came, and does not send on what `set_config` sets (`docs/SCALING.md`).
//!
//! A writing unit then takes an advisory lock on the organization, and every
//! statement after it sees what the holder before has committed (`READ COMMITTED`). Why not the lock
//! of the organization's row: that writes to the row, so each page would leave a version to be
//! vacuumed and a record in the log, and it needs the row to be there. The key of an advisory lock is
//! a number: two organizations whose ids have the same 64-bit hash wait for each other, which is
//! harmless. The lock goes with the transaction, however that ends; a holder that died is ended by
//! `idle_in_transaction_session_timeout`.
//!
//! A reading unit is `REPEATABLE READ READ ONLY`: it sees the state of its first statement, and waits
//! for no writer.

use std::sync::Arc;

use async_trait::async_trait;
use fanfare_domain::ids::OrganizationId;
use fanfare_domain::ports::{Clock, StoreError, UnitOfWork};
use fanfare_domain::time::Timestamp;
use sqlx::postgres::PgRow;
use sqlx::{AssertSqlSafe, PgConnection, Row};

use crate::fair_pool::FairPool;
use crate::literal::literal;
use crate::timeout::WithTimeout;
use crate::transaction::Transaction;
use fanfare_sql_rows::{DbTimestamp, JobNotifier, Permit, corrupt};

/// Keeps our locks apart from those that others take by hashes of the same texts.
const LOCK_SEED: i64 = 0x0046_414E_4641_5245;

/// What statements run on.
pub(crate) type Connection = PgConnection;

pub(crate) struct Unit {
    tx: Transaction,
    pub(crate) organization: OrganizationId,
    pub(crate) notifier: JobNotifier,
    clock: Option<Arc<dyn Clock>>,
    is_distributed: bool,
    /// When a unit for writing had the organization's lock; `None` in one for reading.
    writing_since: Option<Timestamp>,
    // Given back after a commit; after a rollback the connection is still busy with it for a moment.
    _permit: Permit,
}

/// What a unit is opened with.
pub(crate) struct Opening<'a> {
    pub(crate) pool: &'a FairPool<OrganizationId>,
    pub(crate) organization: &'a OrganizationId,
    pub(crate) notifier: JobNotifier,
    pub(crate) clock: Option<Arc<dyn Clock>>,
    /// Whether Citus distributes the tables.
    pub(crate) is_distributed: bool,
}

impl Unit {
    pub(crate) async fn read(opening: Opening<'_>) -> Result<Self, StoreError> {
        let begin = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";
        Self::begin(opening, begin).await
    }

    /// The same for a search, whose statements the server gives up.
    pub(crate) async fn search(opening: Opening<'_>) -> Result<Self, StoreError> {
        // Later than the search itself is given up, so that it is said what took too long.
        let begin =
            "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET LOCAL statement_timeout = '3s'";
        Self::begin(opening, begin).await
    }

    pub(crate) async fn write(opening: Opening<'_>) -> Result<Self, StoreError> {
        // The select list is computed when the lock is there.
        let lock = format!(
            "SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint
             FROM pg_advisory_xact_lock(hashtextextended({}, {LOCK_SEED}))",
            literal(opening.organization.as_str())
        );
        let begin = "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE";
        let (mut unit, locked) = Self::begin_with(opening, begin, Some(lock)).await?;
        let locked_at = locked.and_then(|row| row.try_get(0).ok());
        let locked_at = locked_at.and_then(Timestamp::from_micros);
        let now = unit.now().or(locked_at.map(DbTimestamp));
        let DbTimestamp(now) = now.ok_or_else(|| corrupt("the database's time"))?;
        unit.writing_since = Some(now);
        Ok(unit)
    }

    async fn begin(opening: Opening<'_>, begin: &str) -> Result<Self, StoreError> {
        let (unit, _) = Self::begin_with(opening, begin, None).await?;
        Ok(unit)
    }

    /// Begins a unit, whose first statement may return a row.
    async fn begin_with(
        opening: Opening<'_>,
        begin: &str,
        first: Option<String>,
    ) -> Result<(Self, Option<PgRow>), StoreError> {
        let organization = opening.organization;
        let name = literal(organization.as_str());
        let name = format!("SET LOCAL fanfare.organization_id = {name}");
        let mut messages: Vec<String> = [begin.to_owned(), name].into_iter().chain(first).collect();
        if !opening.is_distributed {
            messages = vec![messages.join("; ")];
        }
        let (mut tx, permit) = opening.pool.connection(organization).await?;
        let mut row = None;
        for message in messages {
            let message = sqlx::raw_sql(AssertSqlSafe(message));
            let rows = message.fetch_all(&mut *tx).with_timeout().await?;
            row = rows.into_iter().next();
        }
        let unit = Self {
            tx,
            organization: organization.clone(),
            notifier: opening.notifier,
            clock: opening.clock,
            is_distributed: opening.is_distributed,
            writing_since: None,
            _permit: permit,
        };
        Ok((unit, row))
    }

    /// The organization, which is the first parameter of every statement, and the connection.
    pub(crate) fn reading(&mut self) -> (&str, &mut Connection) {
        (self.organization.as_str(), &mut self.tx)
    }

    /// The same, for a statement that writes.
    pub(crate) fn writing(&mut self) -> Result<(&str, &mut Connection), StoreError> {
        self.writing_since.ok_or(StoreError::ReadOnly)?;
        Ok(self.reading())
    }

    /// The same, for a statement that overwrites or deletes a secret.
    ///
    /// Postgres overwrites nothing in place: the dead row stays until it is vacuumed, which the table
    /// asks for within a minute, and copies stay in its log and in backups. What is in them is sealed.
    pub(crate) fn writing_secret(&mut self) -> Result<(&str, &mut Connection), StoreError> {
        self.writing()
    }

    /// What time a test says it is. `None`: what the database says.
    pub(crate) fn now(&self) -> Option<DbTimestamp> {
        self.clock.as_ref().map(|clock| DbTimestamp(clock.now()))
    }
}

#[async_trait]
impl UnitOfWork for Unit {
    fn organization(&self) -> &OrganizationId {
        &self.organization
    }

    fn writing_since(&self) -> Result<Timestamp, StoreError> {
        self.writing_since.ok_or(StoreError::ReadOnly)
    }

    async fn commit(self: Box<Self>) -> Result<(), StoreError> {
        let mut tx = self.tx;
        // After a failed statement, COMMIT rolls back and reports no error. The other statement does report one.
        if self.is_distributed {
            let has_failed = sqlx::raw_sql("SELECT 1");
            has_failed.execute(&mut *tx).with_timeout().await?;
            return tx.commit().with_timeout().await;
        }
        tx.end_by("SELECT 1; COMMIT").with_timeout().await
    }
}

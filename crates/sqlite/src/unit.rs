//! A unit of work: one transaction, one organization.
//!
//! SQLite has one writer at a time in the whole file, so `BEGIN IMMEDIATE` excludes every other
//! writing unit, of this process and of others. A reading unit is one deferred transaction: it sees
//! the state of its first statement, and waits for no writer.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use fanfare_domain::ids::OrganizationId;
use fanfare_domain::ports::{Clock, StoreError, UnitOfWork};
use fanfare_domain::time::Timestamp;
use fanfare_sql_rows::{DbTimestamp, JobNotifier, Permit};
use sqlx::{AssertSqlSafe, Sqlite, SqliteConnection, SqlitePool, Transaction};

use crate::checkpoints::Checkpoints;
use crate::options::BUSY_TIMEOUT;
use crate::timeout::WithTimeout;

/// What statements run on.
pub(crate) type Connection = SqliteConnection;

/// Where a unit's connection came from that may write, and who copies the log that it leaves.
pub(crate) struct Writer {
    pub(crate) connection: SqlitePool,
    pub(crate) checkpoints: Checkpoints,
}

pub(crate) struct Unit {
    pub(crate) tx: Transaction<'static, Sqlite>,
    pub(crate) organization: OrganizationId,
    pub(crate) clock: Arc<dyn Clock>,
    /// When the unit was opened, which for a writer is after the writer before it ended.
    pub(crate) opened_at: Timestamp,
    pub(crate) notifier: JobNotifier,
    /// Where this unit's connection came from, if it may write.
    pub(crate) writer: Option<Writer>,
    /// Whether a secret was overwritten or deleted.
    pub(crate) has_shredded: bool,
    /// The organization's share of reads or of searches.
    pub(crate) _permit: Option<Permit>,
}

impl Unit {
    /// The organization, which is the first parameter of every statement, and the connection.
    pub(crate) fn reading(&mut self) -> (&str, &mut Connection) {
        (self.organization.as_str(), &mut self.tx)
    }

    /// The same, for a statement that writes. A reading unit's connection has `query_only` set, so
    /// that SQLite too would refuse.
    pub(crate) fn writing(&mut self) -> Result<(&str, &mut Connection), StoreError> {
        if self.writer.is_none() {
            return Err(StoreError::ReadOnly);
        }
        Ok(self.reading())
    }

    /// The same, for a statement that overwrites or deletes a secret.
    pub(crate) fn writing_secret(&mut self) -> Result<(&str, &mut Connection), StoreError> {
        self.has_shredded = true;
        self.writing()
    }

    pub(crate) fn now(&self) -> DbTimestamp {
        DbTimestamp(self.clock.now())
    }
}

#[async_trait]
impl UnitOfWork for Unit {
    fn organization(&self) -> &OrganizationId {
        &self.organization
    }

    fn writing_since(&self) -> Result<Timestamp, StoreError> {
        self.writer.as_ref().ok_or(StoreError::ReadOnly)?;
        Ok(self.opened_at)
    }

    async fn commit(self: Box<Self>) -> Result<(), StoreError> {
        let Self {
            tx,
            writer,
            has_shredded,
            ..
        } = *self;
        tx.commit().with_timeout().await?;
        if let Some(writer) = writer {
            writer.checkpoints.committed();
            if has_shredded {
                empty_log(&writer.connection).await;
            }
        }
        Ok(())
    }
}

/// Moves the write-ahead log into the database and cuts it to nothing. The database's own pages are
/// overwritten (`secure_delete`), but the log would keep a secret until it wraps around.
///
/// Readers are waited for in short tries: no program can write meanwhile.
pub(crate) async fn empty_log(writer: &SqlitePool) {
    const TRIES: u32 = 10;
    const PAUSE: Duration = Duration::from_millis(100);
    for _ in 0..TRIES {
        match is_log_emptied(writer).await {
            Ok(true) => return,
            Ok(false) => tokio::time::sleep(PAUSE).await,
            Err(error) => {
                let error = &error as &dyn std::error::Error;
                tracing::warn!(error, "{LEFT}");
                return;
            }
        }
    }
    tracing::warn!("{LEFT}: other programs have been reading it for long");
}

/// The deletion itself is done; the log is overwritten as more is written.
const LEFT: &str =
    "the write-ahead log could not be emptied after a key was deleted or sealed anew";

async fn is_log_emptied(writer: &SqlitePool) -> Result<bool, sqlx::Error> {
    const SHORT: Duration = Duration::from_millis(200);
    let mut connection = writer.acquire().await?;
    wait_for(&mut connection, SHORT).await?;
    // A log that readers keep in use is an answer, and no error.
    let emptied = sqlx::query_scalar("PRAGMA wal_checkpoint(TRUNCATE)")
        .fetch_one(&mut *connection)
        .await;
    wait_for(&mut connection, BUSY_TIMEOUT).await?;
    emptied.map(|busy: i64| busy == 0)
}

/// Lets a connection wait so long for others.
async fn wait_for(connection: &mut Connection, time: Duration) -> Result<(), sqlx::Error> {
    let statement = format!("PRAGMA busy_timeout = {}", time.as_millis());
    let set = sqlx::query(AssertSqlSafe(statement)).execute(connection);
    set.await.map(drop)
}

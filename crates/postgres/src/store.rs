//! The store: connections for reading and for writing.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use fanfare_domain::door::{DoorRead, People};
use fanfare_domain::ids::{AudienceId, OrganizationId};
use fanfare_domain::ports::{Audiences, Clock, Store, StoreError, UnitOfWork};
use sqlx::PgPool;
use sqlx::postgres::PgConnectOptions;
use tokio::time::timeout;

use crate::clock::StoreClock;
use crate::door;
use crate::error::OpenError;
use crate::fair_pool::FairPool;
use crate::options::{PostgresOptions, place};
use crate::schema;
use crate::session::{self, Statements};
use crate::timeout::{ANSWER_TIMEOUT, SEARCH_LIMIT, WithTimeout};
use crate::transaction::Transaction;
use crate::unit::{Opening, Unit};
use fanfare_sql_rows::DbTimestamp;
use fanfare_sql_rows::{JobNotifier, SchemaVersion};

/// Every storage port on one Postgres database. Clones share its connections.
#[derive(Clone)]
pub struct PostgresStore {
    /// Apart from the writers, who may wait for each other: reading waits for no writer.
    readers: FairPool<OrganizationId>,
    writers: FairPool<OrganizationId>,
    /// For searches alone: nothing else waits for one.
    searchers: FairPool<OrganizationId>,
    /// For checks at the door alone: they wait for nothing else.
    door: FairPool<OrganizationId>,
    /// For what is no organization's: keys, the queue of due runs, health. None of it waits for an
    /// organization.
    pub(crate) control: PgPool,
    /// Of the same connections, by account: reservations wait for each other.
    pub(crate) ledger: FairPool<String>,
    pub(crate) notifier: JobNotifier,
    /// What time a test says it is.
    clock: Option<Arc<dyn Clock>>,
    /// What time the server says it is.
    server_clock: StoreClock,
    /// Whether Citus distributes the tables, or may do so.
    is_distributed: bool,
    connect: PgConnectOptions,
    lifetime: Duration,
}

/// How the text shared with SQLite calls the store.
pub(crate) type SqlStore = PostgresStore;

impl PostgresStore {
    /// Opens a store that `migrate` of this version has prepared, and refuses every other.
    pub async fn open(options: PostgresOptions) -> Result<Self, OpenError> {
        match timeout(ANSWER_TIMEOUT, schema::check(&options.connect)).await {
            Ok(checked) => checked?,
            Err(_) => {
                return Err(OpenError::NoAnswer {
                    place: place(&options.connect),
                });
            }
        }
        let most = options.connections;
        let pool = |connections| {
            let (connect, lifetime) = (options.connect.clone(), options.lifetime);
            session::pool(connect, connections, Statements::Ours, lifetime)
        };
        let (connect, lifetime) = (options.connect.clone(), options.lifetime);
        let door = session::pool(connect, most, Statements::Checks, lifetime);
        let part_of = |connections: u32, part: u32| connections.div_ceil(part) as usize;
        let control = pool(most.div_ceil(2));
        let server_clock = StoreClock::start(&control).await;
        let is_distributed = session::is_distributed(&control).with_timeout().await;
        let no_answer = |_| OpenError::NoAnswer {
            place: place(&options.connect),
        };
        let server_clock = server_clock.map_err(no_answer)?;
        let is_distributed = is_distributed.map_err(no_answer)?;
        Ok(Self {
            readers: FairPool::new(pool(most), part_of(most, 2)),
            // Of an organization's writers, one works and another waits for its lock.
            writers: FairPool::new(pool(most), part_of(most, 4)),
            searchers: FairPool::of_searches(
                pool(most.div_ceil(2)),
                part_of(most, 4),
                SEARCH_LIMIT,
            ),
            door: FairPool::new(door, part_of(most, 2)),
            ledger: FairPool::new(control.clone(), part_of(most, 4)),
            control,
            notifier: options.notifier,
            clock: options.clock,
            server_clock,
            is_distributed,
            connect: options.connect,
            lifetime: options.lifetime,
        })
    }

    /// The store's time, which is the database server's: the same for all processes, whatever the clocks of their
    /// machines show.
    pub fn clock(&self) -> Arc<dyn Clock> {
        match &self.clock {
            Some(clock) => Arc::clone(clock),
            None => Arc::new(self.server_clock.clone()),
        }
    }

    /// `HOST:PORT/DATABASE`, for people.
    pub fn place(&self) -> String {
        place(&self.connect)
    }

    /// More connections to the same database, in the same role and told the same, for what else reads its rows.
    pub fn pool(&self, connections: u32) -> PgPool {
        self.pool_for(Statements::Ours, connections)
    }

    /// The same for the job queue, whose statements are planned as usual.
    pub fn job_pool(&self, connections: u32) -> PgPool {
        self.pool_for(Statements::JobQueue, connections)
    }

    fn pool_for(&self, statements: Statements, connections: u32) -> PgPool {
        session::pool(self.connect.clone(), connections, statements, self.lifetime)
    }

    /// Whether the database answers, and has the schema of this program.
    pub async fn health(&self) -> Result<(), OpenError> {
        let place = self.place();
        match self.control.acquire().await {
            Ok(mut connection) => schema::must_fit(&mut connection, &place).await,
            Err(source) => Err(OpenError::Unreachable { place, source }),
        }
    }

    /// Whether the schema is a newer version's, on which this one runs.
    pub async fn has_successor_schema(&self) -> Result<bool, OpenError> {
        let found = async { schema::version(&mut *self.control.acquire().await?).await };
        match found.await {
            Ok(found) => Ok(found == SchemaVersion::Successor),
            Err(source) => Err(OpenError::Postgres {
                place: self.place(),
                source,
            }),
        }
    }

    /// What tells this place of the database from another one to which a dump of it was restored: the cluster, and the
    /// database in it. `None` where the server does not tell.
    pub async fn identity(&self) -> Result<Option<String>, StoreError> {
        let find = sqlx::query_scalar!(
            "SELECT (SELECT system_identifier FROM pg_control_system()) || '/' || oid
             FROM pg_database WHERE datname = current_database()"
        );
        match find.fetch_one(&self.control).with_timeout().await {
            // Some hosts allow no role to ask for the cluster.
            Err(StoreError::Refused(_)) => Ok(None),
            found => found,
        }
    }

    /// Closes all connections, waiting for those in use.
    pub async fn close(&self) {
        tokio::join!(
            self.readers.close(),
            self.writers.close(),
            self.searchers.close(),
            self.door.close(),
            self.control.close()
        );
    }

    /// The connections for reading what is no organization's.
    pub(crate) fn reader(&self) -> &PgPool {
        &self.control
    }

    /// The connections for writing what is no organization's.
    pub(crate) fn writer(&self) -> &PgPool {
        &self.control
    }

    /// The connections for the ledger of quotas.
    pub(crate) fn ledger_connections(&self) -> &PgPool {
        &self.control
    }

    /// A transaction on what is no organization's.
    pub(crate) async fn begin_writing(&self) -> Result<Transaction, StoreError> {
        Transaction::begin(&self.control).with_timeout().await
    }

    /// What time a test says it is. `None`: what the database says.
    pub(crate) fn now(&self) -> Option<DbTimestamp> {
        self.clock.as_ref().map(|clock| DbTimestamp(clock.now()))
    }

    fn opening<'a>(
        &self,
        pool: &'a FairPool<OrganizationId>,
        organization: &'a OrganizationId,
    ) -> Opening<'a> {
        Opening {
            pool,
            organization,
            notifier: self.notifier,
            clock: self.clock.clone(),
            is_distributed: self.is_distributed,
        }
    }
}

#[async_trait]
impl Store for PostgresStore {
    async fn read(&self, organization: &OrganizationId) -> Result<Box<dyn UnitOfWork>, StoreError> {
        let opening = self.opening(&self.readers, organization);
        Ok(Box::new(Unit::read(opening).await?))
    }

    async fn search(
        &self,
        organization: &OrganizationId,
    ) -> Result<Box<dyn UnitOfWork>, StoreError> {
        let opening = self.opening(&self.searchers, organization);
        Ok(Box::new(Unit::search(opening).await?))
    }

    async fn check_members(
        &self,
        organization: &OrganizationId,
        audience: &AudienceId,
        people: &People,
    ) -> Result<Option<DoorRead>, StoreError> {
        if self.is_distributed {
            // The nodes learn the organization's name only from a message of its own.
            let opening = self.opening(&self.door, organization);
            let mut unit = Unit::read(opening).await?;
            return unit.members_among(audience, people).await;
        }
        door::check_members(&self.door, organization, audience, people).await
    }

    async fn begin(
        &self,
        organization: &OrganizationId,
    ) -> Result<Box<dyn UnitOfWork>, StoreError> {
        let opening = self.opening(&self.writers, organization);
        Ok(Box::new(Unit::write(opening).await?))
    }
}

//! A store in memory: an organization's rows are one value; a unit of work has a copy of it, and its
//! commit puts the copy in its place.

mod control;
mod pages;
mod records;
mod runs;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use fanfare_domain::audience::Audience;
use fanfare_domain::connection::Connection;
use fanfare_domain::consumer::{Consumer, ProfileLink};
use fanfare_domain::ids::{AudienceId, ConsumerId, OrganizationId, ProfileId, RunId, SourceId};
use fanfare_domain::issue::Issue;
use fanfare_domain::organization::{Organization, SecretKey};
use fanfare_domain::page::SeenProfile;
use fanfare_domain::ports::{Clock, Store, StoreError, UnitOfWork};
use fanfare_domain::quota::{Bucket, Endpoint};
use fanfare_domain::run::{FencingToken, SyncRun};
use fanfare_domain::source::CollectionSource;
use fanfare_domain::time::Timestamp;
use tokio::sync::OwnedMutexGuard;

/// Every storage port.
pub(crate) struct Memory {
    clock: Arc<dyn Clock>,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    tenants: Mutex<HashMap<OrganizationId, Rows>>,
    control: Mutex<Control>,
    /// Few write at once here, so one lock serves all organizations.
    writer: Arc<tokio::sync::Mutex<()>>,
}

#[derive(Default)]
struct Control {
    organizations: BTreeMap<OrganizationId, Organization>,
    keys: Vec<SecretKey>,
    buckets: HashMap<(String, Endpoint), Bucket>,
}

/// One organization's rows.
#[derive(Clone, Default)]
struct Rows {
    connection: Option<Connection>,
    sources: BTreeMap<SourceId, CollectionSource>,
    audiences: BTreeMap<AudienceId, Audience>,
    consumers: BTreeMap<ConsumerId, Row<Consumer>>,
    links: BTreeMap<ProfileId, Row<ProfileLink>>,
    /// By audience, and the run that added each.
    members: BTreeMap<AudienceId, BTreeMap<ConsumerId, RunId>>,
    seen_profiles: BTreeMap<RunId, BTreeMap<ProfileId, SeenProfile>>,
    issues: BTreeMap<RunId, BTreeMap<String, Issue>>,
    /// Runs during which links have moved.
    moved_links: BTreeSet<RunId>,
    runs: BTreeMap<RunId, SyncRun>,
    leases: BTreeMap<RunId, Lease>,
}

#[derive(Clone)]
struct Row<T> {
    value: T,
    created_at: Timestamp,
    updated_at: Option<Timestamp>,
}

/// An active run's place in the queue.
#[derive(Clone)]
struct Lease {
    due: Timestamp,
    held_until: Option<Timestamp>,
    token: FencingToken,
}

impl Lease {
    fn is_waiting(&self, now: Timestamp) -> bool {
        self.due <= now && self.held_until.is_none_or(|until| until <= now)
    }
}

struct Unit {
    organization: OrganizationId,
    shared: Arc<Shared>,
    rows: Rows,
    now: Timestamp,
    /// `None` in a unit for reading.
    writer: Option<OwnedMutexGuard<()>>,
}

impl Unit {
    fn write(&mut self) -> Result<&mut Rows, StoreError> {
        match self.writer {
            Some(_) => Ok(&mut self.rows),
            None => Err(StoreError::ReadOnly),
        }
    }
}

impl Memory {
    pub(crate) fn new(clock: Arc<dyn Clock>) -> Self {
        Self {
            clock,
            shared: Arc::default(),
        }
    }

    fn open(&self, of: &OrganizationId, writer: Option<OwnedMutexGuard<()>>) -> Unit {
        Unit {
            organization: of.clone(),
            shared: self.shared.clone(),
            rows: lock(&self.shared.tenants)
                .get(of)
                .cloned()
                .unwrap_or_default(),
            now: self.clock.now(),
            writer,
        }
    }
}

#[async_trait]
impl Store for Memory {
    async fn read(&self, of: &OrganizationId) -> Result<Box<dyn UnitOfWork>, StoreError> {
        Ok(Box::new(self.open(of, None)))
    }

    async fn begin(&self, of: &OrganizationId) -> Result<Box<dyn UnitOfWork>, StoreError> {
        let writer = self.shared.writer.clone().lock_owned().await;
        Ok(Box::new(self.open(of, Some(writer))))
    }
}

#[async_trait]
impl UnitOfWork for Unit {
    fn organization(&self) -> &OrganizationId {
        &self.organization
    }

    async fn commit(self: Box<Self>) -> Result<(), StoreError> {
        let unit = *self;
        if unit.writer.is_some() {
            lock(&unit.shared.tenants).insert(unit.organization, unit.rows);
        }
        Ok(())
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A write that the keys of a database would forbid.
fn refused(why: &'static str) -> StoreError {
    StoreError::Refused(why.into())
}

/// The consumers that the profiles seen by a run are linked to.
fn seen_consumers<'a>(rows: &'a Rows, run: &RunId) -> BTreeSet<&'a ConsumerId> {
    let seen = rows.seen_profiles.get(run).into_iter().flatten();
    seen.filter_map(|(profile, _)| Some(&rows.links.get(profile)?.value.consumer))
        .collect()
}

//! A store in memory that keeps the ports' contracts, with faults that a test orders.
//!
//! An organization's rows are one value. A unit of work has a copy of it and `commit` puts the copy
//! in its place, so dropping a unit leaves no trace and a reader keeps its snapshot. A writing unit
//! holds its organization's lock until it ends.

mod audiences;
mod consumers;
mod contacts;
mod control;
mod deliveries;
mod erasures;
mod faults;
mod history;
mod kept_lists;
mod leases;
mod pages;
mod retention;
mod rows;
mod runs;
mod schedules;
mod sources;
mod unit;
mod webhooks;
mod work_queue;

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Poll;

use async_trait::async_trait;
use fanfare_domain::door::{DoorRead, People};
use fanfare_domain::ids::{AudienceId, KeyId, OrganizationId, RunId};
use fanfare_domain::organization::{Organization, SecretKey};
use fanfare_domain::ports::{Audiences, Clock, Store, StoreError, UnitOfWork};
use fanfare_domain::quota::{Bucket, Endpoint};
use fanfare_domain::rate_limit::{Counted, RequestCount};
use fanfare_domain::time::Timestamp;
use fanfare_domain::work::WorkItem;
use tokio::sync::mpsc;

use faults::Faults;
use rows::Rows;
use unit::{Mode, Unit};

pub use faults::Operation;

/// Every storage port, in memory. Its clones share one store.
#[derive(Clone)]
pub struct InMemoryStore {
    inner: Arc<Inner>,
}

struct Inner {
    clock: Arc<dyn Clock>,
    state: Mutex<State>,
    writers: Mutex<HashMap<OrganizationId, Arc<tokio::sync::Mutex<()>>>>,
    listeners: Mutex<Vec<mpsc::UnboundedSender<WorkItem>>>,
    faults: Faults,
}

/// The committed rows of all organizations.
#[derive(Default)]
struct State {
    tenants: BTreeMap<OrganizationId, Arc<Rows>>,
    /// When a worker was last notified of work; forgotten once the work is claimed.
    notified: HashMap<WorkItem, Timestamp>,
    organizations: BTreeMap<OrganizationId, Organization>,
    keys: BTreeMap<KeyId, SecretKey>,
    buckets: HashMap<(String, Endpoint), Bucket>,
    request_counts: HashMap<(OrganizationId, Counted), RequestCount>,
}

impl InMemoryStore {
    /// An empty store that measures leases by this clock.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self {
            inner: Arc::new(Inner {
                clock,
                state: Mutex::default(),
                writers: Mutex::default(),
                listeners: Mutex::default(),
                faults: Faults::default(),
            }),
        }
    }

    /// The notifications from now on, in the order of the commits that sent them.
    pub fn notifications(&self) -> mpsc::UnboundedReceiver<WorkItem> {
        let (sender, receiver) = mpsc::unbounded_channel();
        lock(&self.inner.listeners).push(sender);
        receiver
    }

    /// Makes the next `times` calls of an operation fail. See [`Operation`] for what that means.
    pub fn fail_next(&self, operation: Operation, times: u32) {
        self.inner.faults.order(operation, times);
    }

    /// Whether some of these calls have not come yet.
    pub fn is_to_fail(&self) -> bool {
        self.inner.faults.is_any_ordered()
    }

    /// Makes the row of a run unreadable, as a broken value does; `by_newer` says that a newer version of the program
    /// has written it. It can be ended unread, and is readable then.
    pub fn make_unreadable(&self, organization: &OrganizationId, run: &RunId, by_newer: bool) {
        let mut state = lock(&self.inner.state);
        let rows = state.tenants.entry(organization.clone()).or_default();
        let unreadable = &mut Arc::make_mut(rows).unreadable_runs;
        unreadable.insert(run.clone(), by_newer);
    }

    /// How many calls of an operation there were so far.
    pub fn count_of(&self, operation: Operation) -> u32 {
        self.inner.faults.count_of(operation)
    }
}

#[async_trait]
impl Store for InMemoryStore {
    async fn read(&self, organization: &OrganizationId) -> Result<Box<dyn UnitOfWork>, StoreError> {
        yield_point().await;
        self.inner.faults.meet(Operation::Read)?;
        Ok(Box::new(self.open(organization, Mode::Reading)))
    }

    async fn search(
        &self,
        organization: &OrganizationId,
    ) -> Result<Box<dyn UnitOfWork>, StoreError> {
        for operation in [Operation::SearchTurn, Operation::Search] {
            self.inner.faults.meet(operation)?;
        }
        self.read(organization).await
    }

    async fn check_members(
        &self,
        organization: &OrganizationId,
        audience: &AudienceId,
        people: &People,
    ) -> Result<Option<DoorRead>, StoreError> {
        yield_point().await;
        self.inner.faults.meet(Operation::Door)?;
        self.inner.faults.meet(Operation::DoorRow)?;
        let mut unit = self.open(organization, Mode::Reading);
        unit.members_among(audience, people).await
    }

    async fn begin(
        &self,
        organization: &OrganizationId,
    ) -> Result<Box<dyn UnitOfWork>, StoreError> {
        yield_point().await;
        self.inner.faults.meet(Operation::Begin)?;
        let writer = lock(&self.inner.writers)
            .entry(organization.clone())
            .or_default()
            .clone();
        let guard = writer.lock_owned().await;
        let mode = Mode::Writing {
            since: self.inner.clock.now(),
            _lock: guard,
        };
        Ok(Box::new(self.open(organization, mode)))
    }
}

impl InMemoryStore {
    fn open(&self, organization: &OrganizationId, mode: Mode) -> Unit {
        let rows = lock(&self.inner.state)
            .tenants
            .get(organization)
            .cloned()
            .unwrap_or_default();
        Unit::new(self.inner.clone(), organization.clone(), rows, mode)
    }
}

impl Inner {
    fn notify(&self, work: &[WorkItem]) {
        // A listener that was dropped is removed.
        lock(&self.listeners)
            .retain(|listener| work.iter().all(|item| listener.send(item.clone()).is_ok()));
    }
}

/// A point at which the calls of several callers can interleave, as calls to a real store or to Klaviyo do. It
/// wakes its task at once, so that it also ends for a test that polls by hand.
pub(crate) async fn yield_point() {
    let mut has_yielded = false;
    std::future::poll_fn(|context| {
        if std::mem::replace(&mut has_yielded, true) {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

/// A test that panicked with the lock held has failed already; the next one may go on.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

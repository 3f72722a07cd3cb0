//! The unit of work: a copy of an organization's rows, and the notifications that wait for the commit.

use std::sync::Arc;

use async_trait::async_trait;
use fanfare_domain::account_changes::AccountChanges;
use fanfare_domain::connection::{Connection, SealedKey};
use fanfare_domain::ids::OrganizationId;
use fanfare_domain::ports::{Connections, StoreError, UnitOfWork};
use fanfare_domain::time::Timestamp;
use fanfare_domain::work::{WorkItem, WorkKey};
use tokio::sync::OwnedMutexGuard;

use super::faults::Operation;
use super::rows::Rows;
use super::{Inner, lock, yield_point};

pub(super) enum Mode {
    Reading,
    /// A unit for writing, which has the organization's lock.
    Writing {
        since: Timestamp,
        _lock: OwnedMutexGuard<()>,
    },
}

pub(super) struct Unit {
    inner: Arc<Inner>,
    organization: OrganizationId,
    rows: Arc<Rows>,
    mode: Mode,
    notifications: Vec<Notification>,
}

/// What happens to notifications when the unit commits.
pub(super) enum Notification {
    /// A worker is notified of the work.
    Sent(WorkKey),
    /// The work was claimed: its last notification no longer delays the next.
    Taken(WorkKey),
}

impl Unit {
    /// Fails if a test has ordered this call of the operation to fail.
    pub(super) fn meet(&self, operation: Operation) -> Result<(), StoreError> {
        self.inner.faults.meet(operation)
    }

    pub(super) fn new(
        inner: Arc<Inner>,
        organization: OrganizationId,
        rows: Arc<Rows>,
        mode: Mode,
    ) -> Self {
        Self {
            inner,
            organization,
            rows,
            mode,
            notifications: Vec::new(),
        }
    }

    pub(super) fn rows(&self) -> &Rows {
        &self.rows
    }

    /// The rows, to be changed.
    pub(super) fn rows_mut(&mut self) -> Result<&mut Rows, StoreError> {
        match self.mode {
            Mode::Reading => Err(StoreError::ReadOnly),
            Mode::Writing { .. } => Ok(Arc::make_mut(&mut self.rows)),
        }
    }

    pub(super) fn now(&self) -> Timestamp {
        self.inner.clock.now()
    }

    pub(super) fn at_commit(&mut self, notification: Notification) {
        self.notifications.push(notification);
    }
}

#[async_trait]
impl UnitOfWork for Unit {
    fn organization(&self) -> &OrganizationId {
        &self.organization
    }

    fn writing_since(&self) -> Result<Timestamp, StoreError> {
        match self.mode {
            Mode::Reading => Err(StoreError::ReadOnly),
            Mode::Writing { since, .. } => Ok(since),
        }
    }

    async fn commit(self: Box<Self>) -> Result<(), StoreError> {
        let inner = Arc::clone(&self.inner);
        let Mode::Writing { .. } = self.mode else {
            return Ok(());
        };
        yield_point().await;
        inner.faults.meet(Operation::Commit)?;
        self.write();
        yield_point().await;
        inner.faults.meet(Operation::CommitAnswer)
    }
}

impl Unit {
    /// Replaces the committed rows, notifies workers, and lets the next writer begin.
    fn write(self) {
        let now = self.inner.clock.now();
        let mut sent = Vec::new();
        let mut state = lock(&self.inner.state);
        for notification in self.notifications {
            let item = |key| WorkItem {
                organization: self.organization.clone(),
                key,
            };
            match notification {
                Notification::Sent(key) => {
                    state.notified.insert(item(key.clone()), now);
                    sent.push(item(key));
                }
                Notification::Taken(key) => {
                    state.notified.remove(&item(key));
                }
            }
        }
        state.tenants.insert(self.organization, self.rows);
        drop(state);
        self.inner.notify(&sent);
    }
}

#[async_trait]
impl Connections for Unit {
    async fn connection(&mut self) -> Result<Option<Connection>, StoreError> {
        Ok(self.rows().connection.clone())
    }

    async fn put_connection(&mut self, connection: &Connection) -> Result<(), StoreError> {
        let stored = &mut self.rows_mut()?.connection;
        let generation = stored.as_ref().map_or(1, |stored| {
            stored.generation + u64::from(stored.key.bytes != connection.key.bytes)
        });
        *stored = Some(Connection {
            generation,
            ..connection.clone()
        });
        Ok(())
    }

    async fn reseal_key(
        &mut self,
        before: &SealedKey,
        after: &SealedKey,
    ) -> Result<bool, StoreError> {
        let stored = self.rows_mut()?.connection.as_mut();
        let Some(stored) = stored.filter(|stored| stored.key == *before) else {
            return Ok(false);
        };
        stored.key = after.clone();
        Ok(true)
    }

    async fn account_changes(&mut self) -> Result<AccountChanges, StoreError> {
        Ok(self.rows().account_changes.clone())
    }

    async fn put_account_changes(
        &mut self,
        before: &AccountChanges,
        after: &AccountChanges,
    ) -> Result<bool, StoreError> {
        let rows = self.rows_mut()?;
        let is_before = rows.connection.is_some() && rows.account_changes == *before;
        if is_before {
            rows.account_changes = after.clone();
        }
        Ok(is_before)
    }

    async fn delete_connection(&mut self) -> Result<(), StoreError> {
        let rows = self.rows_mut()?;
        rows.connection = None;
        rows.account_changes = AccountChanges::default();
        Ok(())
    }
}

//! The queue of due work, seen from one organization.

use std::time::Duration;

use async_trait::async_trait;
use fanfare_domain::lease::{Claim, FencingToken};
use fanfare_domain::ports::{Leases, StoreError};
use fanfare_domain::time::Timestamp;
use fanfare_domain::work::{WorkKey, WorkKind};

use super::rows::{QueueRow, refuse};
use super::unit::{Notification, Unit};

#[async_trait]
impl Leases for Unit {
    async fn enqueue(&mut self, work: &WorkKey) -> Result<(), StoreError> {
        let row = QueueRow {
            due: self.now(),
            lease_until: None,
            token: FencingToken(0),
            written: self.now(),
        };
        if self.rows_mut()?.queue.insert(work.clone(), row).is_some() {
            return Err(refuse("the work is in the queue already"));
        }
        self.at_commit(Notification::Sent(work.clone()));
        Ok(())
    }

    async fn claim(
        &mut self,
        work: &WorkKey,
        length: Duration,
    ) -> Result<Option<Claim>, StoreError> {
        let now = self.now();
        let Some(row) = self.rows_mut()?.queue.get_mut(work) else {
            return Ok(None);
        };
        if !row.is_waiting(now) {
            return Ok(None);
        }
        let claim = Claim {
            token: FencingToken(row.token.0 + 1),
            abandoned: row.lease_until.is_some(),
        };
        row.token = claim.token;
        row.lease_until = Some(now.plus(length));
        row.written = now;
        self.rows_mut()?.claimed_at = Some(now);
        self.at_commit(Notification::Taken(work.clone()));
        Ok(Some(claim))
    }

    async fn renew(
        &mut self,
        work: &WorkKey,
        token: FencingToken,
        length: Duration,
    ) -> Result<bool, StoreError> {
        let now = self.now();
        let row = self.rows_mut()?.queue.get_mut(work);
        let Some(row) = row.filter(|row| row.token == token && row.is_leased(now)) else {
            return Ok(false);
        };
        row.lease_until = Some(now.plus(length));
        row.written = now;
        Ok(true)
    }

    async fn release(
        &mut self,
        work: &WorkKey,
        token: FencingToken,
        due: Option<Timestamp>,
    ) -> Result<bool, StoreError> {
        let now = self.now();
        let due = due.unwrap_or(now);
        let row = self.rows_mut()?.queue.get_mut(work);
        let is_held = |row: &QueueRow| row.token == token && row.lease_until.is_some();
        let Some(row) = row.filter(|row| is_held(row)) else {
            return Ok(false);
        };
        row.lease_until = None;
        row.due = due;
        row.written = now;
        if due <= now {
            self.at_commit(Notification::Sent(work.clone()));
        }
        Ok(true)
    }

    async fn wake(&mut self, work: &WorkKey) -> Result<bool, StoreError> {
        let now = self.now();
        let row = self.rows_mut()?.queue.get_mut(work);
        let Some(row) = row.filter(|row| row.lease_until.is_none() && row.due > now) else {
            return Ok(false);
        };
        row.due = now;
        row.written = now;
        self.at_commit(Notification::Sent(work.clone()));
        Ok(true)
    }

    async fn dequeue(&mut self, work: &WorkKey) -> Result<(), StoreError> {
        self.rows_mut()?.queue.remove(work);
        Ok(())
    }

    async fn queued(&mut self, kind: WorkKind) -> Result<Vec<WorkKey>, StoreError> {
        let queued = self.rows().queue.keys().filter(|work| work.kind == kind);
        Ok(queued.cloned().collect())
    }
}

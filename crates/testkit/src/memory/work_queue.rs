//! The queue of due work, across organizations.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use fanfare_domain::ids::OrganizationId;
use fanfare_domain::lease::was_clock_set_back;
use fanfare_domain::ports::{StoreError, WorkQueue};
use fanfare_domain::time::Timestamp;
use fanfare_domain::work::{SchedulingCandidate, WorkItem};

use super::faults::Operation;
use super::rows::QueueRow;
use super::{InMemoryStore, State, lock};

/// How long a worker has to claim work that it was notified of.
const NOTIFICATION_TIMEOUT: Duration = Duration::from_secs(10);

#[async_trait]
impl WorkQueue for InMemoryStore {
    async fn notify(&self, limit: u32) -> Result<u64, StoreError> {
        self.inner.faults.meet(Operation::Control)?;
        let now = self.inner.clock.now();
        let mut state = lock(&self.inner.state);
        restart_waits(&mut state, now);
        let is_fresh = |work: &WorkItem| {
            let notified = state.notified.get(work);
            notified.is_some_and(|at| now.since(*at) < NOTIFICATION_TIMEOUT)
        };
        let mut due: Vec<(Timestamp, WorkItem)> = rows(&state)
            .filter(|(work, row)| row.is_waiting(now) && !is_fresh(work))
            .map(|(work, row)| (row.due, work))
            .collect();
        due.sort_by_key(|(since, _)| *since);
        due.truncate(limit as usize);
        let due: Vec<WorkItem> = due.into_iter().map(|(_, work)| work).collect();
        for work in &due {
            state.notified.insert(work.clone(), now);
        }
        drop(state);
        self.inner.notify(&due);
        Ok(due.len() as u64)
    }

    async fn next(&self) -> Result<Option<SchedulingCandidate>, StoreError> {
        self.inner.faults.meet(Operation::Control)?;
        let now = self.inner.clock.now();
        let state = lock(&self.inner.state);
        let candidates = rows(&state)
            .filter(|(_, row)| row.is_waiting(now))
            .map(|(work, row)| {
                let leased = leased(&state, &work.organization, now);
                let tenant = state.tenants.get(&work.organization);
                let claimed_at = tenant.and_then(|rows| rows.claimed_at);
                let order = (leased, claimed_at, row.due, row.token, work.key.clone());
                (order, SchedulingCandidate { work, leased })
            });
        Ok(candidates
            .min_by(|a, b| a.0.cmp(&b.0))
            .map(|(_, candidate)| candidate))
    }

    async fn leased(&self, organization: &OrganizationId) -> Result<u64, StoreError> {
        self.inner.faults.meet(Operation::Control)?;
        let state = lock(&self.inner.state);
        Ok(leased(&state, organization, self.inner.clock.now()))
    }

    async fn backlog(&self) -> Result<u64, StoreError> {
        self.inner.faults.meet(Operation::Control)?;
        let now = self.inner.clock.now();
        let state = lock(&self.inner.state);
        let open = rows(&state).filter(|(_, row)| row.due <= now || row.is_leased(now));
        Ok(open.count() as u64)
    }

    async fn organizations_with_due_schedules(
        &self,
        now: Timestamp,
        limit: u32,
    ) -> Result<Vec<OrganizationId>, StoreError> {
        self.inner.faults.meet(Operation::Control)?;
        let state = lock(&self.inner.state);
        let first_due = state.tenants.iter().filter_map(|(organization, rows)| {
            let due = rows.schedules.values().min()?;
            (*due <= now).then(|| (*due, organization.clone()))
        });
        let mut found: Vec<(Timestamp, OrganizationId)> = first_due.collect();
        found.sort();
        found.truncate(limit as usize);
        Ok(found
            .into_iter()
            .map(|(_, organization)| organization)
            .collect())
    }
}

/// Puts right what was written before the clock was set back.
fn restart_waits(state: &mut State, now: Timestamp) {
    for rows in state.tenants.values_mut() {
        let mut queue = rows.queue.values();
        if !queue.any(|row| was_clock_set_back(row.written, now)) {
            continue;
        }
        let rows = Arc::make_mut(rows);
        rows.queue
            .values_mut()
            .for_each(|row| row.restart_waits(now));
        rows.claimed_at = rows.claimed_at.map(|at| at.min(now));
    }
    for at in state.notified.values_mut() {
        if was_clock_set_back(*at, now) {
            *at = Timestamp::EPOCH;
        }
    }
}

fn leased(state: &State, organization: &OrganizationId, now: Timestamp) -> u64 {
    let rows = state.tenants.get(organization).into_iter();
    let rows = rows.flat_map(|rows| rows.queue.values());
    rows.filter(|row| row.is_leased(now)).count() as u64
}

/// The queue of every organization.
fn rows(state: &State) -> impl Iterator<Item = (WorkItem, &QueueRow)> {
    state.tenants.iter().flat_map(|(organization, rows)| {
        rows.queue.iter().map(|(key, row)| {
            let work = WorkItem {
                organization: organization.clone(),
                key: key.clone(),
            };
            (work, row)
        })
    })
}

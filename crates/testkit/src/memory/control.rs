//! The control tables, which belong to no organization.

use std::time::Duration;

use async_trait::async_trait;
use fanfare_domain::ids::{KeyId, OrganizationId, RunId};
use fanfare_domain::organization::{KeyHash, Organization, SecretKey};
use fanfare_domain::ports::{
    Directory, DueRun, DueRuns, QuotaLedger, SchedulingCandidate, StoreError,
};
use fanfare_domain::quota::{Bucket, Endpoint, RateLimits, Reservation};
use fanfare_domain::time::Timestamp;

use super::faults::Operation;
use super::rows::{Place, refuse};
use super::{InMemoryStore, State, lock};

/// How long a run that was rung for is left alone.
const QUIET: Duration = Duration::from_secs(10);

#[async_trait]
impl Directory for InMemoryStore {
    async fn create_organization(
        &self,
        organization: &Organization,
        key: &SecretKey,
    ) -> Result<(), StoreError> {
        self.inner.faults.meet(Operation::Control)?;
        let mut state = lock(&self.inner.state);
        if state.organizations.contains_key(&organization.id) || has_key(&state, key) {
            return Err(refuse("the organization or the key is there already"));
        }
        let id = organization.id.clone();
        state.organizations.insert(id, organization.clone());
        state.keys.insert(key.id.clone(), key.clone());
        Ok(())
    }

    async fn organization(&self, id: &OrganizationId) -> Result<Option<Organization>, StoreError> {
        self.inner.faults.meet(Operation::Control)?;
        Ok(lock(&self.inner.state).organizations.get(id).cloned())
    }

    async fn organizations(
        &self,
        first: u32,
        after: Option<&OrganizationId>,
    ) -> Result<Vec<Organization>, StoreError> {
        self.inner.faults.meet(Operation::Control)?;
        let state = lock(&self.inner.state);
        let found = state.organizations.values();
        let found = found.filter(|o| after.is_none_or(|after| o.id > *after));
        Ok(found.take(first as usize).cloned().collect())
    }

    async fn add_key(&self, key: &SecretKey) -> Result<(), StoreError> {
        self.inner.faults.meet(Operation::Control)?;
        let mut state = lock(&self.inner.state);
        if !state.organizations.contains_key(&key.organization) || has_key(&state, key) {
            return Err(refuse("no such organization, or the key is there already"));
        }
        state.keys.insert(key.id.clone(), key.clone());
        Ok(())
    }

    async fn find_key(&self, hash: &KeyHash) -> Result<Option<SecretKey>, StoreError> {
        self.inner.faults.meet(Operation::Control)?;
        let state = lock(&self.inner.state);
        let mut keys = state.keys.values();
        Ok(keys
            .find(|key| key.hash == *hash && key.revoked_at.is_none())
            .cloned())
    }

    async fn keys(&self, organization: &OrganizationId) -> Result<Vec<SecretKey>, StoreError> {
        self.inner.faults.meet(Operation::Control)?;
        let state = lock(&self.inner.state);
        let keys = state.keys.values();
        Ok(keys
            .filter(|key| key.organization == *organization)
            .cloned()
            .collect())
    }

    async fn revoke_key(
        &self,
        organization: &OrganizationId,
        key: &KeyId,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        self.inner.faults.meet(Operation::Control)?;
        let mut state = lock(&self.inner.state);
        let found = state.keys.get_mut(key);
        let is_theirs = |key: &&mut SecretKey| key.organization == *organization;
        let Some(key) = found
            .filter(is_theirs)
            .filter(|key| key.revoked_at.is_none())
        else {
            return Ok(false);
        };
        key.revoked_at = Some(now);
        Ok(true)
    }
}

fn has_key(state: &State, key: &SecretKey) -> bool {
    let mut keys = state.keys.values();
    keys.any(|other| other.id == key.id || other.hash == key.hash)
}

#[async_trait]
impl DueRuns for InMemoryStore {
    async fn notify(&self, limit: u32) -> Result<u64, StoreError> {
        self.inner.faults.meet(Operation::Control)?;
        let now = self.inner.clock.now();
        let mut state = lock(&self.inner.state);
        let is_quiet = |due: &DueRun| {
            let rung = state.rung.get(&key(due));
            rung.is_some_and(|at| now.since(*at) < QUIET)
        };
        let mut rings: Vec<(Timestamp, DueRun)> = places(&state)
            .filter(|(due, place)| place.is_waiting(now) && !is_quiet(due))
            .map(|(due, place)| (place.due, due))
            .collect();
        rings.sort_by_key(|(since, _)| *since);
        rings.truncate(limit as usize);
        let rings: Vec<DueRun> = rings.into_iter().map(|(_, due)| due).collect();
        for due in &rings {
            state.rung.insert(key(due), now);
        }
        drop(state);
        self.inner.ring_bell(&rings);
        Ok(rings.len() as u64)
    }

    async fn next(&self) -> Result<Option<SchedulingCandidate>, StoreError> {
        self.inner.faults.meet(Operation::Control)?;
        let now = self.inner.clock.now();
        let state = lock(&self.inner.state);
        let turns = places(&state)
            .filter(|(_, place)| place.is_waiting(now))
            .map(|(due, place)| {
                let held = held(&state, &due.organization, now);
                let rows = state.tenants.get(&due.organization);
                let served_at = rows.and_then(|rows| rows.served_at);
                let order = (held, served_at, place.due, place.token, due.run.clone());
                (order, SchedulingCandidate { due, held })
            });
        Ok(turns.min_by(|a, b| a.0.cmp(&b.0)).map(|(_, turn)| turn))
    }

    async fn held(&self, organization: &OrganizationId) -> Result<u64, StoreError> {
        self.inner.faults.meet(Operation::Control)?;
        let state = lock(&self.inner.state);
        Ok(held(&state, organization, self.inner.clock.now()))
    }

    async fn backlog(&self) -> Result<u64, StoreError> {
        self.inner.faults.meet(Operation::Control)?;
        let now = self.inner.clock.now();
        let state = lock(&self.inner.state);
        let open = places(&state).filter(|(_, place)| place.due <= now || place.is_held(now));
        Ok(open.count() as u64)
    }
}

fn held(state: &State, organization: &OrganizationId, now: Timestamp) -> u64 {
    let places = state.tenants.get(organization).into_iter();
    let places = places.flat_map(|rows| rows.queue.values());
    places.filter(|place| place.is_held(now)).count() as u64
}

fn key(due: &DueRun) -> (OrganizationId, RunId) {
    (due.organization.clone(), due.run.clone())
}

/// The queue of every organization.
fn places(state: &State) -> impl Iterator<Item = (DueRun, &Place)> {
    state.tenants.iter().flat_map(|(organization, rows)| {
        rows.queue.iter().map(|(run, place)| {
            let due = DueRun {
                organization: organization.clone(),
                run: run.clone(),
            };
            (due, place)
        })
    })
}

#[async_trait]
impl QuotaLedger for InMemoryStore {
    async fn reserve(
        &self,
        account: &str,
        endpoint: Endpoint,
        now: Timestamp,
    ) -> Result<Reservation, StoreError> {
        self.with_bucket(account, endpoint, now, |bucket| bucket.reserve(now))
    }

    async fn learn(
        &self,
        account: &str,
        endpoint: Endpoint,
        limits: RateLimits,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.with_bucket(account, endpoint, now, |bucket| bucket.limits = limits)
    }

    async fn block(
        &self,
        account: &str,
        endpoint: Endpoint,
        until: Timestamp,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.with_bucket(account, endpoint, now, |bucket| bucket.block(until))
    }

    async fn bucket(
        &self,
        account: &str,
        endpoint: Endpoint,
        now: Timestamp,
    ) -> Result<Bucket, StoreError> {
        self.inner.faults.meet(Operation::Control)?;
        let state = lock(&self.inner.state);
        let bucket = state.buckets.get(&(account.to_owned(), endpoint));
        Ok(bucket
            .copied()
            .unwrap_or_else(|| Bucket::new(endpoint, now)))
    }
}

impl InMemoryStore {
    fn with_bucket<T>(
        &self,
        account: &str,
        endpoint: Endpoint,
        now: Timestamp,
        change: impl FnOnce(&mut Bucket) -> T,
    ) -> Result<T, StoreError> {
        self.inner.faults.meet(Operation::Control)?;
        let mut state = lock(&self.inner.state);
        let bucket = state
            .buckets
            .entry((account.to_owned(), endpoint))
            .or_insert_with(|| Bucket::new(endpoint, now));
        Ok(change(bucket))
    }
}

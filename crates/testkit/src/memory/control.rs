//! The control tables, which belong to no organization.

use async_trait::async_trait;
use fanfare_domain::ids::{KeyId, OrganizationId};
use fanfare_domain::organization::{KeyHash, Organization, SecretKey};
use fanfare_domain::ports::{Directory, QuotaLedger, RequestLimits, StoreError};
use fanfare_domain::quota::{Bucket, Demand, Endpoint, RateLimits, Reservation};
use fanfare_domain::rate_limit::{Counted, Minute, RequestCount, TakenRequests};
use fanfare_domain::time::Timestamp;

use super::faults::Operation;
use super::rows::refuse;
use super::{InMemoryStore, State, lock};

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
impl QuotaLedger for InMemoryStore {
    async fn reserve(
        &self,
        account: &str,
        endpoint: Endpoint,
        demand: &Demand,
        now: Timestamp,
    ) -> Result<Reservation, StoreError> {
        self.with_bucket(account, endpoint, now, |bucket| bucket.reserve(demand, now))
    }

    async fn delete_unused(&self, before: Timestamp, limit: u32) -> Result<u64, StoreError> {
        let mut state = lock(&self.inner.state);
        let mut left = limit;
        state.buckets.retain(|_, bucket| {
            let is_unused = bucket.steady.since < before
                && bucket.burst.since < before
                && bucket.blocked_until.is_none_or(|until| until < before);
            let is_deleted = is_unused && left > 0;
            left -= u32::from(is_deleted);
            !is_deleted
        });
        Ok(u64::from(limit - left))
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
        self.with_bucket(account, endpoint, now, |bucket| {
            bucket.block(until, now);
        })
    }

    async fn unblock(
        &self,
        account: &str,
        endpoint: Endpoint,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.with_bucket(account, endpoint, now, Bucket::unblock)
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

#[async_trait]
impl RequestLimits for InMemoryStore {
    async fn take_requests(
        &self,
        organization: &OrganizationId,
        counted: Counted,
        wanted: u32,
    ) -> Result<TakenRequests, StoreError> {
        self.inner.faults.meet(Operation::RequestLimits)?;
        let now = self.inner.clock.now();
        let mut state = lock(&self.inner.state);
        let key = (organization.clone(), counted);
        let before = state.request_counts.get(&key).copied();
        let (count, granted) = RequestCount::take(counted, before, Minute::of(now), wanted);
        state.request_counts.insert(key, count);
        Ok(TakenRequests {
            granted,
            count,
            now,
        })
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

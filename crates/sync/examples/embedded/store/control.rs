//! Organizations, keys, the queue and the quotas.

use async_trait::async_trait;
use fanfare_domain::ids::{KeyId, OrganizationId};
use fanfare_domain::organization::{KeyHash, Organization, SecretKey};
use fanfare_domain::ports::{
    Directory, DueRun, DueRuns, QuotaLedger, SchedulingCandidate, StoreError,
};
use fanfare_domain::quota::{Bucket, Endpoint, RateLimits, Reservation};
use fanfare_domain::time::Timestamp;

use super::{Memory, lock, refused};

#[async_trait]
impl Directory for Memory {
    async fn create_organization(
        &self,
        organization: &Organization,
        key: &SecretKey,
    ) -> Result<(), StoreError> {
        let mut control = lock(&self.shared.control);
        if control.organizations.contains_key(&organization.id) {
            return Err(refused("the organization is there already"));
        }
        let id = organization.id.clone();
        control.organizations.insert(id, organization.clone());
        control.keys.push(key.clone());
        Ok(())
    }

    async fn organization(&self, id: &OrganizationId) -> Result<Option<Organization>, StoreError> {
        Ok(lock(&self.shared.control).organizations.get(id).cloned())
    }

    async fn organizations(
        &self,
        first: u32,
        after: Option<&OrganizationId>,
    ) -> Result<Vec<Organization>, StoreError> {
        let control = lock(&self.shared.control);
        let found = control.organizations.values();
        let found = found.filter(|o| after.is_none_or(|after| o.id > *after));
        Ok(found.take(first as usize).cloned().collect())
    }

    async fn add_key(&self, key: &SecretKey) -> Result<(), StoreError> {
        lock(&self.shared.control).keys.push(key.clone());
        Ok(())
    }

    async fn find_key(&self, hash: &KeyHash) -> Result<Option<SecretKey>, StoreError> {
        let control = lock(&self.shared.control);
        let mut keys = control.keys.iter();
        let found = keys.find(|key| key.hash == *hash && key.revoked_at.is_none());
        Ok(found.cloned())
    }

    async fn keys(&self, organization: &OrganizationId) -> Result<Vec<SecretKey>, StoreError> {
        let control = lock(&self.shared.control);
        let keys = control.keys.iter();
        let mut keys: Vec<_> = keys
            .filter(|k| k.organization == *organization)
            .cloned()
            .collect();
        keys.sort_by(|a, b| a.id.cmp(&b.id));
        Ok(keys)
    }

    async fn revoke_key(
        &self,
        organization: &OrganizationId,
        key: &KeyId,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let mut control = lock(&self.shared.control);
        let found = control.keys.iter_mut().find(|found| {
            found.id == *key && found.organization == *organization && found.revoked_at.is_none()
        });
        Ok(found.map(|key| key.revoked_at = Some(now)).is_some())
    }
}

#[async_trait]
impl DueRuns for Memory {
    /// Nobody listens for a bell here: the program asks for the run it imported.
    async fn notify(&self, _limit: u32) -> Result<u64, StoreError> {
        Ok(0)
    }

    /// By nothing but time: one merchant is served here.
    async fn next(&self) -> Result<Option<SchedulingCandidate>, StoreError> {
        let now = self.clock.now();
        let tenants = lock(&self.shared.tenants);
        let places = tenants.iter().flat_map(|(organization, rows)| {
            let leases = rows.leases.iter();
            leases.map(move |(run, lease)| (lease, organization, run))
        });
        let waiting = places.filter(|(lease, ..)| lease.is_waiting(now));
        let next = waiting.min_by_key(|(lease, ..)| lease.due);
        Ok(next.map(|(_, organization, run)| SchedulingCandidate {
            due: DueRun {
                organization: organization.clone(),
                run: run.clone(),
            },
            held: 0,
        }))
    }

    async fn held(&self, organization: &OrganizationId) -> Result<u64, StoreError> {
        let now = self.clock.now();
        let tenants = lock(&self.shared.tenants);
        let leases = tenants.get(organization).into_iter();
        let leases = leases.flat_map(|rows| rows.leases.values());
        Ok(leases
            .filter(|lease| lease.due <= now && !lease.is_waiting(now))
            .count() as u64)
    }

    async fn backlog(&self) -> Result<u64, StoreError> {
        let now = self.clock.now();
        let tenants = lock(&self.shared.tenants);
        let leases = tenants.values().flat_map(|rows| rows.leases.values());
        let open = leases.filter(|lease| lease.due <= now || !lease.is_waiting(now));
        Ok(open.count() as u64)
    }
}

impl Memory {
    fn in_bucket<T>(
        &self,
        account: &str,
        endpoint: Endpoint,
        now: Timestamp,
        change: impl FnOnce(&mut Bucket) -> T,
    ) -> T {
        let mut control = lock(&self.shared.control);
        let bucket = control.buckets.entry((account.to_owned(), endpoint));
        change(bucket.or_insert_with(|| Bucket::new(endpoint, now)))
    }
}

#[async_trait]
impl QuotaLedger for Memory {
    async fn reserve(
        &self,
        account: &str,
        endpoint: Endpoint,
        now: Timestamp,
    ) -> Result<Reservation, StoreError> {
        Ok(self.in_bucket(account, endpoint, now, |bucket| bucket.reserve(now)))
    }

    async fn learn(
        &self,
        account: &str,
        endpoint: Endpoint,
        limits: RateLimits,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.in_bucket(account, endpoint, now, |bucket| bucket.limits = limits);
        Ok(())
    }

    async fn block(
        &self,
        account: &str,
        endpoint: Endpoint,
        until: Timestamp,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.in_bucket(account, endpoint, now, |bucket| bucket.block(until));
        Ok(())
    }

    async fn bucket(
        &self,
        account: &str,
        endpoint: Endpoint,
        now: Timestamp,
    ) -> Result<Bucket, StoreError> {
        Ok(self.in_bucket(account, endpoint, now, |bucket| *bucket))
    }
}

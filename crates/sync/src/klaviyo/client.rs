//! The client: each call to Klaviyo, with the endpoint of the quota at which it is counted.

use std::sync::Arc;
use std::time::Duration;

use fanfare_domain::collection::{CollectionKind, CollectionRef};
use fanfare_domain::connection::OpenConnection;
use fanfare_domain::ids::{Cursor, ProfileId};
use fanfare_domain::klaviyo::{
    Account, Capability, ChangedFrom, Collection, CollectionPage, KlaviyoError, MemberLookup,
    MemberPage, MembersFrom,
};
use fanfare_domain::ports::{AnswerRoom, Clock, Klaviyo, KlaviyoWrites, QuotaLedger, StoreError};
use fanfare_domain::profile::Profile;
use fanfare_domain::quota::{Bucket, Endpoint, Priority, Share};
use fanfare_domain::time::Timestamp;
use fanfare_domain::writing::{
    Event, FoundProfile, ProfileChanges, ProfileUpsert, Unsubscribe, WriteError, WrittenProfile,
};

use super::quota::{CallError, Quota, RateLimitBlock};

/// Klaviyo with its quota. The methods are those of the port; each takes the connection whose credential and
/// quota the call uses. Only this client holds the port.
///
/// A call that the quota does not allow now returns [`CallError::NotBefore`], so that a worker can do other
/// work. A use case that a user waits for wraps its calls in [`Self::with_short_wait`].
#[derive(Clone)]
pub(crate) struct KlaviyoClient {
    port: Arc<dyn Klaviyo>,
    pub(super) writes: Option<Arc<dyn KlaviyoWrites>>,
    pub(super) quota: Quota,
}

impl KlaviyoClient {
    pub(crate) fn new(
        port: Arc<dyn Klaviyo>,
        ledger: Arc<dyn QuotaLedger>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let quota = Quota::new(ledger, clock);
        Self {
            port,
            writes: None,
            quota,
        }
    }

    /// The same, of whose quota syncs use this share.
    pub(crate) fn with_share(mut self, share: Share) -> Self {
        self.quota.share = share;
        self
    }

    /// The same, which writes too.
    pub(crate) fn with_writes(mut self, writes: Arc<dyn KlaviyoWrites>) -> Self {
        self.writes = Some(writes);
        self
    }

    /// Whether it writes.
    pub(crate) const fn can_write(&self) -> bool {
        self.writes.is_some()
    }

    /// How many of these events, from the first, one request holds.
    pub(crate) fn events_that_fit(&self, events: &[Event]) -> usize {
        let writes = self.writes.as_ref();
        writes.map_or(0, |writes| writes.events_that_fit(events))
    }

    /// Makes one event.
    pub(crate) async fn create_event(
        &self,
        connection: &OpenConnection,
        event: &Event,
    ) -> Result<(), CallError<WriteError>> {
        let writes = self.writes()?;
        let call = writes.create_event(&connection.credential, event);
        let endpoint = Endpoint::CreateEvent;
        self.quota.count_write(connection, endpoint, call).await
    }

    /// Makes as many events as one request holds.
    pub(crate) async fn create_events(
        &self,
        connection: &OpenConnection,
        events: &[Event],
    ) -> Result<(), CallError<WriteError>> {
        let writes = self.writes()?;
        let call = writes.create_events(&connection.credential, events);
        let endpoint = Endpoint::CreateEvents;
        self.quota.count_write(connection, endpoint, call).await
    }

    /// The profiles that have one of a few e-mails or phone numbers, with their external ids.
    pub(crate) async fn find_profiles(
        &self,
        connection: &OpenConnection,
        lookup: &MemberLookup,
    ) -> Result<Vec<FoundProfile>, CallError> {
        let writes = self.reads_of_writes()?;
        let call = writes.find_profiles(&connection.credential, lookup);
        self.quota.count(connection, Endpoint::Profiles, call).await
    }

    /// Those profiles that there are of a few ids, with their external ids.
    pub(crate) async fn look_at_profiles(
        &self,
        connection: &OpenConnection,
        ids: &[ProfileId],
    ) -> Result<Vec<FoundProfile>, CallError> {
        let writes = self.reads_of_writes()?;
        let call = writes.look_at_profiles(&connection.credential, ids);
        self.quota.count(connection, Endpoint::Profiles, call).await
    }

    /// Changes a profile.
    pub(crate) async fn update_profile(
        &self,
        connection: &OpenConnection,
        profile: &ProfileId,
        changes: &ProfileChanges,
    ) -> Result<WrittenProfile, CallError<WriteError>> {
        let writes = self.writes()?;
        let call = writes.update_profile(&connection.credential, profile, changes);
        let endpoint = Endpoint::UpdateProfile;
        self.quota.count_write(connection, endpoint, call).await
    }

    /// Makes a profile.
    pub(crate) async fn upsert_profile(
        &self,
        connection: &OpenConnection,
        profile: &ProfileUpsert,
    ) -> Result<WrittenProfile, CallError<WriteError>> {
        let writes = self.writes()?;
        let call = writes.upsert_profile(&connection.credential, profile);
        let endpoint = Endpoint::UpsertProfile;
        self.quota.count_write(connection, endpoint, call).await
    }

    /// Whether the credential may write profiles: a profile that cannot be is changed in nothing, which Klaviyo says it does not
    /// know, or refuses for its content, only to who may.
    pub(crate) async fn try_to_write_profiles(
        &self,
        connection: &OpenConnection,
    ) -> Result<(), CallError<WriteError>> {
        let Ok(nobody) = ProfileId::parse("fanfare-asks-whether-it-may") else {
            return Ok(());
        };
        let tried = self
            .update_profile(connection, &nobody, &ProfileChanges::default())
            .await;
        match tried {
            Ok(_) | Err(CallError::Klaviyo(WriteError::Gone | WriteError::ContentRefused(_))) => {
                Ok(())
            }
            Err(error) => Err(error),
        }
    }

    /// Ends somebody's consent.
    pub(crate) async fn unsubscribe(
        &self,
        connection: &OpenConnection,
        unsubscribe: &Unsubscribe,
    ) -> Result<(), CallError<WriteError>> {
        let writes = self.writes()?;
        let call = writes.unsubscribe(&connection.credential, unsubscribe);
        let endpoint = Endpoint::Unsubscribe;
        self.quota.count_write(connection, endpoint, call).await
    }

    /// Until when Klaviyo takes no request at an endpoint, if it has asked to wait.
    pub(crate) async fn blocked_until(
        &self,
        connection: &OpenConnection,
        endpoint: Endpoint,
    ) -> Result<Option<Timestamp>, StoreError> {
        let now = self.quota.clock.now();
        let ledger = &self.quota.ledger;
        let bucket = ledger
            .bucket(&connection.quota_account, endpoint, now)
            .await?;
        Ok(bucket.blocked(now))
    }

    /// The part of Klaviyo that writes, for the reads that belong to it.
    pub(super) fn reads_of_writes(&self) -> Result<&dyn KlaviyoWrites, CallError> {
        self.writes().map_err(|_| {
            let why = "this program does not write to Klaviyo".to_owned();
            CallError::Klaviyo(KlaviyoError::Refused(why))
        })
    }

    pub(super) fn writes(&self) -> Result<&dyn KlaviyoWrites, CallError<WriteError>> {
        let none = || WriteError::NotSent("this program does not write to Klaviyo".to_owned());
        self.writes
            .as_deref()
            .ok_or_else(|| CallError::Klaviyo(none()))
    }

    /// The share of the quota that syncs use.
    pub(crate) const fn share(&self) -> Share {
        self.quota.share
    }

    /// The buckets of an account that have been used, as they are now.
    pub(crate) async fn buckets(
        &self,
        account: &str,
    ) -> Result<Vec<(Endpoint, Bucket)>, StoreError> {
        self.quota.buckets(account).await
    }

    /// Deletes up to `limit` buckets that no request has used since a time. Returns how many.
    pub(crate) async fn delete_unused_quotas(
        &self,
        before: Timestamp,
        limit: u32,
    ) -> Result<u64, StoreError> {
        self.quota.ledger.delete_unused(before, limit).await
    }

    /// The Klaviyo account that the credential belongs to.
    pub(crate) async fn account(&self, connection: &OpenConnection) -> Result<Account, CallError> {
        let call = self.port.account(&connection.credential);
        self.quota.count(connection, Endpoint::Accounts, call).await
    }

    /// A page of the account's collections of a kind.
    pub(crate) async fn collections(
        &self,
        connection: &OpenConnection,
        kind: CollectionKind,
        cursor: Option<&Cursor>,
    ) -> Result<CollectionPage, CallError> {
        let endpoint = kind.descriptor().endpoints.browse;
        let call = self.port.collections(&connection.credential, kind, cursor);
        self.quota.count(connection, endpoint, call).await
    }

    /// One collection. With `count` the answer also has the number of profiles, and the call is counted in
    /// another bucket of the quota.
    pub(crate) async fn collection(
        &self,
        connection: &OpenConnection,
        collection: &CollectionRef,
        count: bool,
    ) -> Result<Collection, CallError> {
        let endpoints = &collection.kind.descriptor().endpoints;
        let endpoint = if count {
            endpoints.count
        } else {
            endpoints.single
        };
        let call = self
            .port
            .collection(&connection.credential, collection, count);
        self.quota.count(connection, endpoint, call).await
    }

    /// A page of members for a sync, as large as there is room for.
    pub(crate) async fn members(
        &self,
        connection: &OpenConnection,
        collection: &CollectionRef,
        from: &MembersFrom,
        priority: Priority,
        room: &dyn AnswerRoom,
    ) -> Result<MemberPage, CallError> {
        let endpoint = collection.kind.descriptor().endpoints.members;
        let call = self
            .port
            .members(&connection.credential, collection, from, room);
        let quota = &self.quota;
        quota.count_as(priority, connection, endpoint, call).await
    }

    /// Those members who have one of a few e-mails or phone numbers.
    pub(crate) async fn find_members(
        &self,
        connection: &OpenConnection,
        collection: &CollectionRef,
        lookup: &MemberLookup,
    ) -> Result<Vec<Profile>, CallError> {
        let endpoint = collection.kind.descriptor().endpoints.members;
        let call = self
            .port
            .find_members(&connection.credential, collection, lookup);
        self.quota.count(connection, endpoint, call).await
    }

    /// Those profiles that there are of a few ids.
    pub(crate) async fn profiles(
        &self,
        connection: &OpenConnection,
        ids: &[ProfileId],
    ) -> Result<Vec<Profile>, CallError> {
        let call = self.port.profiles(&connection.credential, ids);
        self.quota.count(connection, Endpoint::Profiles, call).await
    }

    /// A page of the account's profiles that have changed, as large as there is room for.
    pub(crate) async fn changed_profiles(
        &self,
        connection: &OpenConnection,
        from: &ChangedFrom,
        room: &dyn AnswerRoom,
    ) -> Result<MemberPage, CallError> {
        let call = self
            .port
            .changed_profiles(&connection.credential, from, room);
        self.quota.count(connection, Endpoint::Profiles, call).await
    }

    /// Tests whether the credential has a capability.
    pub(crate) async fn probe(
        &self,
        connection: &OpenConnection,
        capability: Capability,
    ) -> Result<(), CallError> {
        let call = self.port.probe(&connection.credential, capability);
        self.quota
            .count(connection, capability.endpoint(), call)
            .await
    }

    /// Copies the rate-limit blocks of one connection's account to that of another connection, which has the
    /// same Klaviyo account under another name.
    pub(crate) async fn inherit_blocks(
        &self,
        from: &OpenConnection,
        to: &OpenConnection,
    ) -> Result<(), StoreError> {
        self.quota
            .inherit_blocks(&from.quota_account, &to.quota_account)
            .await
    }

    /// The rate-limit blocks of an account that are in force.
    pub(crate) async fn blocks(&self, account: &str) -> Result<Vec<RateLimitBlock>, StoreError> {
        self.quota.blocks(account).await
    }

    /// Ends an account's rate-limit block of one endpoint, for all processes.
    pub(crate) async fn unblock(
        &self,
        account: &str,
        endpoint: Endpoint,
    ) -> Result<(), StoreError> {
        self.quota.unblock(account, endpoint).await
    }

    /// The least time that so many requests for pages of members take by the quota that is free now.
    pub(crate) async fn estimate_members(
        &self,
        connection: &OpenConnection,
        collection: &CollectionRef,
        requests: u64,
    ) -> Result<Duration, StoreError> {
        let endpoint = collection.kind.descriptor().endpoints.members;
        self.quota
            .estimate(&connection.quota_account, endpoint, requests)
            .await
    }
}

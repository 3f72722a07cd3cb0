//! Connections, sources, audiences and consumers: what the API shows and the use cases change.

use std::collections::BTreeMap;

use async_trait::async_trait;

use super::StoreError;
use crate::account_changes::AccountChanges;
use crate::audience::Audience;
use crate::connection::{Connection, SealedKey};
use crate::consumer::{Consumer, ProfileLink};
use crate::door::{DoorRead, People};
use crate::ids::{AudienceId, ConsumerId, ProfileId, SourceId};
use crate::paging::{Page, PageRequest};
use crate::run::SyncStatus;
use crate::source::{CollectionKind, CollectionRef, CollectionSource, SourceData};
use crate::time::Timestamp;

/// The one connection to Klaviyo that an organization may have.
#[async_trait]
pub trait Connections {
    /// The connection, if there is one.
    async fn connection(&mut self) -> Result<Option<Connection>, StoreError>;

    /// Stores the connection and replaces the one before. An adapter MUST count the generation itself, in the
    /// same statement, and ignore the one in `connection`: 1 for the first key, one more for each key whose
    /// sealed bytes differ from the stored ones, and the stored one for the same bytes.
    async fn put_connection(&mut self, connection: &Connection) -> Result<(), StoreError>;

    /// Replaces the stored sealed key by `after` if it is still `before`, and returns whether it was. The key in
    /// it is the same, so nothing else changes, not even the generation.
    async fn reseal_key(
        &mut self,
        before: &SealedKey,
        after: &SealedKey,
    ) -> Result<bool, StoreError>;

    /// How far the changes of the account's profiles are read: not at all where there is no connection.
    async fn account_changes(&mut self) -> Result<AccountChanges, StoreError>;

    /// Replaces that by `after` if it is still `before`, and returns whether it was. Storing a connection does not touch it,
    /// and deleting the connection deletes it.
    async fn put_account_changes(
        &mut self,
        before: &AccountChanges,
        after: &AccountChanges,
    ) -> Result<bool, StoreError>;

    /// Deletes the connection. The sealed key MUST be overwritten, not only unlinked, if the database allows
    /// it. It is no error if there is no connection.
    async fn delete_connection(&mut self) -> Result<(), StoreError>;
}

/// Any sync source, as Fanfare's API shows one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceRecord {
    /// Its id in Fanfare.
    pub id: SourceId,
    /// `klaviyo:list`, `klaviyo:segment` or `klaviyo:profile`.
    pub source_type: String,
    /// Klaviyo's id of the list, segment or profile.
    pub external_id: String,
    /// Its status; that of a profile's link is always `SUCCESS`.
    pub status: SyncStatus,
    /// When its latest successful run ended; of a profile's link, when the profile last changed its consumer.
    pub last_synced_at: Option<Timestamp>,
    /// `sourceData`; `None` for a profile's link.
    pub data: Option<SourceData>,
    /// When it was made.
    pub created_at: Timestamp,
    /// Who made it.
    pub created_by: String,
    /// When it last changed.
    pub updated_at: Option<Timestamp>,
    /// Whether it was archived.
    pub archived: bool,
}

/// Which sync sources to find. A field that is `None` matches every source.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SourceFilter {
    /// Its type.
    pub source_type: Option<String>,
    /// Klaviyo's id.
    pub external_id: Option<String>,
    /// Its status.
    pub status: Option<SyncStatus>,
}

/// Sync sources.
#[async_trait]
pub trait Sources {
    /// The source of an audience, archived or not.
    async fn source(&mut self, id: &SourceId) -> Result<Option<CollectionSource>, StoreError>;

    /// The unarchived source of a list or segment. There is at most one.
    async fn source_of(
        &mut self,
        collection: &CollectionRef,
    ) -> Result<Option<CollectionSource>, StoreError>;

    /// All unarchived sources of a kind, by Klaviyo's id.
    async fn sources(&mut self, kind: CollectionKind) -> Result<Vec<CollectionSource>, StoreError>;

    /// Inserts or overwrites a source. The caller has made sure that no other unarchived source reads the
    /// same list.
    async fn put_source(&mut self, source: &CollectionSource) -> Result<(), StoreError>;

    /// Any source by id, of a list, segment or profile, archived or not.
    async fn source_record(&mut self, id: &SourceId) -> Result<Option<SourceRecord>, StoreError>;

    /// Unarchived sources of every type by id, at most `page.first` after `page.after`.
    async fn search_sources(
        &mut self,
        filter: &SourceFilter,
        page: &PageRequest,
    ) -> Result<Vec<SourceRecord>, StoreError>;
}

/// An audience with its source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AudienceRecord {
    /// The audience.
    pub audience: Audience,
    /// The source that fills it; `None` of one that is filled by hand.
    pub source: Option<CollectionSource>,
}

impl AudienceRecord {
    /// The status of its sync; `None` of one that is filled by hand.
    pub fn status(&self) -> Option<SyncStatus> {
        self.source.as_ref().map(|source| source.status)
    }

    /// Whether a run of its source is queued or syncing.
    pub fn is_syncing(&self) -> bool {
        self.status().is_some_and(SyncStatus::is_active)
    }
}

/// Audiences.
#[async_trait]
pub trait Audiences {
    /// An audience, archived or not.
    async fn audience(&mut self, id: &AudienceId) -> Result<Option<AudienceRecord>, StoreError>;

    /// Unarchived audiences by id (which is by age), paged by id.
    async fn audiences(&mut self, page: &PageRequest) -> Result<Page<AudienceRecord>, StoreError>;

    /// Those of these audiences that are stored, archived or not, in any order.
    async fn audiences_by_id(
        &mut self,
        ids: &[AudienceId],
    ) -> Result<Vec<AudienceRecord>, StoreError>;

    /// Whether an unarchived audience other than `except` has exactly this name.
    async fn is_name_taken(&mut self, name: &str, except: &AudienceId) -> Result<bool, StoreError>;

    /// Inserts or overwrites an audience. The source that fills it MUST be stored already.
    async fn put_audience(&mut self, audience: &Audience) -> Result<(), StoreError>;

    /// Archives an unarchived audience and its source without reading either row, for rows that this version of the
    /// program cannot read. Returns the source; `None` if there is no such audience, or no source fills it.
    async fn archive_unread(
        &mut self,
        audience: &AudienceId,
        actor: &str,
        now: Timestamp,
    ) -> Result<Option<SourceId>, StoreError>;

    /// The audience's members, paged by consumer id; `search` finds part of an e-mail, phone number
    /// or name, as [`search`](crate::search) says.
    async fn members(
        &mut self,
        audience: &AudienceId,
        search: Option<&str>,
        page: &PageRequest,
    ) -> Result<Page<ConsumerRecord>, StoreError>;

    /// Which of these people are members of an audience, archived or not, and how fresh that is: one read, by
    /// indexes, that waits for no write. `None` if there is no such audience.
    async fn members_among(
        &mut self,
        audience: &AudienceId,
        people: &People,
    ) -> Result<Option<DoorRead>, StoreError>;

    /// How many members the audience has.
    async fn member_count(&mut self, audience: &AudienceId) -> Result<u64, StoreError>;

    /// Makes consumers members of an audience by hand, from the unit's time on
    /// ([`UnitOfWork::writing_since`](super::UnitOfWork::writing_since)). All of them, and the audience, MUST be stored. Who is a
    /// member already stays one as before. Returns how many became members.
    async fn add_members(
        &mut self,
        audience: &AudienceId,
        consumers: &[ConsumerId],
    ) -> Result<u64, StoreError>;

    /// Takes consumers out of an audience by hand. History keeps their memberships, ended at the unit's time. Who is no
    /// member is passed over. Returns how many were members.
    async fn remove_members(
        &mut self,
        audience: &AudienceId,
        consumers: &[ConsumerId],
    ) -> Result<u64, StoreError>;
}

/// A consumer with everything that the API shows of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConsumerRecord {
    /// Its values.
    pub consumer: Consumer,
    /// When its primary profile last changed it.
    pub primary_changed_at: Option<Timestamp>,
    /// When it was made.
    pub created_at: Timestamp,
    /// Who made it.
    pub created_by: String,
    /// When it last changed in a way that a user can see.
    pub updated_at: Option<Timestamp>,
    /// Who changed it then.
    pub updated_by: Option<String>,
    /// Free data: JSON text by key.
    pub metadata: Option<BTreeMap<String, String>>,
}

/// Which consumers to list. A field that is `None` matches every consumer.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ConsumerFilter {
    /// Part of an e-mail, phone number or name, as [`search`](crate::search) says.
    pub search: Option<String>,
    /// Only members of this audience.
    pub audience: Option<AudienceId>,
    /// Only those that were made after this time.
    pub created_after: Option<Timestamp>,
    /// Only those that were made before this time.
    pub created_before: Option<Timestamp>,
}

/// The value by which a consumer is looked up; it has to match exactly.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Lookup {
    /// Its e-mail, normalised.
    Email(String),
    /// Its phone number.
    Phone(String),
    /// A Klaviyo profile linked to it.
    Profile(ProfileId),
}

/// Consumers. Syncs write them through [`super::Pages`].
#[async_trait]
pub trait Consumers {
    /// One consumer.
    async fn consumer(&mut self, id: &ConsumerId) -> Result<Option<ConsumerRecord>, StoreError>;

    /// Those consumers that there are of these, in any order.
    async fn consumers_of(&mut self, ids: &[ConsumerId])
    -> Result<Vec<ConsumerRecord>, StoreError>;

    /// Consumers by id (which is by age), paged by id.
    async fn consumers(
        &mut self,
        filter: &ConsumerFilter,
        page: &PageRequest,
    ) -> Result<Page<ConsumerRecord>, StoreError>;

    /// The consumers that match exactly, by id, at most 100.
    async fn lookup_consumers(
        &mut self,
        lookup: &Lookup,
    ) -> Result<Vec<ConsumerRecord>, StoreError>;

    /// Inserts or overwrites a consumer that was made or changed in Fanfare, with its dates and actors as they are
    /// in the record. Its links stay as they are, and with them when the primary profile last changed it. It is refused where
    /// another consumer has its e-mail.
    async fn put_consumer(&mut self, record: &ConsumerRecord) -> Result<(), StoreError>;

    /// The links of a consumer, in any order.
    async fn links_of(&mut self, consumer: &ConsumerId) -> Result<Vec<ProfileLink>, StoreError>;

    /// Whether the index of searches, in sections of `size` consumers, is as far as it gets: less than a section is in
    /// none, and hardly anything in one has changed. Always so where a store has no index.
    async fn is_search_indexed(&mut self, size: u32) -> Result<bool, StoreError>;

    /// Brings the index of searches on by about one section of `size` consumers, at most
    /// [`MOST_OF_SECTION`](crate::search_index::MOST_OF_SECTION). Returns whether there was one to be made. What a
    /// search finds does not depend on it, only how fast.
    async fn index_search(&mut self, size: u32) -> Result<bool, StoreError>;
}

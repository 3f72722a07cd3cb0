//! Connections, sources, audiences and consumers: what the API shows and the use cases change.

use async_trait::async_trait;

use super::StoreError;
use crate::audience::Audience;
use crate::connection::Connection;
use crate::consumer::Consumer;
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

    /// Stores the connection in place of the one there. An adapter MUST count the generation itself, in
    /// the same statement, whatever `connection` holds: 1 for the first key, one more for each key whose
    /// sealed bytes differ from those there, and the same for the same bytes.
    async fn put_connection(&mut self, connection: &Connection) -> Result<(), StoreError>;

    /// Deletes the connection. The sealed key MUST be overwritten, not only unlinked, where the
    /// database allows. Nothing to delete is no error.
    async fn delete_connection(&mut self) -> Result<(), StoreError>;
}

/// Any sync source, as Fanfare's API shows one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceRecord {
    /// Our id.
    pub id: SourceId,
    /// `klaviyo:list`, `klaviyo:segment` or `klaviyo:profile`.
    pub source_type: String,
    /// Klaviyo's id of the list, segment or profile.
    pub external_id: String,
    /// Where it stands; a profile's link is always `SUCCESS`.
    pub status: SyncStatus,
    /// When it last succeeded; of a profile, when it last changed its consumer.
    pub last_synced_at: Option<Timestamp>,
    /// `sourceData`; `None` for a profile.
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

/// Which sync sources to find. Absent fields do not narrow.
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

    /// Inserts or overwrites a source. The caller has made sure that no other unarchived source
    /// has its list.
    async fn put_source(&mut self, source: &CollectionSource) -> Result<(), StoreError>;

    /// Any source by id, of a list, segment or profile, archived or not.
    async fn source_record(&mut self, id: &SourceId) -> Result<Option<SourceRecord>, StoreError>;

    /// Unarchived sources of every type by id, the first after `page.after`.
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
    /// What fills it.
    pub source: CollectionSource,
}

/// Audiences.
#[async_trait]
pub trait Audiences {
    /// An audience, archived or not.
    async fn audience(&mut self, id: &AudienceId) -> Result<Option<AudienceRecord>, StoreError>;

    /// Unarchived audiences by id (which is by age), paged by id.
    async fn audiences(&mut self, page: &PageRequest) -> Result<Page<AudienceRecord>, StoreError>;

    /// Whether an unarchived audience other than `except` has exactly this name.
    async fn is_name_taken(&mut self, name: &str, except: &AudienceId) -> Result<bool, StoreError>;

    /// Inserts or overwrites an audience. Its source MUST be there already.
    async fn put_audience(&mut self, audience: &Audience) -> Result<(), StoreError>;

    /// The audience's members, paged by consumer id; `search` finds part of an e-mail, phone number
    /// or name, without regard to case (of ASCII at least).
    async fn members(
        &mut self,
        audience: &AudienceId,
        search: Option<&str>,
        page: &PageRequest,
    ) -> Result<Page<ConsumerRecord>, StoreError>;

    /// How many members the audience has.
    async fn member_count(&mut self, audience: &AudienceId) -> Result<u64, StoreError>;
}

/// A consumer with what the API shows beside its values.
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
    /// When a user could last see a difference.
    pub updated_at: Option<Timestamp>,
    /// Who made that.
    pub updated_by: Option<String>,
}

/// Which consumers to list. Absent fields do not narrow.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ConsumerFilter {
    /// Part of an e-mail, phone number or name.
    pub search: Option<String>,
    /// Members of this audience only.
    pub audience: Option<AudienceId>,
    /// Made after this.
    pub created_after: Option<Timestamp>,
    /// Made before this.
    pub created_before: Option<Timestamp>,
}

/// What to look a consumer up by, exactly.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Lookup {
    /// Its e-mail, normalised.
    Email(String),
    /// Its phone number.
    Phone(String),
    /// A Klaviyo profile linked to it.
    Profile(ProfileId),
}

/// Consumers, to be read. Syncs write them through [`super::Pages`].
#[async_trait]
pub trait Consumers {
    /// One consumer.
    async fn consumer(&mut self, id: &ConsumerId) -> Result<Option<ConsumerRecord>, StoreError>;

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
}

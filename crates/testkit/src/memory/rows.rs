//! One organization's rows.

use std::collections::{BTreeMap, BTreeSet};

use fanfare_domain::account_changes::AccountChanges;
use fanfare_domain::audience::Audience;
use fanfare_domain::connection::{Connection, SealedKey};
use fanfare_domain::consumer::{Consumer, ProfileLink};
use fanfare_domain::contact::{Contact, ContactSettings};
use fanfare_domain::delivery::{Delivery, Payload, Place};
use fanfare_domain::erasure::ErasedHash;
use fanfare_domain::events::{EventSettings, InboundKey, PurchaseKey, WebhookSecrets};
use fanfare_domain::history::{ChangeKey, Membership, Snapshot};
use fanfare_domain::ids::{
    AccountId, AudienceId, CollectionId, ConsumerId, ProfileId, RunId, SnapshotId, SourceId,
};
use fanfare_domain::issue::Issue;
use fanfare_domain::lease::{FencingToken, was_clock_set_back};
use fanfare_domain::page::SeenProfile;
use fanfare_domain::pass::LinkMoves;
use fanfare_domain::ports::{ConsumerRecord, StoreError};
use fanfare_domain::push::{KeptList, LedgerRow, PushRun};
use fanfare_domain::run::SyncRun;
use fanfare_domain::source::CollectionSource;
use fanfare_domain::time::Timestamp;
use fanfare_domain::work::WorkKey;

/// The actor that stands in rows which a sync writes.
pub(super) const SYSTEM_ACTOR: &str = "system:klaviyo";

/// Everything that a unit of work sees.
#[derive(Clone, Default)]
pub(super) struct Rows {
    pub(super) connection: Option<Connection>,
    pub(super) account_changes: AccountChanges,
    pub(super) erasure_key: Option<SealedKey>,
    pub(super) erased: BTreeSet<ErasedHash>,
    pub(super) sources: BTreeMap<SourceId, CollectionSource>,
    pub(super) audiences: BTreeMap<AudienceId, Audience>,
    pub(super) consumers: BTreeMap<ConsumerId, ConsumerRow>,
    pub(super) links: BTreeMap<ProfileId, LinkRow>,
    pub(super) members: BTreeMap<AudienceId, BTreeMap<ConsumerId, MemberRow>>,
    /// Memberships that ended, in the order of their ends.
    pub(super) ended: BTreeMap<AudienceId, BTreeMap<ChangeKey, Membership>>,
    pub(super) history_from: BTreeMap<AudienceId, Timestamp>,
    pub(super) snapshots: BTreeMap<AudienceId, BTreeMap<SnapshotId, Snapshot>>,
    pub(super) seen_pages: BTreeMap<RunId, BTreeMap<u64, Vec<SeenProfile>>>,
    pub(super) issues: BTreeMap<RunId, BTreeMap<IssueKey, Issue>>,
    /// When it became uncertain which profiles are in the lists of these audiences.
    pub(super) full_passes_called_for: BTreeMap<AudienceId, Timestamp>,
    /// How often pages have moved links.
    pub(super) link_moves: LinkMoves,
    pub(super) runs: BTreeMap<RunId, SyncRun>,
    /// How many runs of each audience were deleted.
    pub(super) deleted_runs: BTreeMap<AudienceId, u64>,
    /// Runs whose rows cannot be read, and whether that is because a newer version wrote them.
    pub(super) unreadable_runs: BTreeMap<RunId, bool>,
    /// When continuous audiences are due.
    pub(super) schedules: BTreeMap<AudienceId, Timestamp>,
    pub(super) webhook_secrets: Option<WebhookSecrets>,
    pub(super) event_settings: EventSettings,
    pub(super) contact_settings: ContactSettings,
    pub(super) contacts: BTreeMap<ConsumerId, Contact>,
    pub(super) inbound_events: BTreeMap<InboundKey, Timestamp>,
    pub(super) deliveries: BTreeMap<Place, DeliveryRow>,
    pub(super) last_place: Place,
    pub(super) outbox_account: Option<AccountId>,
    /// What audiences are kept in.
    pub(super) kept_lists: BTreeMap<AudienceId, KeptList>,
    pub(super) ledgers: BTreeMap<CollectionId, BTreeMap<ProfileId, LedgerRow>>,
    pub(super) push_runs: BTreeMap<RunId, PushRun>,
    pub(super) push_limit: Option<u64>,
    pub(super) queue: BTreeMap<WorkKey, QueueRow>,
    /// When work was last claimed.
    pub(super) claimed_at: Option<Timestamp>,
}

/// Profile, code and field: an issue's key within its run.
pub(super) type IssueKey = (ProfileId, &'static str, &'static str);

#[derive(Clone)]
pub(super) struct ConsumerRow {
    pub(super) consumer: Consumer,
    pub(super) created_at: Timestamp,
    pub(super) created_by: String,
    pub(super) updated_at: Option<Timestamp>,
    pub(super) updated_by: Option<String>,
    pub(super) metadata: Option<BTreeMap<String, String>>,
}

#[derive(Clone)]
pub(super) struct LinkRow {
    pub(super) link: ProfileLink,
    pub(super) created_at: Timestamp,
    pub(super) updated_at: Option<Timestamp>,
}

#[derive(Clone)]
pub(super) struct MemberRow {
    /// The run that added it; `None` if it was added by hand.
    pub(super) by: Option<RunId>,
    pub(super) since: Timestamp,
}

impl MemberRow {
    pub(super) fn membership(&self, consumer: &ConsumerId) -> Membership {
        Membership {
            consumer: consumer.clone(),
            began: self.since,
            joined_by: self.by.clone(),
            end: None,
        }
    }
}

#[derive(Clone)]
pub(super) struct DeliveryRow {
    pub(super) delivery: Delivery,
    /// When it is sent; `None` when it is not pending.
    pub(super) due: Option<Timestamp>,
    pub(super) first_tried_at: Option<Timestamp>,
    pub(super) purchase: Option<PurchaseKey>,
    pub(super) payload: Option<Payload>,
}

/// Work in the queue of due work.
#[derive(Clone)]
pub(super) struct QueueRow {
    pub(super) due: Timestamp,
    /// Leased until then; `None` when leased to no worker.
    pub(super) lease_until: Option<Timestamp>,
    /// The token of the latest claim.
    pub(super) token: FencingToken,
    /// When it was last written.
    pub(super) written: Timestamp,
}

impl QueueRow {
    pub(super) fn is_leased(&self, now: Timestamp) -> bool {
        self.lease_until.is_some_and(|until| until > now)
    }

    pub(super) fn is_waiting(&self, now: Timestamp) -> bool {
        self.due <= now && !self.is_leased(now)
    }

    /// Puts its times right if it was written before the clock was set back.
    pub(super) fn restart_waits(&mut self, now: Timestamp) {
        if was_clock_set_back(self.written, now) {
            let lease_until = self.lease_until;
            self.lease_until = lease_until.map(|until| now.plus(until.since(self.written)));
            self.due = self.due.min(now);
            self.written = now;
        }
    }
}

impl Rows {
    pub(super) fn record(&self, row: &ConsumerRow) -> ConsumerRecord {
        let primary = row.consumer.primary.as_ref();
        ConsumerRecord {
            consumer: row.consumer.clone(),
            primary_changed_at: primary
                .and_then(|primary| self.links.get(&primary.stamp.profile))
                .map(|row| row.link.changed_at),
            created_at: row.created_at,
            created_by: row.created_by.clone(),
            updated_at: row.updated_at,
            updated_by: row.updated_by.clone(),
            metadata: row.metadata.clone(),
        }
    }

    /// All memberships of an audience that are known, present or ended.
    pub(super) fn memberships(&self, audience: &AudienceId) -> Vec<Membership> {
        let present = self.members.get(audience).into_iter().flatten();
        let present = present.map(|(id, row)| row.membership(id));
        let ended = self.ended.get(audience).into_iter().flatten();
        present
            .chain(ended.map(|(_, ended)| ended.clone()))
            .collect()
    }

    /// Says that nothing is kept of the audience from before this time.
    pub(super) fn begin_history(&mut self, audience: &AudienceId, from: Timestamp) {
        let stored = self.history_from.entry(audience.clone()).or_insert(from);
        *stored = from.max(*stored);
    }
}

/// A statement that a database with foreign keys and unique indexes would refuse.
pub(super) fn refuse(why: &str) -> StoreError {
    StoreError::Refused(why.to_owned().into())
}

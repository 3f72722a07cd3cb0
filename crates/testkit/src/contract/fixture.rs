//! An organization with a row of every kind, every method that writes, and everything that can be read.

use std::collections::BTreeMap;
use std::time::Duration;

use fanfare_domain::account_changes::AccountChanges;
use fanfare_domain::connection::{Connection, SealedKey};
use fanfare_domain::contact::{Contact, ContactSettings};
use fanfare_domain::delivery::{Delivery, DeliveryFilter, Summary};
use fanfare_domain::events::{EventSettings, InboundKey, WebhookSecrets};
use fanfare_domain::failure::FailureCode;
use fanfare_domain::history::{self, Change, ChangeRange};
use fanfare_domain::ids::{AudienceId, ConsumerId, ProfileId, RunId};
use fanfare_domain::issue::Issue;
use fanfare_domain::lease::FencingToken;
use fanfare_domain::page::{Known, PagePlan};
use fanfare_domain::pass::LinkMoves;
use fanfare_domain::ports::{
    AudienceRecord, ConsumerFilter, ConsumerRecord, SourceFilter, SourceRecord, StoreError,
    UnitOfWork,
};
use fanfare_domain::run::{SourceRun, SyncRun};
use fanfare_domain::source::CollectionSource;
use fanfare_domain::time::Timestamp;
use fanfare_domain::work::WorkKey;

pub(super) use super::fixture_rows::four_profiles;
use super::fixture_rows::{taken_snapshot, unreadable};
use super::test_organization::{ALL, LEASE, TestOrganization, sorted, write};
use super::{event_writes, kept_lists};
use crate::build::{self, at, consumer_id, link_move, page_plan, profile, profile_id};
use crate::seen;

/// An organization with a row of every kind.
pub(super) struct Fixture {
    /// An active run that a worker has a lease of. It has seen two of four members and met an issue, and links
    /// have moved.
    pub(super) held: SyncRun,
    /// The token of that lease.
    pub(super) token: FencingToken,
    /// A queued run of another list.
    pub(super) waiting: SourceRun,
    /// A source without an active run.
    pub(super) idle: CollectionSource,
    /// A run of that source, which is not stored yet.
    pub(super) next: SourceRun,
    /// All profiles that the organization has seen.
    pub(super) profiles: Vec<ProfileId>,
}

pub(super) async fn set_up(org: &TestOrganization<'_>) -> Fixture {
    let before = org.queue("list1").await;
    org.take(&before, &four_profiles()).await;
    org.finish(&before).await;
    // Who leaves has been a member for a while.
    org.advance(Duration::from_secs(1)).await;
    let held = org.queue("list1").await;
    let mut seen = four_profiles();
    seen.truncate(2);
    seen.push(profile("p5").email("not an address").build());
    org.take(&held, &seen).await;
    let moves = PagePlan {
        link_moves: vec![link_move("cons_a", "cons_b")],
        ..PagePlan::default()
    };
    org.write(&held, &moves).await;
    let token = org.claim(&WorkKey::pull(&held.id)).await.expect("a lease");
    let waiting = org.queue("list2").await;
    let waiting = org.load(&waiting).await;
    let idle = org.import("list3").await;
    let mut paused = idle.clone();
    paused.paused_by = Some(FailureCode::KeyInvalid);
    let mut unit = org.begin().await;
    unit.put_source(&paused).await.expect("a source");
    for audience in [&held.audience, &idle.audience] {
        let due = unit.put_due(audience, at(80)).await;
        due.expect("a due time");
    }
    unit.put_connection(&build::connection())
        .await
        .expect("a connection");
    event_writes::set_up(unit.as_mut()).await;
    kept_lists::set_up(unit.as_mut(), &held.audience).await;
    unit.commit().await.expect("a commit");
    Fixture {
        held,
        token,
        waiting,
        next: org.run(&idle),
        idle,
        profiles: ["p1", "p2", "p3", "p4", "p5"].map(profile_id).to_vec(),
    }
}

/// A method that writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Write {
    PutConnection,
    ResealKey,
    PutAccountChanges,
    PutSource,
    PutAudience,
    PutPage,
    AddMissingMembers,
    RemoveAbsentMembers,
    DeleteHistory,
    InsertSnapshot,
    DeleteSnapshot,
    DeleteSeenPages,
    InsertRun,
    Enqueue,
    Claim,
    SaveRun,
    Renew,
    Release,
    EndUnread,
    PutDue,
    EndSchedule,
    EndPauses,
    ArchiveUnread,
    EndSchedules,
    DeleteConnection,
    PutWebhookSecrets,
    PutEventSettings,
    InsertEvents,
    InsertDeliveries,
    RetryDelivery,
    PutConsumer,
    PutContactSettings,
    PutContacts,
}

impl Write {
    /// All of them, in an order in which each changes something in the fixture.
    pub(super) const ALL: [Self; 33] = [
        Self::PutConnection,
        Self::ResealKey,
        Self::PutAccountChanges,
        Self::PutSource,
        Self::PutAudience,
        Self::PutPage,
        Self::AddMissingMembers,
        Self::RemoveAbsentMembers,
        Self::DeleteHistory,
        Self::InsertSnapshot,
        Self::DeleteSnapshot,
        Self::DeleteSeenPages,
        Self::InsertRun,
        Self::Enqueue,
        Self::Claim,
        Self::SaveRun,
        Self::Renew,
        Self::Release,
        Self::EndUnread,
        Self::PutDue,
        Self::EndSchedule,
        Self::EndPauses,
        Self::ArchiveUnread,
        Self::EndSchedules,
        Self::DeleteConnection,
        Self::PutWebhookSecrets,
        Self::PutEventSettings,
        Self::InsertEvents,
        Self::InsertDeliveries,
        Self::RetryDelivery,
        Self::PutConsumer,
        Self::PutContactSettings,
        Self::PutContacts,
    ];

    /// Whether it takes the id of a row that has to exist.
    pub(super) const fn names_a_row(self) -> bool {
        !matches!(
            self,
            Self::PutConnection
                | Self::DeleteConnection
                | Self::PutSource
                | Self::InsertSnapshot
                | Self::DeleteSeenPages
                | Self::Enqueue
                | Self::PutDue
                | Self::EndSchedule
                | Self::EndPauses
                | Self::EndSchedules
                | Self::PutWebhookSecrets
                | Self::PutEventSettings
                | Self::InsertEvents
                | Self::InsertDeliveries
                | Self::PutConsumer
                | Self::PutContactSettings
                | Self::PutContacts
        )
    }

    /// Tries it on that fixture, in this unit. Returns whether it changed something.
    pub(super) async fn attempt(
        self,
        unit: &mut dyn UnitOfWork,
        to: &Fixture,
    ) -> Result<bool, StoreError> {
        let Fixture {
            held,
            token,
            waiting,
            idle,
            next,
            ..
        } = to;
        let leased = WorkKey::pull(&held.id);
        Ok(match self {
            Self::PutConnection
            | Self::ResealKey
            | Self::PutAccountChanges
            | Self::DeleteConnection => self.attempt_on_connection(unit, held).await?,
            Self::PutSource => {
                let mut source = idle.clone();
                source.data.name = Some("changed".to_owned());
                unit.put_source(&source).await.map(|()| true)?
            }
            Self::PutAudience => {
                let mut audience = build::audience(&idle.audience, &idle.id);
                "changed".clone_into(&mut audience.name);
                unit.put_audience(&audience).await.map(|()| true)?
            }
            Self::PutPage => {
                let page = [profile("p9").email("newest@example.com")];
                let ids = crate::clock::SeededIds::new(99);
                let plan = page_plan(page, Known::default(), at(30), &ids);
                unit.write_page(write(held, &plan, 99, at(30))).await? > 0
            }
            Self::AddMissingMembers => {
                let (run, audience) = (&held.id, &waiting.run().audience);
                let batch = unit.add_missing_members(run, audience, 0, 100);
                batch.await?.affected > 0
            }
            Self::RemoveAbsentMembers => {
                let (run, audience) = (&held.id, &held.audience);
                let seen = seen::seen_set(unit, run).await?;
                let batch = unit.remove_absent_members(run, audience, &seen, None, 100);
                batch.await?.affected > 0
            }
            Self::DeleteHistory => {
                let batch = unit.delete_history(&held.audience, Timestamp::MAX, None, 100);
                batch.await?.affected > 0
            }
            Self::InsertSnapshot => {
                let one = taken_snapshot();
                let insert = unit.insert_snapshot(&held.audience, &one);
                insert.await.map(|()| true)?
            }
            Self::DeleteSnapshot => {
                let id = taken_snapshot().id;
                unit.delete_snapshot(&held.audience, &id).await?
            }
            Self::DeleteSeenPages => unit.delete_seen_pages(100).await? > 0,
            Self::InsertRun => unit.insert_run(next).await.map(|()| true)?,
            Self::Enqueue => {
                let work = WorkKey::pull(&next.run().id);
                unit.enqueue(&work).await.map(|()| true)?
            }
            Self::Claim => {
                let work = WorkKey::pull(&waiting.run().id);
                unit.claim(&work, LEASE).await?.is_some()
            }
            Self::SaveRun => {
                let mut run = waiting.clone();
                run.cancel("", at(30)).expect("an active run");
                unit.save_run(&run).await.map(|()| true)?
            }
            Self::Renew => unit.renew(&leased, *token, LEASE).await?,
            Self::Release => unit.release(&leased, *token, None).await?,
            Self::EndUnread => unit.end_unread(&held.id, &unreadable(), at(30)).await?,
            Self::ArchiveUnread => {
                let archived = unit.archive_unread(&held.audience, "key_9", at(30)).await?;
                archived.is_some()
            }
            Self::PutDue => {
                let put = unit.put_due(&waiting.run().audience, at(90)).await;
                put.map(|()| true)?
            }
            Self::EndSchedule => unit.end_schedule(&held.audience).await.map(|()| true)?,
            Self::EndPauses => {
                let of = [FailureCode::KeyInvalid];
                unit.end_pauses(&of).await.map(|()| true)?
            }
            Self::EndSchedules => unit.end_schedules().await.map(|()| true)?,
            Self::PutWebhookSecrets
            | Self::PutEventSettings
            | Self::InsertEvents
            | Self::InsertDeliveries
            | Self::RetryDelivery
            | Self::PutConsumer
            | Self::PutContactSettings
            | Self::PutContacts => self.attempt_on_events(unit).await?,
        })
    }

    async fn attempt_on_connection(
        self,
        unit: &mut dyn UnitOfWork,
        held: &SyncRun,
    ) -> Result<bool, StoreError> {
        Ok(match self {
            Self::PutConnection => {
                let mut connection = build::connection();
                "new4".clone_into(&mut connection.last4);
                unit.put_connection(&connection).await.map(|()| true)?
            }
            Self::ResealKey => {
                let before = build::connection().key;
                let after = SealedKey {
                    bytes: b"anew".to_vec(),
                    ..before.clone()
                };
                unit.reseal_key(&before, &after).await?
            }
            Self::PutAccountChanges => {
                let read = AccountChanges {
                    reader: Some(held.id.clone()),
                    ..AccountChanges::default()
                };
                let unread = AccountChanges::default();
                unit.put_account_changes(&unread, &read).await?
            }
            _ => unit.delete_connection().await.map(|()| true)?,
        })
    }
}

/// Everything that can be read of an organization.
#[derive(Debug, PartialEq)]
pub(super) struct Snapshot {
    connection: Option<Connection>,
    account_changes: AccountChanges,
    sources: Vec<SourceRecord>,
    source_rows: Vec<Option<CollectionSource>>,
    audiences: Vec<AudienceRecord>,
    consumers: Vec<ConsumerRecord>,
    members: Vec<Vec<ConsumerId>>,
    changes: Vec<Vec<Change>>,
    snapshots: Vec<Vec<history::Snapshot>>,
    runs: Vec<Vec<SyncRun>>,
    active: Vec<RunId>,
    issues: Vec<Vec<Issue>>,
    known: Vec<Known>,
    link_moves: LinkMoves,
    schedules: Vec<(AudienceId, Timestamp)>,
    webhook_secrets: Option<WebhookSecrets>,
    event_settings: EventSettings,
    known_events: Vec<InboundKey>,
    deliveries: Vec<Delivery>,
    delivery_summary: Summary,
    contact_settings: ContactSettings,
    contacts: BTreeMap<ConsumerId, Contact>,
}

/// Reads everything. `profiles` are those whose links and seen profiles are read.
pub(super) async fn snapshot(org: &TestOrganization<'_>, profiles: &[ProfileId]) -> Snapshot {
    let mut unit = org.read().await;
    read_all(unit.as_mut(), profiles)
        .await
        .expect("everything can be read")
}

async fn read_all(
    unit: &mut dyn UnitOfWork,
    profiles: &[ProfileId],
) -> Result<Snapshot, StoreError> {
    let sources = unit.search_sources(&SourceFilter::default(), &ALL).await?;
    let mut source_rows = Vec::new();
    for source in &sources {
        source_rows.push(unit.source(&source.id).await?);
    }
    let audiences = unit.audiences(&ALL).await?.items;
    let (mut members, mut runs) = (Vec::new(), Vec::new());
    let (mut changes, mut snapshots) = (Vec::new(), Vec::new());
    let all_times = ChangeRange {
        since: Timestamp::EPOCH,
        until: None,
        after: None,
    };
    let (mut issues, mut known) = (Vec::new(), Vec::new());
    for record in &audiences {
        let page = unit.members(&record.audience.id, None, &ALL).await?;
        members.push(page.items.into_iter().map(|one| one.consumer.id).collect());
        let audience = &record.audience.id;
        changes.push(unit.changes(audience, &all_times, 10_000).await?);
        snapshots.push(unit.snapshots(audience, &ALL).await?.items);
        runs.push(unit.runs(&record.audience.id, &ALL).await?.items);
    }
    for run in runs.iter().flatten() {
        issues.push(unit.issues(&run.id, &ALL).await?.items);
        known.push(sorted(seen::known(unit, &run.id, &[], profiles).await?));
    }
    let mut active = unit.active_runs().await?;
    active.sort();
    Ok(Snapshot {
        connection: unit.connection().await?,
        account_changes: unit.account_changes().await?,
        source_rows,
        sources,
        audiences,
        consumers: unit
            .consumers(&ConsumerFilter::default(), &ALL)
            .await?
            .items,
        members,
        changes,
        snapshots,
        runs,
        active,
        issues,
        known,
        link_moves: unit.link_moves().await?,
        schedules: unit.schedules().await?,
        webhook_secrets: unit.webhook_secrets().await?,
        event_settings: unit.event_settings().await?,
        known_events: unit.known_events(&[InboundKey("new".to_owned())]).await?,
        deliveries: unit
            .deliveries(&DeliveryFilter::default(), &ALL)
            .await?
            .items,
        delivery_summary: unit.delivery_summary().await?,
        contact_settings: unit.contact_settings().await?,
        contacts: unit.contacts_of(&[consumer_id("cons_new")]).await?,
    })
}

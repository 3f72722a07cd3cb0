//! What must be read of a store that was brought up to date, in which every earlier version has left rows.
//!
//! The rows are those of the stores' `tests/data`: a file for each migration, written after that migration was
//! applied and before the next one, as a program of that version would have done.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use fanfare_domain::consumer::Stamp;
use fanfare_domain::contact::{ContactField, Winner};
use fanfare_domain::delivery::{DeliveryKind, DeliveryStatus, Payload};
use fanfare_domain::events::{EventType, InboundKey};
use fanfare_domain::failure::FailureCode;
use fanfare_domain::paging::PageRequest;
use fanfare_domain::pass::{LinkMoves, Pass};
use fanfare_domain::ports::{ConsumerFilter, QuotaLedger, Store, UnitOfWork, WorkQueue};
use fanfare_domain::push::{MustConfirm, PushPhase, RowStanding};
use fanfare_domain::quota::{Demand, Endpoint, Reservation};
use fanfare_domain::removal::RemovalGuard;
use fanfare_domain::run::SyncStatus;
use fanfare_domain::time::Timestamp;
use fanfare_domain::waiting::WaitReason;
use fanfare_domain::watermarks::Watermarks;
use fanfare_domain::work::WorkKey;
use fanfare_domain::writing::Money;

use crate::build::{audience_id, consumer_id, organization_id, profile_id, run_id};
use crate::seen;

/// The rows that each version wrote: a file `VERSION.sql` for each migration from the first version's last one on.
#[derive(Debug)]
pub struct RowsOfVersions {
    folder: PathBuf,
}

impl RowsOfVersions {
    /// Those in the folder `tests/data` of a store's crate.
    pub fn of_crate(folder: &str) -> Self {
        Self {
            folder: Path::new(folder).join("tests/data"),
        }
    }

    /// The versions of which there are rows, in order.
    pub fn versions(&self) -> BTreeSet<i64> {
        let files = fs::read_dir(&self.folder).expect("the folder");
        let version = |file: fs::DirEntry| {
            let name = file.file_name().into_string().expect("a name");
            let version = name.strip_suffix(".sql").expect("a file of SQL");
            version.parse().expect("a version")
        };
        files.map(|file| version(file.expect("a file"))).collect()
    }

    /// The statements that write a version's rows.
    pub fn of(&self, version: i64) -> String {
        let file = self.folder.join(format!("{version}.sql"));
        fs::read_to_string(file).expect("a version that has rows")
    }

    /// Fails unless each of these migrations has rows, from the first one on that has.
    pub fn assert_complete(&self, migrations: impl IntoIterator<Item = i64>) {
        let versions = self.versions();
        let first = *versions.first().expect("rows of some version");
        let migrations: BTreeSet<i64> = migrations.into_iter().collect();
        let newer: BTreeSet<i64> = migrations.range(first..).copied().collect();
        assert_eq!(
            versions, newer,
            "add tests/data/VERSION.sql for each migration"
        );
    }
}

/// Fails unless everything that earlier versions wrote is read as they meant it, and their active run can be
/// taken up.
pub async fn assert_readable(store: &(impl Store + WorkQueue + QuotaLedger)) {
    let unit = store.begin(&organization_id("org_a")).await;
    let mut unit = unit.expect("a unit");
    for profiles in [1, 1, 0] {
        let moved = unit.gather_seen_profiles(&run_id("run_b"), 1).await;
        assert_eq!(moved.expect("an answer"), profiles);
    }
    unit.commit().await.expect("a commit");
    let unit = store.read(&organization_id("org_a")).await;
    let mut unit = unit.expect("a unit");
    assert_rows(unit.as_mut()).await;
    assert_webhooks(unit.as_mut()).await;
    assert_contacts(unit.as_mut()).await;
    assert_kept_list(unit.as_mut()).await;
    drop(unit);
    let mut other = store.read(&organization_id("org_b")).await.expect("a unit");
    let connection = other.connection().await.expect("an answer");
    assert_eq!(connection.map(|connection| connection.generation), Some(4));

    let mut waiting = store.read(&organization_id("org_c")).await.expect("a unit");
    let run = waiting.run(&run_id("run_w")).await.expect("an answer");
    let reason = run.and_then(|run| run.waiting).map(|waiting| waiting.why);
    assert_eq!(reason, Some(WaitReason::RetryAfter));
    // Its place was written before the clock was set back.
    store.notify(10).await.expect("a count");
    let unit = store.begin(&organization_id("org_c")).await;
    let claim = unit
        .expect("a unit")
        .claim(&WorkKey::pull(&run_id("run_w")), Duration::from_secs(10))
        .await;
    assert!(claim.expect("an answer").is_some(), "its pause is over");

    let unit = store.begin(&organization_id("org_a")).await;
    let mut unit = unit.expect("a unit");
    let work = WorkKey::pull(&run_id("run_b"));
    let claim = unit.claim(&work, Duration::from_secs(10)).await;
    let claim = claim.expect("an answer").expect("a lease that ran out");
    assert!(claim.abandoned && claim.token.0 > 7, "{claim:?}");
    let now = Timestamp::parse("2026-11-28T12:00:00Z").expect("a time");
    let reserved = store
        .reserve("account:AbC123", Endpoint::Lists, &Demand::ONE, now)
        .await;
    let is_blocked = matches!(reserved, Ok(Reservation::Blocked(_)));
    assert!(is_blocked, "until 2100: {reserved:?}");
}

async fn assert_kept_list(unit: &mut dyn UnitOfWork) {
    let audience = audience_id("aud_a");
    let kept = unit.kept_list(&audience).await.expect("an answer");
    let kept = kept.expect("a list");
    assert_eq!(kept.waits_for, Some(MustConfirm::Mails(3)));
    assert!(kept.confirmed_flows.expect("flows")[0].may_mail());
    let open = unit.open_ledger(&kept.list, 10).await.expect("rows");
    let open: Vec<_> = open
        .into_iter()
        .map(|row| (row.profile, row.standing))
        .collect();
    assert_eq!(open, [(profile_id("p1"), RowStanding::Adding)]);
    let run = unit
        .active_push(&audience)
        .await
        .expect("an answer")
        .expect("a run");
    let after = Some(consumer_id("cons_a"));
    assert_eq!(run.phase, PushPhase::Members { after });
    assert_eq!(unit.push_limit().await.expect("an answer"), Some(12));
}

async fn assert_webhooks(unit: &mut dyn UnitOfWork) {
    let secrets = unit.webhook_secrets().await.expect("an answer");
    assert_eq!(secrets.expect("secrets").current.bytes, [1, 2]);
    let settings = unit.event_settings().await.expect("settings");
    let chosen = BTreeMap::from([(EventType::DrawLost, None)]);
    assert_eq!((settings.enabled, settings.metrics), (true, chosen));
    let key = InboundKey("k1".to_owned());
    let known = unit.known_events(std::slice::from_ref(&key)).await;
    assert_eq!(known.expect("an answer"), [key]);

    let due = unit.due_deliveries(Timestamp::MAX, 9).await;
    let due = due.expect("deliveries");
    let Payload::Event(event) = &due[0].payload else {
        panic!("an event");
    };
    assert_eq!((due.len(), event.unique_id.as_str()), (1, "whk_1"));
    assert_eq!(event.value, Money::parse("49.90", "EUR").ok());
    let summary = unit.delivery_summary().await.expect("a summary");
    let of_events = &summary[&DeliveryKind::Event];
    assert_eq!(of_events.counts[&DeliveryStatus::Pending], 1);
    let account = unit.outbox_account().await.expect("an answer");
    assert_eq!(account.expect("an account").as_str(), "AbC123");
}

async fn assert_contacts(unit: &mut dyn UnitOfWork) {
    let settings = unit.contact_settings().await.expect("settings");
    assert_eq!((settings.enabled, settings.winner), (true, Winner::Fanfare));
    let ada = consumer_id("cons_a");
    let contacts = unit.contacts_of(std::slice::from_ref(&ada)).await;
    let contact = &contacts.expect("contacts")[&ada];
    let phone = &contact.fields[&ContactField::Phone];
    assert_eq!(
        (phone.base.clone(), phone.in_flight.clone()),
        (Some(None), None)
    );
    let record = unit.consumer(&consumer_id("cons_b")).await;
    let metadata = record.expect("an answer").expect("a consumer").metadata;
    let tier = BTreeMap::from([("tier".to_owned(), "\"gold\"".to_owned())]);
    assert_eq!(metadata, Some(tier));
}

async fn assert_rows(unit: &mut dyn UnitOfWork) {
    let written_at = Timestamp::from_micros(1_700_000_000_000_000);
    let connection = unit.connection().await.expect("an answer");
    let connection = connection.expect("a connection");
    assert_eq!((connection.generation, &*connection.last4), (1, "wxyz"));

    let changes = unit.account_changes().await.expect("an answer");
    let last = changes.last.map(|last| (Some(last.began_at), last.next_at));
    let next_at = written_at.map(|at| at.plus(Duration::from_mins(15)));
    assert_eq!(last, next_at.map(|next_at| (written_at, next_at)));
    assert_eq!(changes.reader, Some(run_id("run_b")));

    // The run's checkpoint is another version's: it begins with its list again.
    let run = unit.run(&run_id("run_b")).await.expect("an answer");
    let run = run.expect("the active run");
    assert_eq!((run.status, run.crashes), (SyncStatus::Syncing, 1));
    assert_eq!((run.pass, run.progress.pages), (Pass::default(), 1));
    let moves = unit.link_moves().await.expect("an answer");
    assert_eq!(moves, LinkMoves(5));

    let profiles = ["p1", "p2", "p7"].map(profile_id);
    let known = seen::known(unit, &run.id, &[], &profiles).await;
    let known = known.expect("what is known");
    assert_eq!((known.consumers.len(), known.links.len()), (1, 2));
    assert_eq!(known.seen_profiles.len(), 3);
    let ada = &known.consumers[0];
    let stamp = |updated, profile: &str| Stamp {
        updated,
        profile: profile_id(profile),
    };
    let phone = ada.phone.as_ref().expect("a phone number");
    assert_eq!(phone.by, Some(stamp(written_at, "p1")));
    let full_name = ada.full_name.as_ref().expect("a name");
    assert_eq!(full_name.by, Some(stamp(None, "p2")));

    for (id, by) in [("cons_b", None), ("cons_c", Some(stamp(written_at, "p3")))] {
        let record = unit.consumer(&consumer_id(id)).await.expect("an answer");
        let phone = record.expect("a consumer").consumer.phone;
        assert_eq!(phone.expect("a phone number").by, by, "{id}");
    }

    let all = PageRequest {
        first: 100,
        after: None,
    };
    for (search, id) in [
        ("ADA", "cons_a"),
        ("5550102", "cons_b"),
        ("åsa STRASSE", "cons_d"),
    ] {
        let filter = ConsumerFilter {
            search: Some(search.to_owned()),
            ..ConsumerFilter::default()
        };
        let found = unit.consumers(&filter, &all).await.expect("consumers");
        let ids: Vec<&str> = found
            .items
            .iter()
            .map(|found| found.consumer.id.as_str())
            .collect();
        assert_eq!(ids, [id], "{search}");
    }

    let audience = audience_id("aud_a");
    let record = unit.audience(&audience).await.expect("an answer");
    let record = record.expect("an audience");
    let source = record.source.expect("a source");
    assert_eq!(source.status, SyncStatus::Syncing);
    assert_eq!(source.last_synced_at, written_at);
    assert_eq!(unit.member_count(&audience).await.expect("a count"), 1);
    // A membership of the first version has its beginning; who left before history was kept, nobody knows.
    let [ada, b] = ["cons_a", "cons_b"].map(consumer_id);
    let of_ada = unit.last_membership(&audience, &ada).await;
    let of_ada = of_ada.expect("an answer").expect("a membership");
    assert_eq!((Some(of_ada.began), of_ada.end), (written_at, None));
    let of_b = unit.last_membership(&audience, &b).await;
    let of_b = of_b.expect("an answer").expect("a membership");
    assert_eq!(of_b.end.expect("an end").left_by, Some(run_id("run_b")));
    let from = unit.history_from(&audience).await.expect("an answer");
    assert!(from > written_at, "{from:?}");
    let snapshots = unit.snapshots(&audience, &all).await.expect("snapshots");
    assert_eq!(snapshots.items[0].name, "Before");
    let guard = source.guard;
    assert_eq!(guard, RemovalGuard::succeeded(195).held());
    assert_eq!(source.last_full_pass_at, written_at);
    assert_eq!(source.paused_by, Some(FailureCode::SourceGone));
    let marks = written_at.map(|at| Watermarks::after_full_pass(at, 195, None));
    assert_eq!(source.watermarks, marks);
    let due_at = unit.due_at(&audience).await.expect("an answer");
    assert_eq!(due_at, written_at);
    let runs = unit.runs(&audience, &all).await.expect("runs").items;
    assert_eq!(runs.len(), 2);
    let deferred: Vec<bool> = runs.iter().map(|run| run.removals_deferred).collect();
    assert_eq!(deferred, [false, true]);
    let issues = unit.issues(&run_id("run_a"), &all).await.expect("issues");
    assert_eq!(issues.items.len(), 1);
}

//! Our own rows, with sensible defaults. All their times are [`at`]`(0)`.

use std::collections::BTreeMap;

use fanfare_domain::audience::Audience;
use fanfare_domain::connection::{Connection, ConnectionStatus, SealedKey};
use fanfare_domain::consumer::{Consumer, Primary, ProfileLink, Stamp, Stamped};
use fanfare_domain::ids::{AudienceId, KeyId, OrganizationId, RunId, SourceId};
use fanfare_domain::issue::{Field, Issue, IssueCode, IssueKind};
use fanfare_domain::organization::{KeyHash, KeyKind, Organization, Role, SecretKey};
use fanfare_domain::page::LinkMove;
use fanfare_domain::pass::LinkMoves;
use fanfare_domain::ports::ConsumerRecord;
use fanfare_domain::removal::RemovalGuard;
use fanfare_domain::run::{NewRun, Opened, PagesTaken, SourceRun, SyncStatus, Trigger};
use fanfare_domain::scan::ScannedPage;
use fanfare_domain::source::{CollectionRef, CollectionSource, SourceData};
use fanfare_domain::time::Timestamp;

use super::{at, consumer_id, email, full_name, organization_id, phone, profile_id, source_id};

/// An organization called like its id.
pub fn organization(id: &str) -> Organization {
    Organization {
        id: organization_id(id),
        name: id.to_owned(),
        created_at: at(0),
    }
}

/// An owner's live key, whose hash begins with this byte.
pub fn secret_key(id: &str, organization: &OrganizationId, hash: u8) -> SecretKey {
    SecretKey {
        id: KeyId::parse(id).expect("an id"),
        organization: organization.clone(),
        role: Role::Owner,
        kind: KeyKind::Live,
        hash: KeyHash([hash; 32]),
        created_at: at(0),
        revoked_at: None,
    }
}

/// A connection that works.
pub fn connection() -> Connection {
    Connection {
        key: SealedKey {
            form: 1,
            bytes: vec![0, 1, 2, 254, 255],
        },
        generation: 1,
        last4: "wxyz".to_owned(),
        account: None,
        status: ConnectionStatus::Active,
        verified_at: at(0),
        missing_scopes: Vec::new(),
        message: None,
    }
}

/// The pending source of an audience.
pub fn source(id: &str, collection: CollectionRef, audience: &AudienceId) -> CollectionSource {
    CollectionSource {
        id: source_id(id),
        collection,
        audience: audience.clone(),
        status: SyncStatus::Pending,
        last_synced_at: None,
        data: SourceData::default(),
        created_at: at(0),
        created_by: "key_test".to_owned(),
        updated_at: None,
        archived: false,
        guard: RemovalGuard::default(),
        last_full_pass_at: None,
        paused_by: None,
        watermarks: None,
    }
}

/// An audience called like its id.
pub fn audience(id: &AudienceId, source: &SourceId) -> Audience {
    Audience {
        id: id.clone(),
        source: Some(source.clone()),
        name: id.to_string(),
        named_by_hand: false,
        description: None,
        icon_name: None,
        metadata: None,
        group_id: None,
        group_name: None,
        group_type: None,
        last_refreshed_at: None,
        refresh_interval_seconds: None,
        created_at: at(0),
        created_by: "key_test".to_owned(),
        updated_at: None,
        updated_by: None,
        archived: false,
    }
}

/// A queued import.
pub fn run(id: &RunId, organization: &OrganizationId, source: &CollectionSource) -> SourceRun {
    let new = NewRun {
        id: id.clone(),
        organization: organization.clone(),
        trigger: Trigger::Import,
        confirm_removals: false,
    };
    SourceRun::queue(source.clone(), new, at(0))
}

/// The run after it has read one empty page and succeeded, at [`at`]`(20)`.
pub fn succeeded(mut run: SourceRun) -> SourceRun {
    run.claim(false, at(10)).expect("a claim");
    run.open(Opened::default(), at(20)).expect("a claimed run");
    let taken = PagesTaken {
        pages: vec![(0, ScannedPage::default())],
        ..PagesTaken::default()
    };
    run.take_pages(taken, 1, at(20)).expect("an opened run");
    run.begin_reconciling(LinkMoves::default(), at(20))
        .expect("a run that has read everything");
    run
}

/// A profile's link to a consumer, last updated at [`at`]`(updated)`. Its source is
/// `sync_PROFILE`.
pub fn link(profile: &str, consumer: &str, updated: Option<i64>) -> ProfileLink {
    ProfileLink {
        source: source_id(&format!("sync_{profile}")),
        profile: profile_id(profile),
        consumer: consumer_id(consumer),
        updated: updated.map(at),
        changed_at: at(0),
    }
}

/// A link's way from one consumer to another.
pub fn link_move(from: &str, to: &str) -> LinkMove {
    LinkMove {
        from: consumer_id(from),
        to: consumer_id(to),
        is_shared: false,
    }
}

/// The stamp of a profile at [`at`]`(updated)`.
pub fn stamp(profile: &str, updated: Option<i64>) -> Stamp {
    Stamp {
        updated: updated.map(at),
        profile: profile_id(profile),
    }
}

/// An issue met at [`at`]`(0)`.
pub fn issue(profile: &str, code: IssueCode, field: Option<Field>) -> Issue {
    Issue {
        profile: profile_id(profile),
        kind: IssueKind { code, field },
        at: at(0),
    }
}

/// A consumer with nothing but its id.
pub fn consumer(id: &str) -> ConsumerBuilder {
    ConsumerBuilder(Consumer::new(consumer_id(id)))
}

/// A consumer in the making.
#[derive(Debug, Clone)]
pub struct ConsumerBuilder(Consumer);

impl ConsumerBuilder {
    /// With this e-mail.
    #[must_use]
    pub fn email(mut self, text: &str) -> Self {
        self.0.email = Some(email(text));
        self
    }

    /// With this phone number, as that profile wrote it.
    #[must_use]
    pub fn phone(mut self, text: &str, by: Option<Stamp>) -> Self {
        let value = phone(text);
        self.0.phone = Some(Stamped { value, by });
        self
    }

    /// With this name, as that profile wrote it.
    #[must_use]
    pub fn full_name(mut self, text: &str, by: Option<Stamp>) -> Self {
        let value = full_name(text);
        self.0.full_name = Some(Stamped { value, by });
        self
    }

    /// With that profile as its primary; its link's source is `sync_PROFILE`.
    #[must_use]
    pub fn primary(mut self, stamp: Stamp) -> Self {
        let source = source_id(&format!("sync_{}", stamp.profile));
        self.0.primary = Some(Primary { stamp, source });
        self
    }

    /// The consumer.
    pub fn build(self) -> Consumer {
        self.0
    }
}

/// A consumer that was made in Fanfare, Ada, with everything that one has.
pub fn made_consumer(id: &str, at: Timestamp) -> ConsumerRecord {
    let mut consumer = Consumer::new(consumer_id(id));
    consumer.email = Some(email("ada@example.com"));
    consumer.edit_full_name(Some(full_name("Ada")), at);
    consumer.edit_phone(Some(phone("+12025550101")), at);
    ConsumerRecord {
        consumer,
        primary_changed_at: None,
        created_at: at,
        created_by: "key_1".to_owned(),
        updated_at: None,
        updated_by: None,
        metadata: Some(BTreeMap::from([
            ("tier".to_owned(), "\"gold\"".to_owned()),
            ("visits".to_owned(), "[1,2.50]".to_owned()),
        ])),
    }
}

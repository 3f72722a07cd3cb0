//! Audiences and their members.

use std::collections::BTreeMap;

use fanfare_domain::audience::{Audience, GroupType};
use fanfare_domain::door::People;
use fanfare_domain::history::{Change, ChangeKind, moment};
use fanfare_domain::ids::{AudienceId, ConsumerId};
use fanfare_domain::ports::{AudienceRecord, SourceFilter};

use super::assert_refused;
use super::harness::StoreHarness;
use super::history::{all_changes, consumer_of};
use super::test_organization::{ALL, TestOrganization, assert_paged};
use crate::build::{self, at, audience_id, profile};

fn full(audience: &Audience) -> Audience {
    Audience {
        name: "N\u{e4}me 'quoted' \u{1f389}".to_owned(),
        named_by_hand: true,
        description: Some("what it is for".to_owned()),
        icon_name: Some("star".to_owned()),
        metadata: Some(BTreeMap::from([
            ("k".to_owned(), r#"["a",1]"#.to_owned()),
            (String::new(), "\"\\u0007\"".to_owned()),
        ])),
        group_id: Some("g".to_owned()),
        group_name: Some("group".to_owned()),
        group_type: Some(GroupType::Rfm),
        last_refreshed_at: Some(at(70)),
        refresh_interval_seconds: Some(u32::MAX),
        updated_at: Some(at(80)),
        updated_by: Some("key_other".to_owned()),
        ..audience.clone()
    }
}

/// Every field comes back, of a new audience and of one overwritten, with its source.
pub async fn an_audience_comes_back_as_it_was_put_last(harness: &dyn StoreHarness) {
    let org = TestOrganization::new(harness);
    let source = org.import("list1").await;
    let fresh = build::audience(&source.audience, &source.id);

    for put in [full(&fresh), fresh] {
        let mut unit = org.begin().await;
        unit.put_audience(&put).await.expect("an audience");
        unit.commit().await.expect("a commit");

        let mut unit = org.read().await;
        let record = unit.audience(&put.id).await.expect("an answer");
        let want = AudienceRecord {
            audience: put,
            source: Some(source.clone()),
        };
        assert_eq!(record, Some(want));
    }
}

/// An audience's record has its source as it is now.
pub async fn an_audience_shows_what_its_source_has_become(harness: &dyn StoreHarness) {
    let org = TestOrganization::new(harness);
    let mut source = org.import("list1").await;
    source.data.processed = 7;
    let mut unit = org.begin().await;
    unit.put_source(&source).await.expect("a source");

    let record = unit.audience(&source.audience).await.expect("an answer");
    assert_eq!(record.expect("the audience").source, Some(source));
}

/// A source has to be stored before its audience.
pub async fn an_audience_without_its_source_is_refused(harness: &dyn StoreHarness) {
    let org = TestOrganization::new(harness);
    let source = TestOrganization::source("list1");
    let mut unit = org.begin().await;

    let refused = unit
        .put_audience(&build::audience(&source.audience, &source.id))
        .await;

    assert_refused(refused, "an audience of no source");
}

/// Unarchived ones by id; an archived one is still found by its id.
pub async fn audiences_are_paged_by_id_and_archived_ones_left_out(harness: &dyn StoreHarness) {
    let org = TestOrganization::new(harness);
    for list in ["b", "a", "d", "c", "e"] {
        org.import(list).await;
    }
    let mut archived = build::audience(&audience_id("aud_c"), &TestOrganization::source("c").id);
    archived.archived = true;
    let mut unit = org.begin().await;
    unit.put_audience(&archived).await.expect("an audience");

    let all = unit.audiences(&ALL).await.expect("audiences").items;
    let ids: Vec<&str> = all
        .iter()
        .map(|record| record.audience.id.as_str())
        .collect();
    assert_eq!(ids, ["aud_a", "aud_b", "aud_d", "aud_e"]);
    let found = unit.audience(&archived.id).await.expect("an answer");
    assert_eq!(found.map(|record| record.audience), Some(archived));
    assert_paged(&all, async |page| {
        unit.audiences(page).await.expect("audiences")
    })
    .await;
}

/// Those that are asked for and stored, archived or not, as each is read alone.
pub async fn audiences_are_read_by_their_ids_together(harness: &dyn StoreHarness) {
    let org = TestOrganization::new(harness);
    for list in ["b", "a", "c", "d"] {
        org.import(list).await;
    }
    let mut archived = build::audience(&audience_id("aud_c"), &TestOrganization::source("c").id);
    archived.archived = true;
    let by_hand = by_hand("aud_hand");
    let mut unit = org.begin().await;
    unit.put_audience(&archived).await.expect("an audience");
    unit.put_audience(&by_hand).await.expect("an audience");

    let asked = ["aud_c", "aud_none", "aud_hand", "aud_a"].map(audience_id);
    let found = unit.audiences_by_id(&asked).await;
    let mut found = found.expect("audiences");
    found.sort_by(|one, other| one.audience.id.cmp(&other.audience.id));
    let mut want = Vec::new();
    for id in ["aud_a", "aud_c", "aud_hand"].map(audience_id) {
        want.extend(unit.audience(&id).await.expect("an answer"));
    }
    assert_eq!(found, want);
    assert_eq!(want.len(), 3);
    let none = unit.audiences_by_id(&[]).await.expect("an answer");
    assert_eq!(none, []);
    unit.commit().await.expect("a commit");
    let theirs = TestOrganization::of(harness, "org_b");
    let none = theirs.read().await.audiences_by_id(&asked).await;
    assert_eq!(none.expect("an answer"), []);
}

/// A name is taken if another audience has exactly that name and is not archived.
pub async fn a_name_is_taken_by_another_unarchived_audience(harness: &dyn StoreHarness) {
    let org = TestOrganization::new(harness);
    let source = org.import("list1").await;
    let mut audience = build::audience(&source.audience, &source.id);
    "VIP 100%".clone_into(&mut audience.name);
    let unknown = audience_id("aud_none");
    let mut unit = org.begin().await;
    unit.put_audience(&audience).await.expect("an audience");

    for (name, except, want) in [
        ("VIP 100%", &unknown, true),
        ("VIP 100%", &audience.id, false),
        ("vip 100%", &unknown, false),
        ("VIP 100% ", &unknown, false),
        ("VIP", &unknown, false),
        ("%", &unknown, false),
        ("", &unknown, false),
    ] {
        let is_taken = unit.is_name_taken(name, except).await.expect("an answer");
        assert_eq!(is_taken, want, "{name:?}, except {except}");
    }
    audience.archived = true;
    unit.put_audience(&audience).await.expect("an audience");
    assert!(
        !unit
            .is_name_taken("VIP 100%", &unknown)
            .await
            .expect("an answer")
    );
}

/// An audience is archived with its source, whatever their rows hold; one that is archived, or is not there, is not.
pub async fn an_audience_is_archived_without_being_read(harness: &dyn StoreHarness) {
    let org = TestOrganization::new(harness);
    let source = org.import("list1").await;
    let archive = async |audience: &AudienceId| {
        let mut unit = org.begin().await;
        let archived = unit.archive_unread(audience, "key_9", at(50)).await;
        unit.commit().await.expect("a commit");
        archived.expect("an answer")
    };

    assert_eq!(archive(&source.audience).await, Some(source.id.clone()));

    let found = org.read().await.audience(&source.audience).await;
    let AudienceRecord { audience, source } = found.expect("an answer").expect("an audience");
    let source = source.expect("a source");
    assert!(audience.archived && source.archived);
    assert_eq!(audience.updated_by.as_deref(), Some("key_9"));
    assert_eq!(
        (audience.updated_at, source.updated_at),
        (Some(at(50)), Some(at(50)))
    );
    assert_eq!(archive(&source.audience).await, None, "it is archived");
    assert_eq!(archive(&audience_id("aud_none")).await, None);
}

/// Members by consumer id, as many as are counted, and none of another audience.
pub async fn members_are_paged_by_id_and_counted(harness: &dyn StoreHarness) {
    let org = TestOrganization::new(harness);
    let (run, other) = (org.queue("list1").await, org.queue("list2").await);
    let profiles = |numbers: std::ops::Range<u32>| -> Vec<_> {
        let one = |n| {
            profile(&format!("p{n}"))
                .email(&format!("e{n}@example.com"))
                .build()
        };
        numbers.map(one).collect()
    };
    org.take(&run, &profiles(0..9)).await;
    org.take(&other, &profiles(5..12)).await;
    let mut unit = org.read().await;

    for (audience, want) in [(&run.audience, 9), (&other.audience, 7)] {
        let all = unit
            .members(audience, None, &ALL)
            .await
            .expect("members")
            .items;
        assert!(all.is_sorted_by(|a, b| a.consumer.id < b.consumer.id));
        assert_eq!(all.len(), want);
        assert_eq!(
            unit.member_count(audience).await.expect("a count"),
            want as u64
        );
        assert_paged(&all, async |page| {
            unit.members(audience, None, page).await.expect("members")
        })
        .await;
    }
    let unknown = audience_id("aud_none");
    assert_eq!(
        unit.members(&unknown, None, &ALL)
            .await
            .expect("members")
            .items,
        []
    );
    assert_eq!(unit.member_count(&unknown).await.expect("a count"), 0);
}

/// An audience that is filled by hand, called like its id.
fn by_hand(id: &str) -> Audience {
    let mut audience = build::audience(&audience_id(id), &TestOrganization::source("none").id);
    audience.source = None;
    audience
}

/// No source fills it, and none is listed; it is paged, archived and asked at the door like any other.
pub async fn an_audience_by_hand_comes_back_without_a_source(harness: &dyn StoreHarness) {
    let org = TestOrganization::new(harness);
    let source = org.import("list1").await;
    let audience = by_hand("aud_z");
    let mut unit = org.begin().await;
    unit.put_audience(&audience).await.expect("an audience");
    unit.put_audience(&audience).await.expect("the same again");
    unit.commit().await.expect("a commit");

    let mut unit = org.read().await;
    let want = AudienceRecord {
        audience: audience.clone(),
        source: None,
    };
    let record = unit.audience(&audience.id).await.expect("an answer");
    assert_eq!(record.as_ref(), Some(&want));
    let all = unit.audiences(&ALL).await.expect("audiences").items;
    assert_eq!(all.last(), Some(&want));
    let filter = SourceFilter::default();
    let sources = unit.search_sources(&filter, &ALL).await.expect("sources");
    let sources: Vec<_> = sources.into_iter().map(|found| found.id).collect();
    assert_eq!(sources, [source.id]);
    let nobody = People::Emails(Vec::new());
    let door = unit.members_among(&audience.id, &nobody);
    let door = door.await.expect("an answer").expect("a door");
    assert_eq!(door.freshness.last_synced_at, None);
    assert_eq!(door.freshness.created_at, audience.created_at);
    drop(unit);

    let mut unit = org.begin().await;
    let archived = unit.archive_unread(&audience.id, "key_9", at(50)).await;
    assert_eq!(archived.expect("an answer"), None);
    let found = unit.audience(&audience.id).await.expect("an answer");
    assert!(found.expect("an audience").audience.archived);
}

/// Who is added twice joined once; who is taken out was a member until then.
pub async fn members_by_hand_are_kept_in_history(harness: &dyn StoreHarness) {
    let org = TestOrganization::new(harness);
    let run = org.queue("list1").await;
    let profiles = ["p1", "p2", "p3"].map(|id| {
        let email = format!("{id}@example.com");
        profile(id).email(&email).build()
    });
    org.take(&run, &profiles).await;
    let mut consumers = Vec::new();
    for id in ["p1", "p2", "p3"] {
        consumers.push(consumer_of(&org, &run, id).await);
    }
    let audience = by_hand("aud_z");
    let mut unit = org.begin().await;
    unit.put_audience(&audience).await.expect("an audience");
    unit.commit().await.expect("a commit");
    let id = &audience.id;

    let began = moment(harness.now().await);
    for (asked, want) in [(&consumers[..2], 2), (&consumers[..2], 0)] {
        let mut unit = org.begin().await;
        let added = unit.add_members(id, asked).await.expect("an answer");
        assert_eq!(added, want);
        assert_eq!(unit.member_count(id).await.expect("a count"), 2);
        unit.commit().await.expect("a commit");
        org.advance(std::time::Duration::from_secs(1)).await;
    }
    let left = moment(harness.now().await);
    let mut unit = org.begin().await;
    let removed = unit.remove_members(id, &consumers[1..]).await;
    assert_eq!(removed.expect("an answer"), 1, "the third is no member");
    unit.commit().await.expect("a commit");
    org.advance(std::time::Duration::from_secs(1)).await;

    let change = |at, kind, consumer: &ConsumerId| Change {
        at,
        kind,
        consumer: consumer.clone(),
        run: None,
    };
    let mut want = vec![
        change(began, ChangeKind::Joined, &consumers[0]),
        change(began, ChangeKind::Joined, &consumers[1]),
        change(left, ChangeKind::Left, &consumers[1]),
    ];
    want.sort();
    assert_eq!(all_changes(&org, id).await, want);
    let mut unit = org.read().await;
    let last = unit.last_membership(id, &consumers[1]).await;
    let last = last.expect("an answer").expect("a membership");
    assert_eq!((last.joined_by, last.began), (None, began));
    assert_eq!(
        last.end.map(|end| (end.at, end.left_by)),
        Some((left, None))
    );
    drop(unit);
}

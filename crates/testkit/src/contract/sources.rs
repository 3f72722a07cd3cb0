//! Sync sources.

use fanfare_domain::failure::FailureCode;
use fanfare_domain::paging::Page;
use fanfare_domain::ports::{SourceFilter, SourceRecord};
use fanfare_domain::removal::RemovalGuard;
use fanfare_domain::run::SyncStatus;
use fanfare_domain::source::{CollectionKind, CollectionSource, PROFILE_SOURCE_TYPE, SourceData};
use fanfare_domain::watermarks::Watermarks;

use super::assert_refused;
use super::harness::StoreHarness;
use super::test_organization::{ALL, TestOrganization, assert_paged};
use crate::build::{self, at, audience_id, list, profile, segment, source_id};

/// Every field comes back, of a new source and of one overwritten.
pub async fn a_source_comes_back_as_it_was_put_last(harness: &dyn StoreHarness) {
    let org = TestOrganization::new(harness);
    let fresh = TestOrganization::source("list1");
    let mut failed = fresh.clone();
    failed.status = SyncStatus::Failed;
    failed.last_synced_at = Some(at(50));
    failed.updated_at = Some(at(60));
    failed.data = SourceData {
        name: Some("N\u{e4}me \"quoted\" \\ \u{1f389}".to_owned()),
        last_run_id: Some("run_1".to_owned()),
        last_error: Some("key_invalid".to_owned()),
        processed: 10,
        created: 1,
        updated: 2,
        unchanged: 3,
        skipped: 4,
        members_added: 5,
        members_removed: u64::from(u32::MAX) * 2,
    };
    failed.guard = RemovalGuard::succeeded(195).held();
    failed.last_full_pass_at = Some(at(40));
    failed.paused_by = Some(FailureCode::ScopeMissing);
    failed.watermarks = Some(Watermarks::after_full_pass(
        at(30),
        u64::from(u32::MAX) * 2,
        None,
    ));
    let mut archived = failed.clone();
    archived.archived = true;
    archived.paused_by = None;
    archived.watermarks = None;
    archived.guard = RemovalGuard::succeeded(u64::from(u32::MAX) * 2);

    for put in [fresh, failed, archived] {
        let mut unit = org.begin().await;
        unit.put_source(&put).await.expect("a source");
        unit.commit().await.expect("a commit");

        let mut unit = org.read().await;
        assert_eq!(
            unit.source(&put.id).await.expect("an answer"),
            Some(put.clone())
        );
        let record = unit.source_record(&put.id).await.expect("an answer");
        assert_eq!(record, Some(record_of(&put)));
    }
}

fn record_of(source: &CollectionSource) -> SourceRecord {
    SourceRecord {
        id: source.id.clone(),
        source_type: source.collection.kind.source_type().to_owned(),
        external_id: source.collection.id.to_string(),
        status: source.status,
        last_synced_at: source.last_synced_at,
        data: Some(source.data.clone()),
        created_at: source.created_at,
        created_by: source.created_by.clone(),
        updated_at: source.updated_at,
        archived: source.archived,
    }
}

/// A list's source is found by the list's id. A segment of the same id has another source, and an archived source
/// is not found.
pub async fn a_list_is_found_by_its_unarchived_source(harness: &dyn StoreHarness) {
    let org = TestOrganization::new(harness);
    let of_list = TestOrganization::source("same");
    let of_segment = build::source("sync_segment", segment("same"), &audience_id("aud_segment"));
    let mut unit = org.begin().await;
    for source in [&of_list, &of_segment] {
        unit.put_source(source).await.expect("a source");
    }

    for source in [&of_list, &of_segment] {
        let found = unit.source_of(&source.collection).await.expect("an answer");
        assert_eq!(found.as_ref(), Some(source));
    }
    assert_eq!(
        unit.source_of(&list("SAME")).await.expect("an answer"),
        None
    );
    let mut archived = of_list.clone();
    archived.archived = true;
    unit.put_source(&archived).await.expect("a source");
    assert_eq!(
        unit.source_of(&of_list.collection)
            .await
            .expect("an answer"),
        None
    );
}

/// A second unarchived source of a list is refused; beside an archived one it is not.
pub async fn a_list_has_one_unarchived_source(harness: &dyn StoreHarness) {
    let org = TestOrganization::new(harness);
    let mut first = org.import("list1").await;
    let mut second = first.clone();
    second.id = source_id("sync_second");
    let mut unit = org.begin().await;
    assert_refused(unit.put_source(&second).await, "a second source");
    drop(unit);

    first.archived = true;
    let mut unit = org.begin().await;
    unit.put_source(&first).await.expect("the first, archived");
    unit.put_source(&second).await.expect("the second");
    unit.commit().await.expect("a commit");

    let mut unit = org.begin().await;
    first.archived = false;
    assert_refused(unit.put_source(&first).await, "the first, back again");
}

/// The unarchived sources of a kind come by Klaviyo's id, compared as bytes: capitals come first.
pub async fn the_sources_of_a_kind_come_by_klaviyos_id(harness: &dyn StoreHarness) {
    let org = TestOrganization::new(harness);
    let mut unit = org.begin().await;
    for (n, id) in ["b", "B", "a1", "Z", "_", "zz"].into_iter().enumerate() {
        let source = build::source(&format!("sync_{n}"), list(id), &audience_id("aud_1"));
        unit.put_source(&source).await.expect("a source");
    }
    let mut archived = build::source("sync_7", list("c"), &audience_id("aud_1"));
    archived.archived = true;
    unit.put_source(&archived).await.expect("a source");
    let other = build::source("sync_8", segment("S"), &audience_id("aud_1"));
    unit.put_source(&other).await.expect("a source");

    let lists = unit.sources(CollectionKind::List).await.expect("sources");
    let ids: Vec<&str> = lists.iter().map(|one| one.collection.id.as_str()).collect();
    assert_eq!(ids, ["B", "Z", "_", "a1", "b", "zz"]);
    assert_eq!(
        unit.sources(CollectionKind::Segment)
            .await
            .expect("sources"),
        [other]
    );
}

/// A profile's link is a source too. Its status is success, and its date that of its last change.
pub async fn a_profiles_link_is_a_source(harness: &dyn StoreHarness) {
    let org = TestOrganization::new(harness);
    let run = org.queue("list1").await;
    let page = [profile("p1").email("a@example.com").build()];
    let (plan, _) = org.take_at(100, &run, &page).await;
    let link = &plan.new_links[0];
    let expected = SourceRecord {
        id: link.source.clone(),
        source_type: PROFILE_SOURCE_TYPE.to_owned(),
        external_id: "p1".to_owned(),
        status: SyncStatus::Success,
        last_synced_at: Some(at(100)),
        data: None,
        created_at: at(100),
        created_by: "system:klaviyo".to_owned(),
        updated_at: None,
        archived: false,
    };
    let mut unit = org.read().await;
    let record = unit.source_record(&link.source).await.expect("an answer");
    assert_eq!(record, Some(expected.clone()));
    assert_eq!(unit.source(&link.source).await.expect("an answer"), None);
    drop(unit);

    let renamed = profile("p1")
        .email("a@example.com")
        .first_name("A")
        .updated(5);
    org.take_at(200, &run, &[renamed.build()]).await;

    let mut unit = org.read().await;
    let record = unit.source_record(&link.source).await.expect("an answer");
    let changed = SourceRecord {
        last_synced_at: Some(at(200)),
        updated_at: Some(at(200)),
        ..expected
    };
    assert_eq!(record, Some(changed));
}

/// Each filter narrows the result, as all together do, and archived sources are not found.
pub async fn sources_are_searched_by_type_id_and_status(harness: &dyn StoreHarness) {
    let org = TestOrganization::new(harness);
    set_up(&org).await;
    let mut unit = org.read().await;
    for (source_type, external_id, status, want) in [
        (None, None, None, 6),
        (Some("klaviyo:list"), None, None, 3),
        (Some("klaviyo:segment"), None, None, 1),
        (Some(PROFILE_SOURCE_TYPE), None, None, 2),
        (Some("klaviyo:other"), None, None, 0),
        (None, Some("list1"), None, 2),
        (None, Some("p1"), None, 1),
        (Some("klaviyo:segment"), Some("list1"), None, 1),
        (Some("klaviyo:list"), Some("p1"), None, 0),
        (None, None, Some(SyncStatus::Pending), 3),
        (None, None, Some(SyncStatus::Failed), 1),
        (None, None, Some(SyncStatus::Success), 2),
        (Some(PROFILE_SOURCE_TYPE), None, Some(SyncStatus::Failed), 0),
        (
            Some(PROFILE_SOURCE_TYPE),
            Some("p2"),
            Some(SyncStatus::Success),
            1,
        ),
        (None, Some("LIST1"), None, 0),
        (None, Some("%"), None, 0),
    ] {
        let filter = SourceFilter {
            source_type: source_type.map(str::to_owned),
            external_id: external_id.map(str::to_owned),
            status,
        };
        let found = unit.search_sources(&filter, &ALL).await.expect("sources");
        assert_eq!(found.len(), want, "{filter:?}");
    }
}

/// Three lists, one of them failed, a segment, an archived list and two links.
async fn set_up(org: &TestOrganization<'_>) {
    let run = org.queue("list1").await;
    let page = [
        profile("p1").email("a@example.com").build(),
        profile("p2").email("b@example.com").build(),
    ];
    org.take(&run, &page).await;
    org.import("list2").await;
    let mut unit = org.begin().await;
    let mut failed = TestOrganization::source("list3");
    failed.status = SyncStatus::Failed;
    unit.put_source(&failed).await.expect("a source");
    let of_segment = build::source(
        "sync_segment",
        segment("list1"),
        &audience_id("aud_segment"),
    );
    unit.put_source(&of_segment).await.expect("a source");
    let mut archived = TestOrganization::source("list4");
    archived.archived = true;
    unit.put_source(&archived).await.expect("a source");
    unit.commit().await.expect("a commit");
}

/// Lists, segments and links come in one sequence, by id.
pub async fn sources_are_paged_by_id_whatever_their_type(harness: &dyn StoreHarness) {
    let org = TestOrganization::new(harness);
    set_up(&org).await;
    let mut unit = org.read().await;
    let filter = SourceFilter::default();
    let all = unit.search_sources(&filter, &ALL).await.expect("sources");
    assert_eq!(all.len(), 6);
    assert!(all.is_sorted_by(|a, b| a.id < b.id));

    assert_paged(&all, async |page| {
        let items = unit.search_sources(&filter, page).await.expect("sources");
        Page::of(items, |record| record.id.to_string())
    })
    .await;
}

//! What the API shows: sources, audiences and consumers, there and back.

use std::collections::BTreeMap;

use fanfare_domain::audience::GroupType;
use fanfare_domain::issue::IssueCode;
use fanfare_domain::paging::PageRequest;
use fanfare_domain::ports::{Clock, Lookup, SourceFilter, Store, StoreError};
use fanfare_domain::run::SyncStatus;
use fanfare_domain::source::CollectionKind;

use crate::support::{org, profile, store};

fn first(first: u32, after: Option<String>) -> PageRequest {
    PageRequest { first, after }
}

#[tokio::test]
async fn an_audience_and_its_source_come_back_as_they_were_put() {
    let fixture = store().await;
    let organization = org("org_a");
    let mut source = fixture.source("list1");
    let mut audience = fixture.audience(&source);
    let mut unit = fixture.begin(&organization).await;
    unit.put_source(&source).await.unwrap();
    unit.put_audience(&audience).await.unwrap();
    source.status = SyncStatus::Success;
    source.last_synced_at = Some(fixture.clock.now());
    source.data.name = Some("N\u{e4}me".to_owned());
    source.data.processed = 7;
    audience.metadata = Some(BTreeMap::from([("k".to_owned(), "[1]".to_owned())]));
    audience.group_type = Some(GroupType::Rfm);
    audience.refresh_interval_seconds = Some(60);
    audience.named_by_hand = true;

    unit.put_source(&source).await.unwrap();
    unit.put_audience(&audience).await.unwrap();

    let record = unit.audience(&audience.id).await.unwrap().unwrap();
    assert_eq!((&record.audience, &record.source), (&audience, &source));
    let page = unit.audiences(&first(10, None)).await.unwrap();
    assert_eq!(page.items, [record]);
    assert_eq!(page.end.as_deref(), Some(audience.id.as_str()));
    assert_eq!(
        unit.audiences(&first(10, page.end)).await.unwrap().items,
        []
    );
    assert_eq!(
        unit.source_of(&source.collection).await.unwrap(),
        Some(source.clone())
    );
    assert_eq!(unit.sources(CollectionKind::Segment).await.unwrap(), []);
    assert_eq!(unit.sources(CollectionKind::List).await.unwrap(), [source]);
}

#[tokio::test]
async fn a_list_has_one_unarchived_source_and_a_name_one_unarchived_audience() {
    let fixture = store().await;
    let organization = org("org_a");
    let mut source = fixture.source("list1");
    let mut audience = fixture.audience(&source);
    let mut rival = source.clone();
    rival.id = fanfare_domain::ids::SourceId::parse("sync_rival").unwrap();
    let nobody = fanfare_domain::ids::AudienceId::parse("aud_none").unwrap();
    let mut unit = fixture.begin(&organization).await;
    unit.put_source(&source).await.unwrap();
    unit.put_audience(&audience).await.unwrap();

    let refused = unit.put_source(&rival).await;
    assert!(
        matches!(refused, Err(StoreError::Refused(_))),
        "{refused:?}"
    );
    drop(unit);
    let mut unit = fixture.begin(&organization).await;
    unit.put_source(&source).await.unwrap();
    unit.put_audience(&audience).await.unwrap();
    assert!(unit.is_name_taken(&audience.name, &nobody).await.unwrap());
    assert!(
        !unit
            .is_name_taken(&audience.name, &audience.id)
            .await
            .unwrap()
    );

    source.archived = true;
    audience.archived = true;
    unit.put_source(&source).await.unwrap();
    unit.put_audience(&audience).await.unwrap();
    unit.put_source(&rival).await.unwrap();
    assert!(!unit.is_name_taken(&audience.name, &nobody).await.unwrap());
}

#[tokio::test]
async fn an_audience_without_its_source_is_refused() {
    let fixture = store().await;
    let audience = fixture.audience(&fixture.source("list1"));
    let mut unit = fixture.begin(&org("org_a")).await;

    let refused = unit.put_audience(&audience).await;

    assert!(
        matches!(refused, Err(StoreError::Refused(_))),
        "{refused:?}"
    );
}

#[tokio::test]
async fn a_search_takes_wildcards_literally_and_no_notice_of_case() {
    let fixture = store().await;
    let run = fixture.queue(&org("org_a"), "list1").await;
    let people = [
        profile("p1", "ada_l@example.com", "Ada 100%"),
        profile("p2", "adaxl@example.com", "Grace \\ Hopper"),
    ];
    fixture.take(&run, &people).await;
    let mut unit = fixture.read(&run.organization).await;

    for (search, want) in [
        ("ADA", 2),
        ("a_l", 1),
        ("100%", 1),
        ("%", 1),
        ("_", 1),
        ("\\", 1),
        ("grace \\ h", 1),
        ("nobody", 0),
    ] {
        let page = first(10, None);
        let found = unit
            .members(&run.audience, Some(search), &page)
            .await
            .unwrap();
        assert_eq!(found.items.len(), want, "{search:?}");
    }
}

#[tokio::test]
async fn members_and_runs_are_paged_to_the_end_and_none_comes_twice() {
    let fixture = store().await;
    let mut run = fixture.queue(&org("org_a"), "list1").await;
    let people: Vec<_> = (0..25)
        .map(|n| profile(&format!("p{n}"), &format!("e{n}@example.com"), "A"))
        .collect();
    fixture.take(&run, &people).await;
    let mut want = vec![run.id.clone()];
    for _ in 0..4 {
        fixture.finish(&mut run).await;
        run = fixture.queue(&org("org_a"), "list1").await;
        want.insert(0, run.id.clone());
    }
    let mut unit = fixture.read(&run.organization).await;

    let (mut after, mut members) = (None, Vec::new());
    loop {
        let page = unit
            .members(&run.audience, None, &first(10, after))
            .await
            .unwrap();
        members.extend(page.items.into_iter().map(|one| one.consumer.id));
        after = page.end;
        if after.is_none() {
            break;
        }
    }
    let latest = unit.runs(&run.audience, &first(2, None)).await.unwrap();
    let older = unit
        .runs(&run.audience, &first(9, latest.end))
        .await
        .unwrap();

    assert_eq!(members.len(), 25);
    assert!(members.is_sorted_by(|a, b| a < b));
    let runs = latest.items.into_iter().chain(older.items);
    assert_eq!(runs.map(|run| run.id).collect::<Vec<_>>(), want);
    assert_eq!(unit.run_count(&run.audience).await.unwrap(), 5);
}

#[tokio::test]
async fn a_profiles_link_is_a_sync_source_and_leads_to_its_consumer() {
    let fixture = store().await;
    let run = fixture.queue(&org("org_a"), "list1").await;
    let (plan, _) = fixture
        .take(&run, &[profile("p1", "a@example.com", "A")])
        .await;
    let link = &plan.links[0];
    let mut unit = fixture.read(&run.organization).await;

    let record = unit.source_record(&link.source).await.unwrap().unwrap();
    let mut filter = SourceFilter {
        external_id: Some("p1".to_owned()),
        ..SourceFilter::default()
    };
    let found = unit
        .search_sources(&filter, &first(10, None))
        .await
        .unwrap();
    filter.source_type = Some("klaviyo:list".to_owned());
    let none = unit
        .search_sources(&filter, &first(10, None))
        .await
        .unwrap();
    let all = unit
        .search_sources(&SourceFilter::default(), &first(10, None))
        .await
        .unwrap();
    let consumer = unit
        .lookup_consumers(&Lookup::Profile(link.profile.clone()))
        .await
        .unwrap();

    assert_eq!(
        (record.external_id.as_str(), record.status),
        ("p1", SyncStatus::Success)
    );
    assert_eq!(record.updated_at, None);
    assert_eq!(found, [record]);
    assert_eq!(none, []);
    assert_eq!(all.len(), 2);
    assert_eq!(consumer[0].consumer.id, link.consumer);
    assert_eq!(consumer[0].primary_changed_at, Some(link.changed_at));
}

#[tokio::test]
async fn issues_are_paged_by_profile_code_and_field() {
    let fixture = store().await;
    let run = fixture.queue(&org("org_a"), "list1").await;
    let people = [
        profile("p2", "x", "A"),
        profile("p1", "", "A"),
        profile("p3", "y", ""),
    ];
    fixture.take(&run, &people).await;
    fixture.take(&run, &people).await;
    let mut unit = fixture.read(&run.organization).await;

    let one = unit.issues(&run.id, &first(1, None)).await.unwrap();
    let rest = unit.issues(&run.id, &first(9, one.end)).await.unwrap();

    let issues = one.items.into_iter().chain(rest.items);
    let issues: Vec<_> = issues
        .map(|issue| (issue.profile.to_string(), issue.fault.code))
        .collect();
    let want = [
        ("p1", IssueCode::MissingContact),
        ("p2", IssueCode::InvalidEmail),
        ("p3", IssueCode::InvalidEmail),
    ];
    assert_eq!(issues, want.map(|(id, code)| (id.to_owned(), code)));
}

#[tokio::test]
async fn a_value_that_no_program_of_ours_writes_is_named_by_its_place() {
    let fixture = store().await;
    let organization = org("org_a");
    let run = fixture.queue(&organization, "list1").await;
    let pool = fixture.database.pool();
    sqlx::query("UPDATE sync_runs SET checkpoint = '[]'")
        .execute(&pool)
        .await
        .unwrap();
    let mut unit = fixture.store.read(&organization).await.unwrap();

    let error = unit.run(&run.id).await.unwrap_err();

    assert!(matches!(&error, StoreError::Corrupt(place) if place == "sync_runs.checkpoint"));
}

#[tokio::test]
async fn a_store_that_was_closed_is_unavailable() {
    let fixture = store().await;
    fixture.store.close().await;

    let error = fixture.store.read(&org("org_a")).await.err().unwrap();

    assert!(error.is_transient(), "{error:?}");
}

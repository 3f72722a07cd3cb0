//! Audiences: read, changed, archived, and kept from other organizations.

use fanfare_domain::failure::FailureCode;
use fanfare_domain::organization::Role;
use fanfare_domain::ports::{ConsumerFilter, SourceFilter};
use fanfare_domain::run::SyncStatus;
use fanfare_sync::engine::SliceEnd;
use fanfare_sync::{AudienceUpdate, Entity, Error, Patch};
use fanfare_testkit::build::{consumer_id, list};
use fanfare_testkit::fake_klaviyo::FakeKlaviyo;

use crate::test_organization::{TestOrganization, everything, klaviyo_with};

pub(crate) fn named(name: &str) -> AudienceUpdate {
    AudienceUpdate {
        name: Some(name.to_owned()),
        actor: "key_2".to_owned(),
        ..AudienceUpdate::default()
    }
}

#[tokio::test(start_paused = true)]
async fn an_update_changes_what_it_names_and_keeps_the_rest() {
    let org = TestOrganization::on(&klaviyo_with(&list("L1"), 1)).await;
    let id = org.import(&[list("L1")]).await.unwrap().imported[0]
        .audience
        .clone();
    let update = |update| {
        org.integration
            .update_audience(&org.organization, &id, update)
    };
    let described = AudienceUpdate {
        description: Patch::Set(Some("Friends".to_owned())),
        refresh_interval_seconds: Patch::Set(Some(3_600)),
        actor: "key_2".to_owned(),
        ..AudienceUpdate::default()
    };
    update(described).await.unwrap();
    let emptied = AudienceUpdate {
        refresh_interval_seconds: Patch::Set(None),
        ..AudienceUpdate::default()
    };

    let record = update(emptied).await.unwrap();

    let audience = record.audience;
    assert_eq!(
        (audience.name.as_str(), audience.named_by_hand),
        ("VIP", false)
    );
    assert_eq!(audience.description.as_deref(), Some("Friends"));
    assert_eq!(audience.refresh_interval_seconds, None);
    assert_eq!(audience.updated_at, Some(org.now()));
}

#[tokio::test(start_paused = true)]
async fn only_a_name_that_differs_counts_as_given_by_hand() {
    let org = TestOrganization::on(&klaviyo_with(&list("L1"), 1)).await;
    let id = org.import(&[list("L1")]).await.unwrap().imported[0]
        .audience
        .clone();
    let update = |update| {
        org.integration
            .update_audience(&org.organization, &id, update)
    };

    assert!(!update(named("VIP")).await.unwrap().audience.named_by_hand);
    assert!(
        update(named("Friends"))
            .await
            .unwrap()
            .audience
            .named_by_hand
    );
}

#[tokio::test(start_paused = true)]
async fn archiving_ends_the_active_run_and_frees_the_list_for_another_import() {
    let org = TestOrganization::on(&klaviyo_with(&list("L1"), 4)).await;
    let outcome = org.import(&[list("L1")]).await.unwrap();
    let first = &outcome.imported[0];

    let archived = org
        .integration
        .archive_audience(&org.organization, &first.audience, "key_2")
        .await
        .unwrap()
        .unwrap();

    let source = archived.source.unwrap();
    assert!(archived.audience.archived && source.archived);
    assert_eq!(source.status, SyncStatus::Failed);
    let run = org.run(&first.run).await;
    assert_eq!(run.error.unwrap().code, FailureCode::Cancelled);
    assert_eq!(org.work(&first.run).await, SliceEnd::NotDue);
    let audiences = org
        .integration
        .audiences(&org.organization, &everything())
        .await
        .unwrap();
    assert!(audiences.items.is_empty());
    let refused = org
        .integration
        .sync_audience(&org.organization, &first.audience, false)
        .await;
    assert!(matches!(refused, Err(Error::NoSyncSource)));

    let again = org.import(&[list("L1")]).await.unwrap();
    assert_ne!(again.imported[0].audience, first.audience);
    assert_ne!(again.imported[0].source, first.source);
    assert_eq!(org.name(&again.imported[0].run).await, "VIP");
}

#[tokio::test(start_paused = true)]
async fn archiving_twice_is_archiving_once() {
    let org = TestOrganization::on(&klaviyo_with(&list("L1"), 1)).await;
    let id = org.import(&[list("L1")]).await.unwrap().imported[0]
        .audience
        .clone();
    let archive = |actor| {
        org.integration
            .archive_audience(&org.organization, &id, actor)
    };
    let first = archive("key_1").await.unwrap();
    assert_eq!(archive("key_2").await.unwrap(), first);
}

#[tokio::test(start_paused = true)]
async fn an_audiences_status_is_its_sources_and_its_version_grows_with_runs() {
    let org = TestOrganization::on(&klaviyo_with(&list("L1"), 3)).await;
    let run = org.imported(&list("L1")).await;
    let audience = org.run(&run).await.audience;
    let status = || {
        org.integration
            .audience_status(&org.organization, &audience)
    };

    let queued = status().await.unwrap();
    assert!(queued.is_in_progress() && !queued.is_stale());
    assert_eq!(queued.version, 1);

    let done = org.work_to_end(&run).await;
    let synced = status().await.unwrap();
    assert!(!synced.is_in_progress() && !synced.is_stale());
    assert_eq!(
        synced.record.source.unwrap().last_synced_at,
        done.finished_at
    );

    org.resynced(&done, false).await;
    assert_eq!(status().await.unwrap().version, 2);
    assert_eq!(
        org.integration
            .member_count(&org.organization, &audience)
            .await
            .unwrap(),
        3
    );
}

#[tokio::test(start_paused = true)]
async fn members_can_be_searched() {
    let org = TestOrganization::on(&klaviyo_with(&list("L1"), 12)).await;
    let run = org.synced(&list("L1")).await;
    let found = org
        .integration
        .members(&org.organization, &run.audience, Some("P01"), &everything())
        .await;
    assert_eq!(found.unwrap().items.len(), 2);
}

#[tokio::test(start_paused = true)]
async fn rows_of_another_organization_are_not_found() {
    let org = TestOrganization::on(&klaviyo_with(&list("L1"), 2)).await;
    let run = org.synced(&list("L1")).await;
    let (integration, other) = (
        &org.integration,
        org.integration.create_organization("Other").await.unwrap(),
    );
    let other = &other.organization;

    let audience = integration.audience(other, &run.audience).await;
    assert!(matches!(audience, Err(Error::NotFound(Entity::Audience))));
    let updated = integration
        .update_audience(other, &run.audience, named("Mine"))
        .await;
    assert!(matches!(updated, Err(Error::NotFound(Entity::Audience))));
    let archived = integration
        .archive_audience(other, &run.audience, "key_9")
        .await;
    assert!(matches!(archived, Err(Error::NotFound(Entity::Audience))));
    let synced = integration.sync_audience(other, &run.audience, false).await;
    assert!(matches!(synced, Err(Error::NotFound(Entity::Audience))));
    let members = integration
        .members(other, &run.audience, None, &everything())
        .await;
    assert!(matches!(members, Err(Error::NotFound(Entity::Audience))));
    let count = integration.member_count(other, &run.audience).await;
    assert!(matches!(count, Err(Error::NotFound(Entity::Audience))));
    let status = integration.audience_status(other, &run.audience).await;
    assert!(matches!(status, Err(Error::NotFound(Entity::Audience))));
    let runs = integration.runs(other, &run.audience, &everything()).await;
    assert!(matches!(runs, Err(Error::NotFound(Entity::Audience))));
    let found = integration.run(other, &run.id).await;
    assert!(matches!(found, Err(Error::NotFound(Entity::SyncRun))));
    let cancelled = integration.cancel_run(other, &run.id).await;
    assert!(matches!(cancelled, Err(Error::NotFound(Entity::SyncRun))));
    let issues = integration.issues(other, &run.id, &everything()).await;
    assert!(matches!(issues, Err(Error::NotFound(Entity::SyncRun))));
    let source = integration.source(other, &run.source).await;
    assert!(matches!(source, Err(Error::NotFound(Entity::SyncSource))));
    let sources = integration
        .search_sources(other, &SourceFilter::default(), &everything())
        .await;
    assert!(sources.unwrap().is_empty());
    let consumers = integration
        .consumers(other, &ConsumerFilter::default(), &everything())
        .await;
    assert!(consumers.unwrap().items.is_empty());
    assert_eq!(org.members(&run.id).await.len(), 2);
}

#[tokio::test(start_paused = true)]
async fn an_unknown_consumer_is_not_found() {
    let org = TestOrganization::on(&FakeKlaviyo::default()).await;
    let consumer = org
        .integration
        .consumer(&org.organization, &consumer_id("cons_none"))
        .await;
    assert!(matches!(consumer, Err(Error::NotFound(Entity::Consumer))));
    let keys = org.integration.keys(&org.organization).await.unwrap();
    assert_eq!(keys[0].role, Role::Owner);
    let organizations = org.integration.organizations(10, None).await.unwrap();
    assert_eq!(organizations.len(), 1);
}

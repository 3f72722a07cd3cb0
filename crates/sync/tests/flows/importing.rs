//! The import.

use fanfare_domain::ports::KlaviyoError;
use fanfare_domain::profile::Profile;
use fanfare_domain::run::{SyncStatus, Trigger};
use fanfare_domain::source::CollectionRef;
use fanfare_sync::{Error, SkipReason};
use fanfare_testkit::build::{list, segment};
use fanfare_testkit::fake_klaviyo::{Call, FakeKlaviyo};
use futures_util::future::join_all;

use crate::test_organization::{TestOrganization, everything, klaviyo_with, members, poll};

#[tokio::test(start_paused = true)]
async fn the_answer_names_each_list_once_in_the_order_of_the_request() {
    let klaviyo = klaviyo_with(&list("L1"), 3)
        .with(list("L2"), "Second", members(0..1))
        .with(segment("S1"), "Segment", members(0..1));
    let org = TestOrganization::on(&klaviyo).await;
    let first = org.import(&[list("L2")]).await.unwrap();

    let asked = [
        segment("S1"),
        list("L1"),
        list("L2"),
        list("L1"),
        list("gone"),
        segment("gone"),
        segment("L1"),
    ];
    let outcome = org.import(&asked).await.unwrap();

    let imported: Vec<&CollectionRef> = outcome.imported.iter().map(|i| &i.collection).collect();
    assert_eq!(imported, [&segment("S1"), &list("L1")]);
    let skipped: Vec<_> = outcome
        .skipped
        .iter()
        .map(|s| (&s.collection, s.reason_text()))
        .collect();
    assert_eq!(
        skipped,
        [
            (&list("L2"), "Already synced"),
            (&list("gone"), "List not found"),
            (&segment("gone"), "Segment not found"),
            (&segment("L1"), "Segment not found"),
        ]
    );
    let existing = SkipReason::AlreadySynced(first.imported[0].audience.clone());
    assert_eq!(outcome.skipped[0].reason, existing);
}

#[tokio::test(start_paused = true)]
async fn an_import_makes_audience_source_and_run_together_as_pending() {
    let org = TestOrganization::on(&klaviyo_with(&list("L1"), 3)).await;
    let mut notifications = org.store.notifications();

    let outcome = org.import(&[list("L1")]).await.unwrap();

    let imported = &outcome.imported[0];
    let run = org.run(&imported.run).await;
    assert_eq!(
        (run.status, run.trigger, run.attempt),
        (SyncStatus::Pending, Trigger::Import, 0)
    );
    let record = org
        .integration
        .audience(&org.organization, &imported.audience)
        .await
        .unwrap();
    assert_eq!(
        (
            record.audience.name.as_str(),
            record.audience.created_by.as_str()
        ),
        ("VIP", "key_1")
    );
    let source = record.source.unwrap();
    assert_eq!(
        (source.id, source.collection),
        (imported.source.clone(), list("L1"))
    );
    assert_eq!(
        (source.last_synced_at, record.audience.named_by_hand),
        (None, false)
    );
    assert_eq!(notifications.try_recv().unwrap(), org.due(&imported.run));
}

#[tokio::test(start_paused = true)]
async fn a_name_that_is_taken_gets_the_lists_id_added_and_a_missing_one_is_made_from_it() {
    let klaviyo = klaviyo_with(&list("L1"), 1)
        .with(list("L2"), "VIP", members(0..1))
        .with(list("L3"), " \u{0} ", members(0..1));
    let org = TestOrganization::on(&klaviyo).await;

    let outcome = org
        .import(&[list("L1"), list("L2"), list("L3")])
        .await
        .unwrap();

    let mut names = Vec::new();
    for imported in &outcome.imported {
        names.push(org.name(&imported.run).await);
    }
    assert_eq!(names, ["VIP", "VIP (Klaviyo L2)", "Klaviyo list L3"]);
    let third = org
        .integration
        .audience(&org.organization, &outcome.imported[2].audience)
        .await;
    assert_eq!(third.unwrap().source.unwrap().data.name, None);
}

#[tokio::test(start_paused = true)]
async fn fifty_imports_at_once_make_one_audience() {
    let org = TestOrganization::on(&klaviyo_with(&list("L1"), 3)).await;

    let wanted = [list("L1")];
    let outcomes = join_all((0..50).map(|_| org.import(&wanted))).await;

    let outcomes: Vec<_> = outcomes.into_iter().map(Result::unwrap).collect();
    let imported: Vec<_> = outcomes.iter().flat_map(|o| &o.imported).collect();
    assert_eq!(imported.len(), 1);
    let reason = SkipReason::AlreadySynced(imported[0].audience.clone());
    let skipped: Vec<_> = outcomes.iter().flat_map(|o| &o.skipped).collect();
    assert_eq!(skipped.len(), 49);
    assert!(skipped.iter().all(|skipped| skipped.reason == reason));
}

#[tokio::test(start_paused = true)]
async fn klaviyo_is_not_asked_about_a_list_that_is_synced() {
    let klaviyo = klaviyo_with(&list("L1"), 3);
    let org = TestOrganization::on(&klaviyo).await;
    org.imported(&list("L1")).await;
    let before = klaviyo.calls().len();

    org.import(&[list("L1")]).await.unwrap();

    assert_eq!(klaviyo.calls().len(), before);
}

#[tokio::test(start_paused = true)]
async fn an_import_that_fails_halfway_leaves_nothing() {
    let klaviyo = klaviyo_with(&list("L1"), 3).with(list("L2"), "Second", members(0..1));
    let org = TestOrganization::on(&klaviyo).await;
    // A call for a user that fails is made once more.
    let failure = Some(KlaviyoError::Unavailable("ordered by the test".to_owned()));
    klaviyo.fail_others([None, failure.clone(), failure]);

    let refused = org.import(&[list("L1"), list("L2")]).await;

    assert!(matches!(refused, Err(Error::KlaviyoUnreachable(_))));
    let audiences = org
        .integration
        .audiences(&org.organization, &everything())
        .await
        .unwrap();
    assert!(audiences.items.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_hundred_lists_are_imported_within_the_burst_quota() {
    let mut klaviyo = FakeKlaviyo::default();
    let wanted: Vec<CollectionRef> = (100..200).map(|n| list(&format!("L{n}"))).collect();
    for list in &wanted {
        klaviyo = klaviyo.with(list.clone(), list.id.as_str(), Vec::<Profile>::new());
    }
    let org = TestOrganization::on(&klaviyo).await;

    let outcome = org.import(&wanted).await.unwrap();

    assert_eq!(outcome.imported.len(), 100);
    let asked = klaviyo
        .calls()
        .into_iter()
        .filter(|call| matches!(call, Call::Collection(_, false)));
    assert_eq!(asked.count(), 100);
}

/// Whichever of the two comes first, no run is left without a key to work it with.
#[tokio::test(start_paused = true)]
async fn an_import_that_is_overtaken_by_a_disconnection_leaves_no_run_behind() {
    for polls in 1..30 {
        let org = TestOrganization::on(&klaviyo_with(&list("L1"), 3)).await;
        let integration = org.integration.clone();
        let (organization, actor) = (org.organization.clone(), "key_1".to_owned());
        let request = fanfare_sync::ImportRequest {
            collections: vec![list("L1")],
            refresh_interval_seconds: None,
            actor,
        };
        let mut import: std::pin::Pin<Box<dyn Future<Output = _> + Send>> =
            Box::pin(async move { integration.import(&organization, request).await });

        let mut outcome = poll(&mut import, polls);
        let disconnect = org.integration.disconnect(&org.organization);
        if outcome.is_none() {
            let (imported, cut) = tokio::join!(import, disconnect);
            cut.unwrap();
            outcome = Some(imported);
        } else {
            disconnect.await.unwrap();
        }

        match outcome.unwrap() {
            Ok(outcome) => {
                let run = org.run(&outcome.imported[0].run).await;
                assert_eq!(run.status, SyncStatus::Failed, "after {polls} polls");
            }
            Err(error) => assert!(matches!(error, Error::KeyNotFound), "{error:?}"),
        }
    }
}

/// Whichever of the two comes first, the answer was true at some moment.
#[tokio::test(start_paused = true)]
async fn an_import_beside_an_archiving_never_says_that_the_list_is_not_there() {
    for polls in 1..20 {
        let org = TestOrganization::on(&klaviyo_with(&list("L1"), 3)).await;
        let first = org.import(&[list("L1")]).await.unwrap();
        let audience = &first.imported[0].audience;
        let integration = org.integration.clone();
        let (organization, actor) = (org.organization.clone(), "key_1".to_owned());
        let request = fanfare_sync::ImportRequest {
            collections: vec![list("L1")],
            refresh_interval_seconds: None,
            actor,
        };
        let mut import: std::pin::Pin<Box<dyn Future<Output = _> + Send>> =
            Box::pin(async move { integration.import(&organization, request).await });

        let early = poll(&mut import, polls);
        let archive = org
            .integration
            .archive_audience(&org.organization, audience, "key_1");
        let outcome = if let Some(outcome) = early {
            archive.await.unwrap();
            outcome
        } else {
            let (outcome, archived) = tokio::join!(import, archive);
            archived.unwrap();
            outcome
        };

        let reasons: Vec<SkipReason> = outcome
            .unwrap()
            .skipped
            .into_iter()
            .map(|s| s.reason)
            .collect();
        assert!(
            !reasons.contains(&SkipReason::NotFound),
            "after {polls} polls"
        );
    }
}

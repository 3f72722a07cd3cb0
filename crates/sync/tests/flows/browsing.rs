//! Browsing Klaviyo's lists and segments, and estimating an import.

use std::time::Duration;

use fanfare_domain::ports::KlaviyoError;
use fanfare_domain::profile::Profile;
use fanfare_domain::run::SyncStatus;
use fanfare_domain::source::CollectionKind;
use fanfare_sync::{BrowsedCollection, Entity, Error, Estimate};
use fanfare_testkit::build::{list, segment};
use fanfare_testkit::fake_klaviyo::{Call, FakeKlaviyo};

use crate::reading::every_failure;
use crate::test_organization::{TestOrganization, klaviyo_with, members};

#[tokio::test(start_paused = true)]
async fn every_list_is_shown_once_with_what_syncs_it() {
    let mut klaviyo = FakeKlaviyo::default();
    for number in 10..35 {
        klaviyo = klaviyo.with(list(&format!("L{number}")), "A list", Vec::<Profile>::new());
    }
    klaviyo = klaviyo.with(segment("S1"), "A segment", members(0..3));
    let org = TestOrganization::on(&klaviyo).await;
    let run = org.synced(&list("L12")).await;

    let lists = org
        .integration
        .collections(&org.organization, CollectionKind::List)
        .await
        .unwrap();

    let ids: Vec<&str> = lists.iter().map(|b| b.collection.id.as_str()).collect();
    let expected: Vec<String> = (10..35).map(|number| format!("L{number}")).collect();
    assert_eq!(ids, expected);
    for browsed in &lists {
        let is_synced = browsed.collection.id.as_str() == "L12";
        assert_eq!(browsed.source.is_some(), is_synced);
    }
    let source = lists[2].source.as_ref().unwrap();
    assert_eq!(
        (source.status, &source.audience),
        (SyncStatus::Success, &run.audience)
    );
    assert_eq!(source.last_synced_at, run.finished_at);

    let segments = org
        .integration
        .collections(&org.organization, CollectionKind::Segment)
        .await
        .unwrap();
    assert_eq!(segments.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn lists_that_lead_in_a_circle_are_an_unusable_answer() {
    let klaviyo = (10..40).fold(
        FakeKlaviyo::default().with_circular_pages(),
        |klaviyo, number| {
            klaviyo.with(list(&format!("L{number}")), "A list", Vec::<Profile>::new())
        },
    );
    let org = TestOrganization::on(&klaviyo).await;

    let refused = org
        .integration
        .collections(&org.organization, CollectionKind::List)
        .await;

    let Err(Error::KlaviyoUnreachable(KlaviyoError::Invalid(_))) = refused else {
        panic!("{refused:?}");
    };
}

#[tokio::test(start_paused = true)]
async fn without_a_key_klaviyo_is_not_asked() {
    let klaviyo = klaviyo_with(&list("L1"), 3);
    let org = TestOrganization::unconnected(&klaviyo).await;
    let refused = org
        .integration
        .collections(&org.organization, CollectionKind::List)
        .await;
    assert!(matches!(refused, Err(Error::KeyNotFound)));
    let refused = org
        .integration
        .estimate(&org.organization, &list("L1"))
        .await;
    assert!(matches!(refused, Err(Error::KeyNotFound)));
    assert!(klaviyo.calls().is_empty());
}

async fn estimate(org: &TestOrganization, id: &str) -> Result<Estimate, Error> {
    org.integration.estimate(&org.organization, &list(id)).await
}

#[tokio::test(start_paused = true)]
async fn an_estimate_has_profiles_requests_and_seconds() {
    let klaviyo = FakeKlaviyo::default()
        .with(list("big"), "Big", members(0..1_050))
        .with(list("empty"), "Empty", Vec::<Profile>::new());
    let org = TestOrganization::on(&klaviyo).await;

    let big = estimate(&org, "big").await.unwrap();
    assert_eq!(
        (big.profiles, big.requests, big.seconds),
        (Some(1_050), Some(12), Some(0))
    );
    let empty = estimate(&org, "empty").await.unwrap();
    assert_eq!((empty.profiles, empty.requests), (Some(0), Some(2)));
    assert!(matches!(
        estimate(&org, "gone").await,
        Err(Error::NotFound(Entity::KlaviyoCollection(
            CollectionKind::List
        )))
    ));
    let gone = org
        .integration
        .estimate(&org.organization, &segment("gone"))
        .await;
    assert!(matches!(
        gone,
        Err(Error::NotFound(Entity::KlaviyoCollection(
            CollectionKind::Segment
        )))
    ));
}

#[tokio::test(start_paused = true)]
async fn a_count_that_klaviyo_does_not_give_is_not_guessed() {
    let klaviyo = klaviyo_with(&list("L1"), 3);
    let unknown = Estimate {
        profiles: None,
        requests: None,
        seconds: None,
    };
    let org = TestOrganization::on(&klaviyo).await;
    klaviyo.change(|contents| contents.counts = false);
    assert_eq!(estimate(&org, "L1").await.unwrap(), unknown);

    klaviyo.change(|contents| contents.counts = true);
    // The quota of counting is fifteen requests a minute, one of which is used.
    for _ in 0..14 {
        assert_eq!(estimate(&org, "L1").await.unwrap().profiles, Some(3));
    }
    assert_eq!(estimate(&org, "L1").await.unwrap(), unknown);
}

#[tokio::test(start_paused = true)]
async fn an_estimate_whose_count_is_not_to_be_had_knows_nothing_and_fails_nothing() {
    for failure in every_failure() {
        let klaviyo = klaviyo_with(&list("L1"), 3);
        let org = TestOrganization::on(&klaviyo).await;
        // A count that may pass is asked for once more.
        klaviyo.fail_others([None, Some(failure.clone()), Some(failure.clone())]);
        let estimate = estimate(&org, "L1").await.unwrap();
        assert_eq!(estimate.profiles, None, "{failure:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn one_failed_page_of_lists_costs_one_more_request_and_two_cost_the_answer() {
    let klaviyo = (10..45).fold(FakeKlaviyo::default(), |klaviyo, number| {
        klaviyo.with(list(&format!("L{number}")), "A list", Vec::<Profile>::new())
    });
    let org = TestOrganization::on(&klaviyo).await;
    let failure = || Some(KlaviyoError::Unavailable("it answered 502".to_owned()));
    let lists = || {
        org.integration
            .collections(&org.organization, CollectionKind::List)
    };

    klaviyo.fail_others([failure(), None, None, failure(), None, failure()]);
    assert_eq!(lists().await.unwrap().len(), 35);
    tokio::time::sleep(KEPT_FOR).await;

    klaviyo.fail_others([None, failure(), failure()]);
    let refused = lists().await;
    assert!(
        matches!(refused, Err(Error::KlaviyoUnreachable(_))),
        "{refused:?}"
    );

    klaviyo.fail_others([None, Some(KlaviyoError::KeyRejected)]);
    assert!(matches!(lists().await, Err(Error::KeyRejected)));
}

/// How long lists are kept.
const KEPT_FOR: Duration = Duration::from_secs(5);

/// How many pages of lists or segments Klaviyo was asked for.
fn pages_asked(klaviyo: &FakeKlaviyo) -> usize {
    let calls = klaviyo.calls();
    let pages = calls
        .iter()
        .filter(|call| matches!(call, Call::Collections(_)));
    pages.count()
}

/// What a hundred callers are told who all ask at once.
async fn ask_at_once(
    org: &TestOrganization,
    kind: CollectionKind,
) -> Vec<Result<Vec<BrowsedCollection>, Error>> {
    let asking = (0..100).map(|_| org.integration.collections(&org.organization, kind));
    futures_util::future::join_all(asking).await
}

#[tokio::test(start_paused = true)]
async fn a_hundred_who_ask_at_once_are_told_of_one_reading_and_so_are_those_who_ask_soon_after() {
    let klaviyo = (10..35).fold(FakeKlaviyo::default(), |klaviyo, number| {
        klaviyo.with(list(&format!("L{number}")), "A list", Vec::<Profile>::new())
    });
    let klaviyo = klaviyo.with(segment("S1"), "A segment", members(0..3));
    let org = TestOrganization::on(&klaviyo).await;
    let before = pages_asked(&klaviyo);

    for told in ask_at_once(&org, CollectionKind::List).await {
        assert_eq!(told.unwrap().len(), 25);
    }
    assert_eq!(pages_asked(&klaviyo) - before, 3);

    // Segments are another reading, and each lasts for five seconds.
    ask_at_once(&org, CollectionKind::Segment).await;
    tokio::time::sleep(KEPT_FOR.mul_f32(0.9)).await;
    ask_at_once(&org, CollectionKind::List).await;
    assert_eq!(pages_asked(&klaviyo) - before, 4);
    tokio::time::sleep(KEPT_FOR.mul_f32(0.1)).await;
    ask_at_once(&org, CollectionKind::List).await;
    assert_eq!(pages_asked(&klaviyo) - before, 7);
}

#[tokio::test(start_paused = true)]
async fn what_syncs_a_list_is_never_kept() {
    let klaviyo = klaviyo_with(&list("L1"), 3);
    let org = TestOrganization::on(&klaviyo).await;
    let lists = || {
        let lists = org
            .integration
            .collections(&org.organization, CollectionKind::List);
        async { lists.await.unwrap().remove(0).source }
    };
    assert_eq!(lists().await, None);

    let run = org.synced(&list("L1")).await;

    let source = lists().await.unwrap();
    assert_eq!(
        (source.status, source.audience),
        (SyncStatus::Success, run.audience)
    );
}

#[tokio::test(start_paused = true)]
async fn another_key_and_a_disconnection_end_what_was_kept() {
    let klaviyo = klaviyo_with(&list("L1"), 3);
    let org = TestOrganization::on(&klaviyo).await;
    let names = || async {
        let lists = org
            .integration
            .collections(&org.organization, CollectionKind::List);
        let lists = lists.await?.into_iter();
        Ok::<_, Error>(
            lists
                .map(|list| list.collection.name.unwrap())
                .collect::<Vec<_>>(),
        )
    };
    let rename = |name: &str| {
        let name = Some(name.to_owned());
        klaviyo.change(|contents| contents.collections.get_mut(&list("L1")).unwrap().0 = name);
    };
    rename("First");
    assert_eq!(names().await.unwrap(), ["First"]);

    rename("Second");
    assert_eq!(names().await.unwrap(), ["First"]);
    org.connect("pk_another").await.unwrap();
    assert_eq!(names().await.unwrap(), ["Second"]);

    org.integration.disconnect(&org.organization).await.unwrap();
    assert!(matches!(names().await, Err(Error::KeyNotFound)));
    rename("Third");
    org.connect("pk_third").await.unwrap();
    assert_eq!(names().await.unwrap(), ["Third"]);
}

/// How long lists are told to a page, which does not wait.
const AT_HAND_FOR: Duration = Duration::from_mins(5);

#[tokio::test(start_paused = true)]
async fn a_page_is_told_of_the_last_reading_while_the_next_is_under_way() {
    let klaviyo = klaviyo_with(&list("L1"), 3);
    let org = TestOrganization::on(&klaviyo).await;
    let names = || async {
        let kind = CollectionKind::List;
        let told = org.integration.collections_at_hand(&org.organization, kind);
        let (lists, at) = told.await?;
        let names = lists.into_iter().map(|list| list.collection.name.unwrap());
        Ok::<_, Error>((names.collect::<Vec<_>>(), at))
    };
    let rename = |name: &str| {
        let name = Some(name.to_owned());
        klaviyo.change(|contents| contents.collections.get_mut(&list("L1")).unwrap().0 = name);
    };
    let began = org.integration.clock().now();
    rename("First");
    let (told, at) = names().await.unwrap();
    assert_eq!((told, at), (vec!["First".to_owned()], began));

    // Ten pages at once send for one reading, and wait for none.
    rename("Second");
    tokio::time::sleep(KEPT_FOR).await;
    let before = pages_asked(&klaviyo);
    for told in futures_util::future::join_all((0..10).map(|_| names())).await {
        assert_eq!(told.unwrap(), (vec!["First".to_owned()], began));
    }
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(pages_asked(&klaviyo), before + 1);
    assert_eq!(names().await.unwrap().0, ["Second"]);

    // What is older than that is not told.
    rename("Third");
    tokio::time::sleep(AT_HAND_FOR).await;
    assert_eq!(names().await.unwrap().0, ["Third"]);

    // Another key, and what Klaviyo refuses behind a page.
    rename("Fourth");
    org.connect("pk_another").await.unwrap();
    assert_eq!(names().await.unwrap().0, ["Fourth"]);
    tokio::time::sleep(KEPT_FOR).await;
    klaviyo.fail_others([
        Some(KlaviyoError::KeyRejected),
        Some(KlaviyoError::KeyRejected),
    ]);
    assert_eq!(names().await.unwrap().0, ["Fourth"]);
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert!(matches!(names().await, Err(Error::KeyRejected)));
}

#[tokio::test(start_paused = true)]
async fn an_error_of_klaviyos_is_told_to_all_who_waited_and_is_not_kept() {
    let klaviyo = klaviyo_with(&list("L1"), 3);
    let org = TestOrganization::on(&klaviyo).await;
    let before = pages_asked(&klaviyo);
    let failure = || Some(KlaviyoError::Unavailable("it answered 502".to_owned()));
    klaviyo.fail_others([failure(), failure()]);

    for told in ask_at_once(&org, CollectionKind::List).await {
        assert!(
            matches!(told, Err(Error::KlaviyoUnreachable(_))),
            "{told:?}"
        );
    }
    // One call, made once more.
    assert_eq!(pages_asked(&klaviyo) - before, 2);

    let told = org
        .integration
        .collections(&org.organization, CollectionKind::List)
        .await;
    assert_eq!(told.unwrap().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn pages_of_lists_that_do_not_end_are_read_two_hundred_times() {
    let klaviyo = (0..2_001).fold(FakeKlaviyo::default(), |klaviyo, number| {
        klaviyo.with(list(&format!("L{number}")), "A list", Vec::<Profile>::new())
    });
    let org = TestOrganization::on(&klaviyo).await;
    let before = klaviyo.calls().len();

    let refused = org
        .integration
        .collections(&org.organization, CollectionKind::List)
        .await;

    let error = refused.unwrap_err();
    assert!(
        matches!(error, Error::EndlessCollections { .. }),
        "{error:?}"
    );
    assert_eq!(
        error.to_string(),
        "Klaviyo's pages of lists do not end after 200 pages"
    );
    assert_eq!(klaviyo.calls().len() - before, 200);
}

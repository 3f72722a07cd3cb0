//! A pass over a list, from its name to its last member.

use fanfare_domain::connection::ConnectionStatus;
use fanfare_domain::issue::IssueCode;
use fanfare_domain::ports::{KlaviyoError, Store};
use fanfare_domain::profile::Profile;
use fanfare_domain::quota::RetryAfter;
use fanfare_domain::run::SyncStatus;
use fanfare_domain::source::CollectionRef;
use fanfare_sync::SYSTEM_ACTOR;
use fanfare_sync::engine::SliceEnd;
use fanfare_testkit::build::{list, profile, segment};
use fanfare_testkit::fake_klaviyo::{Call, FakeKlaviyo};
use std::time::Duration;

use crate::audiences::named;
use crate::test_organization::{TestOrganization, emails, klaviyo_with, members};

#[tokio::test(start_paused = true)]
async fn an_import_makes_members_of_all_profiles_with_an_email_or_phone_number() {
    let klaviyo = FakeKlaviyo::default().page_size(2).with(
        list("L1"),
        "VIP",
        [
            profile("a")
                .email(" Ann@X.io ")
                .first_name("Ann")
                .last_name("Lee"),
            profile("b").email("bo@x.io").phone("555"),
            profile("c").phone("+15550001"),
            profile("d").email("ann@x.io"),
            profile("e").email("not an address"),
            profile("f"),
        ],
    );
    let org = TestOrganization::on(&klaviyo).await;

    let run = org.synced(&list("L1")).await;

    assert_eq!(org.members(&run.id).await, ["-", "ann@x.io", "bo@x.io"]);
    let (progress, tally) = (run.progress, run.progress.tally);
    assert_eq!(
        (tally.processed, tally.created, tally.updated, tally.skipped),
        (6, 3, 1, 2)
    );
    assert_eq!(
        (progress.total, progress.pages, progress.members_added),
        (Some(6), 3, 3)
    );
    assert_eq!((run.attempt, run.finished_at), (1, Some(org.now())));
    let issues = org.issues(&run.id).await;
    assert_eq!(
        issues,
        [
            ("b".to_owned(), IssueCode::InvalidPhone),
            ("d".to_owned(), IssueCode::DuplicateEmail),
            ("e".to_owned(), IssueCode::InvalidEmail),
            ("f".to_owned(), IssueCode::MissingContact),
        ]
    );
    let source = org
        .integration
        .audience(&org.organization, &run.audience)
        .await
        .unwrap()
        .source
        .unwrap();
    assert_eq!(
        (source.last_synced_at, source.data.created),
        (run.finished_at, 3)
    );
    assert_eq!(source.data.name.as_deref(), Some("VIP"));
}

#[tokio::test(start_paused = true)]
async fn segments_are_read_like_lists_and_share_their_consumers() {
    let klaviyo = klaviyo_with(&list("L1"), 4).with(segment("S1"), "Fans", members(2..6));
    let org = TestOrganization::on(&klaviyo).await;
    org.synced(&list("L1")).await;

    let run = org.synced(&segment("S1")).await;

    assert_eq!(org.members(&run.id).await, emails(2..6));
    let tally = run.progress.tally;
    assert_eq!((tally.created, tally.unchanged), (2, 2));
    assert!(
        org.issues(&run.id).await.is_empty(),
        "an e-mail on two lists is no duplicate"
    );
}

#[tokio::test(start_paused = true)]
async fn people_who_are_known_are_found_behind_pages_of_people_who_are_not() {
    // By their profile, by their e-mail, and by a profile that has another e-mail now.
    let of = |id: &str, email: &str| -> Profile { profile(id).email(email).build() };
    for later in [
        of("t9", "t9@x.io"),
        of("u9", "t9@x.io"),
        of("t9", "u9@x.io"),
    ] {
        let klaviyo =
            FakeKlaviyo::default()
                .page_size(1)
                .with(list("L1"), "Known", [of("t9", "t9@x.io")]);
        let strangers = (0..20).map(|n| of(&format!("s{n}"), &format!("s{n}@x.io")));
        // Klaviyo tells of them in the order of their ids.
        let both: Vec<Profile> = strangers.chain([later]).collect();
        let klaviyo = klaviyo.with(list("L2"), "Both", both);
        let org = TestOrganization::on(&klaviyo).await;
        org.synced(&list("L1")).await;

        let run = org.synced(&list("L2")).await;

        let tally = run.progress.tally;
        assert_eq!((tally.processed, tally.created), (21, 20));
        assert_eq!(org.consumers().await.len(), 21);
        assert_eq!(org.members(&run.id).await.len(), 21);
        let again = org.resynced(&run, false).await;
        assert_eq!(again.progress.tally.unchanged, 21);
    }
}

#[tokio::test(start_paused = true)]
async fn an_empty_list_takes_one_page_and_makes_an_empty_audience() {
    let klaviyo = klaviyo_with(&list("L1"), 0);
    let org = TestOrganization::on(&klaviyo).await;
    let run = org.synced(&list("L1")).await;
    assert_eq!((run.progress.pages, run.progress.total), (1, Some(0)));
    assert!(org.members(&run.id).await.is_empty());
}

fn rename(klaviyo: &FakeKlaviyo, list: &CollectionRef, name: Option<&str>) {
    let name = name.map(str::to_owned);
    klaviyo.change(|contents| contents.collections.get_mut(list).unwrap().0 = name);
}

#[tokio::test(start_paused = true)]
async fn a_rename_in_klaviyo_follows_with_the_next_run() {
    let klaviyo = klaviyo_with(&list("L1"), 1).with(list("L2"), "Other", members(0..1));
    let org = TestOrganization::on(&klaviyo).await;
    let run = org.synced(&list("L1")).await;
    org.synced(&list("L2")).await;
    for (name, want) in [
        (Some("Friends"), "Friends"),
        (Some("Other"), "Other (Klaviyo L1)"),
        (Some(" "), "Klaviyo list L1"),
        (None, "Klaviyo list L1"),
        (Some("VIP"), "VIP"),
    ] {
        rename(&klaviyo, &list("L1"), name);
        org.resynced(&run, false).await;
        assert_eq!(org.name(&run.id).await, want);
    }
    let record = org
        .integration
        .audience(&org.organization, &run.audience)
        .await
        .unwrap();
    assert_eq!(record.audience.updated_by.as_deref(), Some(SYSTEM_ACTOR));
}

#[tokio::test(start_paused = true)]
async fn a_name_given_by_hand_stays() {
    let klaviyo = klaviyo_with(&list("L1"), 1);
    let org = TestOrganization::on(&klaviyo).await;
    let run = org.synced(&list("L1")).await;
    org.integration
        .update_audience(&org.organization, &run.audience, named("Mine"))
        .await
        .unwrap();
    rename(&klaviyo, &list("L1"), Some("Friends"));

    org.resynced(&run, false).await;

    assert_eq!(org.name(&run.id).await, "Mine");
    let source = org
        .integration
        .audience(&org.organization, &run.audience)
        .await
        .unwrap()
        .source
        .unwrap();
    assert_eq!(source.data.name.as_deref(), Some("Friends"));
}

#[tokio::test(start_paused = true)]
async fn a_lists_name_is_stored_without_characters_that_databases_refuse() {
    let klaviyo = klaviyo_with(&list("L1"), 1);
    rename(&klaviyo, &list("L1"), Some("V\u{0}IP"));
    let org = TestOrganization::on(&klaviyo).await;
    let run = org.synced(&list("L1")).await;
    let source = org
        .integration
        .audience(&org.organization, &run.audience)
        .await
        .unwrap()
        .source
        .unwrap();
    assert_eq!(source.data.name.as_deref(), Some("VIP"));
}

fn look_ups(klaviyo: &FakeKlaviyo) -> Vec<bool> {
    let calls = klaviyo.calls().into_iter();
    calls
        .filter_map(|call| {
            if let Call::Collection(_, count) = call {
                Some(count)
            } else {
                None
            }
        })
        .collect()
}

#[tokio::test(start_paused = true)]
async fn a_run_does_not_wait_for_the_quota_of_counting() {
    let klaviyo = klaviyo_with(&list("L1"), 2);
    let org = TestOrganization::on(&klaviyo).await;
    let run = org.imported(&list("L1")).await;
    // The quota of counting is one request a second, which this estimate uses.
    org.integration
        .estimate(&org.organization, &list("L1"))
        .await
        .unwrap();
    let before = look_ups(&klaviyo).len();

    let run = org.work_to_end(&run).await;

    assert_eq!(look_ups(&klaviyo)[before..], [false]);
    assert_eq!(
        (run.status, run.progress.total),
        (SyncStatus::Success, None)
    );
}

/// Every way in which a request can fail.
pub(crate) fn every_failure() -> Vec<KlaviyoError> {
    let text = || "ordered by the test".to_owned();
    vec![
        KlaviyoError::KeyRejected,
        KlaviyoError::ScopeMissing(vec!["lists:read".to_owned()]),
        KlaviyoError::NotPermitted,
        KlaviyoError::NotFound,
        KlaviyoError::Throttled(RetryAfter::Seconds(90)),
        KlaviyoError::Unavailable(text()),
        KlaviyoError::Outage {
            what: text(),
            retry_after: RetryAfter::Seconds(90),
        },
        KlaviyoError::Invalid(text()),
        KlaviyoError::ForeignLink,
        KlaviyoError::RevisionRetired,
        KlaviyoError::Refused(text()),
    ]
}

#[tokio::test(start_paused = true)]
async fn a_count_that_is_not_to_be_had_costs_a_run_nothing_but_its_total() {
    for failure in every_failure() {
        let klaviyo = klaviyo_with(&list("L1"), 6);
        let org = TestOrganization::on(&klaviyo).await;
        let run = org.imported(&list("L1")).await;
        let before = look_ups(&klaviyo).len();
        klaviyo.fail_others([None, Some(failure.clone())]);

        let end = org.work(&run).await;

        assert_eq!(end, SliceEnd::Finished(SyncStatus::Success), "{failure:?}");
        assert_eq!(look_ups(&klaviyo)[before..], [false, true]);
        let run = org.run(&run).await;
        assert_eq!(
            (run.progress.total, run.progress.tally.processed),
            (None, 6)
        );
        let settings = org.integration.settings(&org.organization).await.unwrap();
        let status = settings.connection.unwrap().status;
        assert_eq!(status, ConnectionStatus::Active, "{failure:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_count_that_is_never_granted_does_not_keep_a_run_from_its_list() {
    // Another program of the merchant's may use up the quota of counting for ever.
    let klaviyo = klaviyo_with(&list("L1"), 2);
    let org = TestOrganization::on(&klaviyo).await;
    let run = org.synced(&list("L1")).await;
    for _ in 0..3 {
        let throttled = Some(KlaviyoError::Throttled(RetryAfter::Seconds(60)));
        klaviyo.fail_others([None, throttled]);
        let again = org.resynced(&run, false).await;
        assert_eq!(
            (again.status, again.progress.total),
            (SyncStatus::Success, None)
        );
        tokio::time::advance(Duration::from_secs(61)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_list_that_is_synced_every_minute_is_counted_every_time() {
    let klaviyo = klaviyo_with(&list("L1"), 2);
    let org = TestOrganization::on(&klaviyo).await;
    let first = org.synced(&list("L1")).await;
    for minute in 1..5 {
        // The minute of the quota has just not ended, or has just ended: between two of them nothing is granted.
        tokio::time::advance(Duration::from_millis(59_990)).await;
        let again = org.resynced(&first, false).await;
        assert_eq!(again.progress.total, Some(2), "minute {minute}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_run_that_has_ended_leaves_no_seen_profiles() {
    let org = TestOrganization::on(&klaviyo_with(&list("L1"), 5)).await;
    org.synced(&list("L1")).await;
    let mut unit = org.store.begin(&org.organization).await.unwrap();
    assert_eq!(unit.delete_seen_pages(100).await.unwrap(), 0);
}

#[tokio::test(start_paused = true)]
async fn the_values_of_a_later_change_replace_earlier_ones() {
    let of = |name: &str, updated| -> Profile {
        profile("p")
            .email("ann@x.io")
            .first_name(name)
            .updated(updated)
            .build()
    };
    let klaviyo = FakeKlaviyo::default().with(list("L1"), "VIP", [of("Ann", 10)]);
    let org = TestOrganization::on(&klaviyo).await;
    let run = org.synced(&list("L1")).await;
    for (name, updated, want, changed) in [
        ("Anna", 20, "Anna", 1),
        ("Old", 5, "Anna", 0),
        ("Anne", 20, "Anne", 1),
    ] {
        let profile = of(name, updated);
        klaviyo.change(|contents| {
            contents.collections.get_mut(&list("L1")).unwrap().1 = vec![profile];
        });
        let again = org.resynced(&run, false).await;
        let name = org.consumers().await[0].full_name.clone().unwrap();
        assert_eq!(
            (name.value.as_str(), again.progress.tally.updated),
            (want, changed)
        );
    }
}

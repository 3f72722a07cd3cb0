//! Organizations read and change nothing of each other, whichever ids they use.

use fanfare_domain::ids::ConsumerId;
use fanfare_domain::page::{Known, SeenSet};
use fanfare_domain::ports::{Batch, ConsumerFilter, Lookup, SourceFilter, StoreError, UnitOfWork};
use fanfare_domain::profile::Profile;
use fanfare_domain::source::CollectionKind;
use fanfare_domain::work::WorkKey;

use super::fixture::{Fixture, Write, four_profiles, set_up, snapshot};
use super::harness::StoreHarness;
use super::test_organization::{ALL, LEASE, TestOrganization};
use crate::seen;

/// Every method that reads, given the other organization's ids, answers as for ids that do not exist.
pub async fn nothing_of_another_organization_is_read(harness: &dyn StoreHarness) {
    let ours = TestOrganization::new(harness);
    let fixture = set_up(&ours).await;
    let mut unit = ours.read().await;
    let consumers = unit.consumers(&ConsumerFilter::default(), &ALL).await;
    let consumer = consumers.expect("consumers").items[0].consumer.id.clone();
    // Each of these methods finds something for its own organization, so finding nothing says something.
    let own = found_by_reading(unit.as_mut(), &fixture, &consumer).await;
    assert_eq!(own.expect("answers").len(), 28);
    drop(unit);
    let theirs = TestOrganization::of(harness, "org_b");

    for what in ["with nothing of their own", "with rows of their own"] {
        for mut unit in [theirs.read().await, theirs.begin().await] {
            let found = found_by_reading(unit.as_mut(), &fixture, &consumer).await;
            assert_eq!(found.expect("answers"), Vec::<&str>::new(), "{what}");
        }
        theirs.import("list9").await;
    }
}

/// What the unit knows of everybody's profiles.
async fn known_of(unit: &mut dyn UnitOfWork, of: &Fixture) -> Result<Known, StoreError> {
    let profiles = four_profiles();
    let emails: Vec<_> = profiles.iter().filter_map(Profile::usable_email).collect();
    seen::known(unit, &of.held.id, &emails, &of.profiles).await
}

/// Names the methods that found something of the fixture.
async fn found_by_reading(
    unit: &mut dyn UnitOfWork,
    of: &Fixture,
    consumer: &ConsumerId,
) -> Result<Vec<&'static str>, StoreError> {
    let (run, audience, source) = (&of.held.id, &of.held.audience, &of.held.source);
    let filter = ConsumerFilter {
        audience: Some(audience.clone()),
        ..ConsumerFilter::default()
    };
    let of_list1 = SourceFilter {
        external_id: Some("list1".to_owned()),
        ..SourceFilter::default()
    };
    let of_profiles = SourceFilter {
        source_type: Some("klaviyo:profile".to_owned()),
        ..SourceFilter::default()
    };
    let nothing: Batch<ConsumerId> = Batch {
        affected: 0,
        next: None,
    };
    let nobody = SeenSet::default();
    let collection = TestOrganization::source("list1").collection;
    let lists = unit.sources(CollectionKind::List).await?;
    let audiences = unit.audiences(&ALL).await?.items;
    let by_email = Lookup::Email("ada@example.com".to_owned());
    let by_phone = Lookup::Phone("+12025550102".to_owned());
    let by_profile = Lookup::Profile(of.profiles[0].clone());
    let known = known_of(unit, of).await?;
    let found = [
        ("connection", unit.connection().await?.is_some()),
        ("source", unit.source(source).await?.is_some()),
        ("source_of", unit.source_of(&collection).await?.is_some()),
        ("sources", lists.iter().any(|one| one.id == *source)),
        ("source_record", unit.source_record(source).await?.is_some()),
        (
            "search_sources",
            !unit.search_sources(&of_list1, &ALL).await?.is_empty(),
        ),
        (
            "search_sources, links",
            !unit.search_sources(&of_profiles, &ALL).await?.is_empty(),
        ),
        ("audience", unit.audience(audience).await?.is_some()),
        (
            "audiences",
            audiences.iter().any(|one| one.audience.id == *audience),
        ),
        (
            "is_name_taken",
            unit.is_name_taken(audience.as_str(), &of.waiting.run().audience)
                .await?,
        ),
        (
            "members",
            !unit.members(audience, None, &ALL).await?.items.is_empty(),
        ),
        ("member_count", unit.member_count(audience).await? > 0),
        ("consumer", unit.consumer(consumer).await?.is_some()),
        (
            "consumers",
            !unit.consumers(&filter, &ALL).await?.items.is_empty(),
        ),
        (
            "lookup by e-mail",
            !unit.lookup_consumers(&by_email).await?.is_empty(),
        ),
        (
            "lookup by phone",
            !unit.lookup_consumers(&by_phone).await?.is_empty(),
        ),
        (
            "lookup by profile",
            !unit.lookup_consumers(&by_profile).await?.is_empty(),
        ),
        ("known", known != Known::default()),
        (
            "members_profiles",
            !unit
                .members_profiles(std::slice::from_ref(audience), &of.profiles)
                .await?
                .is_empty(),
        ),
        (
            "count_absent",
            unit.count_absent_members(run, audience, &nobody, None, 9)
                .await?
                != nothing,
        ),
        ("seen_pages", !unit.seen_pages(run, 0, 9).await?.is_empty()),
        ("run", unit.run(run).await?.is_some()),
        ("active_run", unit.active_run(source).await?.is_some()),
        ("active_runs", !unit.active_runs().await?.is_empty()),
        ("runs", !unit.runs(audience, &ALL).await?.items.is_empty()),
        ("run_count", unit.run_count(audience).await? > 0),
        ("issues", !unit.issues(run, &ALL).await?.items.is_empty()),
        ("issue_counts", !unit.issue_counts(run).await?.is_empty()),
    ];
    let found = found.into_iter().filter(|(_, is_found)| *is_found);
    Ok(found.map(|(method, _)| method).collect())
}

/// Every method that writes, given the other organization's ids, changes nothing or is refused, and
/// that organization keeps all its rows.
pub async fn nothing_of_another_organization_is_changed(harness: &dyn StoreHarness) {
    let ours = TestOrganization::new(harness);
    let fixture = set_up(&ours).await;
    let before = snapshot(&ours, &fixture.profiles).await;
    let others = TestOrganization::of(harness, "org_b");
    // A write that needs no existing row makes one, which later writes could refer to: it is made for a third
    // organization.
    let third = TestOrganization::of(harness, "org_c");

    for write in Write::ALL {
        let theirs = if write.names_a_row() { &others } else { &third };
        let mut unit = theirs.begin().await;
        let done = write.attempt(unit.as_mut(), &fixture).await;
        let is_refused = matches!(done, Ok(false) | Err(StoreError::Refused(_)));
        assert!(is_refused || !write.names_a_row(), "{write:?}: {done:?}");
        if done.is_ok() {
            // A store may refuse at the commit.
            let ended = unit.commit().await;
            let is_expected = matches!(ended, Ok(()) | Err(StoreError::Refused(_)));
            assert!(is_expected, "{write:?}: {ended:?}");
        }
    }

    assert_eq!(snapshot(&ours, &fixture.profiles).await, before);
    assert!(
        ours.claim(&WorkKey::pull(&fixture.waiting.run().id))
            .await
            .is_some()
    );
    let mut unit = ours.begin().await;
    let renewed = unit
        .renew(&WorkKey::pull(&fixture.held.id), fixture.token, LEASE)
        .await;
    assert!(renewed.expect("an answer"));
}

/// Two organizations may have the same list, the same profiles and the same ids, in rows of their own.
pub async fn two_organizations_keep_their_own_rows_under_the_same_ids(harness: &dyn StoreHarness) {
    let (ours, theirs) = (
        TestOrganization::new(harness),
        TestOrganization::of(harness, "org_b"),
    );
    let our_fixture = set_up(&ours).await;
    let their_fixture = set_up(&theirs).await;
    let before = snapshot(&ours, &our_fixture.profiles).await;
    assert_eq!(our_fixture.held.id, their_fixture.held.id);

    let mut unit = theirs.begin().await;
    for write in Write::ALL {
        let done = write.attempt(unit.as_mut(), &their_fixture).await;
        assert!(done.expect("a write"), "{write:?} must do something");
    }
    unit.commit().await.expect("a commit");

    assert_eq!(snapshot(&ours, &our_fixture.profiles).await, before);
    let mut unit = ours.begin().await;
    let renewed = unit
        .renew(
            &WorkKey::pull(&our_fixture.held.id),
            our_fixture.token,
            LEASE,
        )
        .await;
    assert!(
        renewed.expect("an answer"),
        "the other organization's release must not release our lease"
    );
}

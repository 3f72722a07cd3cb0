//! What explaining a membership reads.

use fanfare_domain::explain::SkippedProfile;
use fanfare_domain::ids::{ConsumerId, ProfileId};
use fanfare_domain::issue::IssueCode;

use super::harness::StoreHarness;
use super::test_organization::TestOrganization;
use crate::build::{at, consumer_id, profile, profile_id};

/// All links of one consumer, as pages wrote them, and none of another's.
pub async fn the_links_of_a_consumer_are_its_own(harness: &dyn StoreHarness) {
    let org = TestOrganization::new(harness);
    let run = org.queue("list1").await;
    let page = [
        profile("p1").email("a@example.com").build(),
        profile("p2").email("A@example.com").build(),
        profile("p3").email("b@example.com").build(),
    ];
    let (plan, _) = org.take_at(70, &run, &page).await;
    let id: &ConsumerId = &plan.created[0].id;

    let mut unit = org.read().await;
    let mut links = unit.links_of(id).await.expect("links");
    links.sort_by(|a, b| a.profile.cmp(&b.profile));
    let profiles: Vec<&ProfileId> = links.iter().map(|link| &link.profile).collect();
    assert_eq!(profiles, [&profile_id("p1"), &profile_id("p2")]);
    assert!(
        links
            .iter()
            .all(|link| link.consumer == *id && link.changed_at == at(70))
    );
    let nobody = unit.links_of(&consumer_id("cons_none")).await;
    assert_eq!(nobody.expect("links"), []);
}

/// By the profile, in every run of the audience and in no other audience's; an issue of a profile that was taken is
/// none.
pub async fn a_skipped_profile_is_found_in_the_runs_of_its_audience(harness: &dyn StoreHarness) {
    let org = TestOrganization::new(harness);
    let page = [
        profile("p1").email("no address").build(),
        profile("p2").build(),
        profile("p3").email("c@example.com").phone("1").build(),
    ];
    let first = org.queue("list1").await;
    org.take_at(70, &first, &page).await;
    org.finish(&first).await;
    let second = org.queue("list1").await;
    org.take_at(90, &second, &page[..1]).await;
    let other = org.queue("list2").await;
    org.take_at(95, &other, &page).await;

    let mut unit = org.read().await;
    let mut skipped = async |profile: &str| {
        let found = unit.skipped(&first.audience, &profile_id(profile)).await;
        let mut found = found.expect("an answer");
        found.sort_by_key(|one| one.at);
        found
    };
    let issue = |profile: &str, code, run: &fanfare_domain::run::SyncRun, seconds| SkippedProfile {
        profile: profile_id(profile),
        code,
        run: run.id.clone(),
        at: at(seconds),
    };
    let want = [
        issue("p1", IssueCode::InvalidEmail, &first, 70),
        issue("p1", IssueCode::InvalidEmail, &second, 90),
    ];
    assert_eq!(skipped("p1").await, want);
    let want = [issue("p2", IssueCode::MissingContact, &first, 70)];
    assert_eq!(skipped("p2").await, want);
    assert_eq!(skipped("p3").await, []);
    assert_eq!(skipped("p9").await, []);
}

//! Reading what is known of a page's profiles.

use fanfare_domain::consumer::Consumer;
use fanfare_domain::ids::ProfileId;
use fanfare_domain::page::{Known, PROFILES_OF_A_SEEN_PAGE, PagePlan, SeenIndex, SeenProfile};
use fanfare_domain::profile::Profile;

use super::harness::StoreHarness;
use super::test_organization::{TestOrganization, sorted};
use crate::build::{at, email, profile, profile_id};
use crate::seen;

pub(super) fn seen(profile: &str, with_email: bool) -> SeenProfile {
    SeenProfile {
        profile: profile_id(profile),
        with_email,
        joined_at: Some(at(0)),
    }
}

pub(super) fn ada_and_bo() -> Vec<Profile> {
    vec![
        profile("p1")
            .email("ada@example.com")
            .first_name("Ada")
            .build(),
        profile("p2").email("ada@example.com").updated(-5).build(),
        profile("p3").phone("+12025550103").build(),
        profile("p4").email("cy@example.com").build(),
    ]
}

/// The consumers with the e-mails and of the profiles; all their links, also those of profiles that were not
/// asked for; and what the run has seen of these profiles. Nothing else is returned.
pub async fn what_is_known_of_a_page_is_found_by_email_and_by_profile(harness: &dyn StoreHarness) {
    let org = TestOrganization::new(harness);
    let run = org.queue("list1").await;
    let (plan, _) = org.take(&run, &ada_and_bo()).await;
    let by_email = |text: &str| {
        let has_email = |one: &&Consumer| one.email == Some(email(text));
        plan.created
            .iter()
            .find(has_email)
            .expect("created")
            .clone()
    };
    let links_of = |of: &[&Consumer]| {
        let is_theirs = |consumer| of.iter().any(|one| one.id == consumer);
        let links = plan.links().cloned();
        links
            .filter(|link| is_theirs(link.consumer.clone()))
            .collect::<Vec<_>>()
    };
    let ada = by_email("ada@example.com");
    let bo = plan
        .created
        .iter()
        .find(|one| one.email.is_none())
        .expect("created")
        .clone();
    let mut unit = org.read().await;

    for (emails, profiles, consumers, seen_profiles) in [
        (
            vec![email("ada@example.com")],
            vec![],
            vec![&ada],
            vec![("p1", true), ("p2", true)],
        ),
        (
            vec![],
            vec!["p2"],
            vec![&ada],
            vec![("p1", true), ("p2", true)],
        ),
        (vec![], vec!["p3"], vec![&bo], vec![("p3", false)]),
        (
            vec![email("ada@example.com"), email("unknown@example.com")],
            vec!["p1", "p3", "p9"],
            vec![&ada, &bo],
            vec![("p1", true), ("p2", true), ("p3", false)],
        ),
        (vec![], vec![], vec![], vec![]),
        (
            vec![email("unknown@example.com")],
            vec!["P1"],
            vec![],
            vec![],
        ),
    ] {
        let profiles: Vec<ProfileId> = profiles.into_iter().map(profile_id).collect();
        let known = seen::known(unit.as_mut(), &run.id, &emails, &profiles)
            .await
            .expect("what is known");
        let want = Known {
            links: links_of(&consumers),
            consumers: consumers.into_iter().cloned().collect(),
            seen_profiles: seen_profiles
                .into_iter()
                .map(|(id, with)| seen(id, with))
                .collect(),
            ..Known::default()
        };
        assert_eq!(sorted(known), sorted(want), "{profiles:?}");
    }
}

/// Each run has its own seen profiles, also of profiles that are linked to no consumer.
pub async fn each_run_knows_what_it_has_seen_itself(harness: &dyn StoreHarness) {
    let org = TestOrganization::new(harness);
    let (first, second) = (org.queue("list1").await, org.queue("list2").await);
    org.take(&first, &ada_and_bo()).await;
    org.take(&second, &[profile("p4").email("cy@example.com").build()])
        .await;
    org.take(&second, &[profile("p7").build()]).await;
    let asked = ["p1", "p3", "p4", "p7"].map(profile_id);

    let of_first = org.known(&first.id, &asked).await;
    let of_second = org.known(&second.id, &asked).await;

    let all = [("p1", true), ("p2", true), ("p3", false), ("p4", true)];
    assert_eq!(of_first.seen_profiles, all.map(|(id, with)| seen(id, with)));
    assert_eq!(
        of_second.seen_profiles,
        [seen("p4", true), seen("p7", false)]
    );
    assert_eq!(of_first.consumers, of_second.consumers);
    assert_eq!(of_first.links, of_second.links);
}

/// Of the profiles that a run has seen, those are found that stand in the pages in which the caller looks for them.
pub async fn what_stands_in_no_page_that_is_looked_at_is_not_found(harness: &dyn StoreHarness) {
    let org = TestOrganization::new(harness);
    let run = org.queue("list1").await;
    let (first, second) = (&ada_and_bo()[..2], &ada_and_bo()[2..]);
    org.take(&run, first).await;
    org.take(&run, second).await;
    let asked = ["p1", "p2", "p3"].map(profile_id);
    let mut unit = org.read().await;
    let pages = unit.seen_pages(&run.id, 0, 10).await.expect("pages");
    let numbers: Vec<u64> = pages.iter().map(|page| page.number).collect();
    assert_eq!(numbers, [1, 2]);
    let mut index = SeenIndex::of_run(Some(3));
    let mut known = Vec::new();
    for page in [None, Some(&pages[1]), Some(&pages[0])] {
        if let Some(page) = page {
            index.add_stored(page);
        }
        let found = unit.known(&run.id, &index, &[], &asked).await;
        known.push(sorted(found.expect("what is known")));
    }

    let of_first = [seen("p1", true), seen("p2", true)];
    assert_eq!(known[0].seen_profiles, []);
    assert_eq!(known[1].seen_profiles, [seen("p3", false)]);
    let all = [of_first.as_slice(), &[seen("p3", false)]].concat();
    assert_eq!(known[2].seen_profiles, all);
    assert_eq!(
        known[0].links, known[2].links,
        "it is about seen profiles alone"
    );
}

/// In the order of their numbers, with what is told of each profile.
pub async fn seen_profiles_come_back_page_by_page(harness: &dyn StoreHarness) {
    let org = TestOrganization::new(harness);
    let (run, other) = (org.queue("list1").await, org.queue("list2").await);
    let one = |n: i64| SeenProfile {
        profile: profile_id(&format!("p{n:03}")),
        with_email: n % 2 == 0,
        joined_at: (n % 3 > 0).then(|| at(n)),
    };
    let all: Vec<SeenProfile> = (0..)
        .map(one)
        .take(2 * PROFILES_OF_A_SEEN_PAGE + 5)
        .collect();
    for seen in [&all[..10], &all[10..]] {
        let plan = PagePlan {
            seen_profiles: seen.to_vec(),
            ..PagePlan::default()
        };
        org.write(&run, &plan).await;
    }
    org.take(&other, &ada_and_bo()).await;

    let mut unit = org.read().await;
    for most in 1..=5 {
        let (mut pages, mut after) = (Vec::new(), 0);
        loop {
            let next = unit.seen_pages(&run.id, after, most).await.expect("pages");
            let Some(last) = next.last() else { break };
            assert!(next.len() <= most as usize);
            after = last.number;
            pages.extend(next);
        }
        let numbers: Vec<u64> = pages.iter().map(|page| page.number).collect();
        assert_eq!(numbers, [1, 2, 3]);
        let seen: Vec<SeenProfile> = pages.into_iter().flat_map(|page| page.profiles).collect();
        assert_eq!(seen, all);
    }
}

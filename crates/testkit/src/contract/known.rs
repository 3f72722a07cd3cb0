//! Reading what is known of a page's profiles.

use fanfare_domain::consumer::Consumer;
use fanfare_domain::ids::ProfileId;
use fanfare_domain::page::{Known, SeenFilter, SeenProfile};
use fanfare_domain::profile::Profile;

use super::harness::StoreHarness;
use super::test_organization::{TestOrganization, sorted};
use crate::build::{at, email, profile, profile_id};

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
        let known = unit
            .known(&run.id, &SeenFilter::default(), &emails, &profiles)
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

/// Of the profiles that a run has seen, those are not looked for that the caller's filter rules out.
pub async fn what_a_filter_rules_out_is_not_looked_for(harness: &dyn StoreHarness) {
    let org = TestOrganization::new(harness);
    let run = org.queue("list1").await;
    org.take(&run, &ada_and_bo()).await;
    let asked = ["p1", "p2", "p3"].map(profile_id);
    let mut filter = SeenFilter::of_new_run(Some(3));
    let mut known = Vec::new();
    for told in [None, Some("p2")] {
        if let Some(profile) = told {
            filter.insert(profile);
        }
        let mut unit = org.begin().await;
        known.push(
            unit.known(&run.id, &filter, &[], &asked)
                .await
                .expect("what is known"),
        );
    }

    assert_eq!(known[0].seen_profiles, []);
    assert_eq!(known[1].seen_profiles, [seen("p2", true)]);
    assert_eq!(
        known[0].links, known[1].links,
        "it is about seen profiles alone"
    );
}

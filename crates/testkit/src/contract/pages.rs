//! Writing a page.

use fanfare_domain::consumer::Consumer;
use fanfare_domain::ids::ProfileId;
use fanfare_domain::issue::IssueCode;
use fanfare_domain::page::{ConsumerWrite, PagePlan};
use fanfare_domain::ports::Lookup;

use super::assert_refused;
use super::fixture::snapshot;
use super::harness::StoreHarness;
use super::known::{ada_and_bo, seen};
use super::test_organization::{ALL, TestOrganization, write};
use crate::build::{at, consumer, issue, link, profile, profile_id, stamp};

fn overwritten(consumer: Consumer) -> ConsumerWrite {
    ConsumerWrite {
        consumer,
        visible: true,
    }
}

/// A page that is read again plans no write and adds no member. If it is written again all the same, its memberships and
/// issues stay as they are.
pub async fn a_page_that_is_read_again_writes_nothing(harness: &dyn StoreHarness) {
    let org = TestOrganization::new(harness);
    let run = org.queue("list1").await;
    let mut page = ada_and_bo();
    page.push(profile("p5").email("broken").build());
    let (plan, added) = org.take_at(100, &run, &page).await;
    assert_eq!(added, 3);
    let profiles: Vec<ProfileId> = page.iter().map(|one| one.id.clone()).collect();
    let before = snapshot(&org, &profiles).await;

    let (again, added) = org.take_at(200, &run, &page).await;

    assert_eq!(added, 0);
    assert!(again.created.is_empty() && again.updated.is_empty() && again.links().next().is_none());
    assert_eq!(snapshot(&org, &profiles).await, before);

    let repeat = PagePlan {
        members: plan.members,
        issues: again.issues,
        ..PagePlan::default()
    };
    assert_eq!(org.write(&run, &repeat).await, 0);
    assert_eq!(snapshot(&org, &profiles).await, before);
}

/// An empty page is no error.
pub async fn an_empty_page_writes_nothing(harness: &dyn StoreHarness) {
    let org = TestOrganization::new(harness);
    let run = org.queue("list1").await;
    let before = snapshot(&org, &[]).await;

    assert_eq!(org.take(&run, &[]).await.1, 0);

    assert_eq!(snapshot(&org, &[]).await, before);
}

/// In one page each, two consumers swap e-mails, three rotate them, and one e-mail goes to a new consumer.
pub async fn emails_move_between_consumers_within_a_page(harness: &dyn StoreHarness) {
    let org = TestOrganization::new(harness);
    let run = org.queue("list1").await;
    let one = |id: &str, address: &str| consumer(id).email(address).build();
    let (a, b, c) = ("a@example.com", "b@example.com", "c@example.com");
    let start = PagePlan {
        created: vec![one("cons_1", a), one("cons_2", b), one("cons_3", c)],
        ..PagePlan::default()
    };
    org.write(&run, &start).await;

    let swap = vec![one("cons_1", b), one("cons_2", a)];
    let rotate = vec![one("cons_1", c), one("cons_2", b), one("cons_3", a)];
    let give_away = vec![one("cons_1", "new@example.com"), consumer("cons_2").build()];
    let taken = vec![one("cons_4", c), one("cons_5", b)];
    for (updated, created) in [(swap, vec![]), (rotate, vec![]), (give_away, taken)] {
        let want: Vec<Consumer> = updated.iter().chain(&created).cloned().collect();
        let plan = PagePlan {
            updated: updated.into_iter().map(overwritten).collect(),
            created,
            ..PagePlan::default()
        };
        org.write(&run, &plan).await;

        let mut unit = org.read().await;
        for consumer in want {
            let stored = unit.consumer(&consumer.id).await.expect("an answer");
            assert_eq!(stored.expect("the consumer").consumer, consumer);
            let Some(address) = consumer.email else {
                continue;
            };
            let lookup = Lookup::Email(address.as_str().to_owned());
            let found = unit.lookup_consumers(&lookup).await.expect("consumers");
            let ids: Vec<_> = found.into_iter().map(|record| record.consumer.id).collect();
            assert_eq!(ids, [consumer.id]);
        }
    }
}

/// A profile has one link. When it moves, it takes its new values and keeps its own id.
pub async fn a_link_moves_to_another_consumer(harness: &dyn StoreHarness) {
    let org = TestOrganization::new(harness);
    let run = org.queue("list1").await;
    let stay = [
        profile("p1").email("a@example.com").updated(1).build(),
        profile("p2").email("b@example.com").updated(2).build(),
    ];
    let (before, _) = org.take_at(100, &run, &stay).await;
    let (left, taken) = (&before.created[0].id, &before.created[1].id);

    let (plan, added) = org
        .take_at(
            200,
            &run,
            &[profile("p1").email("b@example.com").updated(9).build()],
        )
        .await;

    assert_eq!((plan.changed_links.len(), added), (1, 0));
    let known = org.known(&run.id, &["p1", "p2"].map(profile_id)).await;
    let link = known
        .links
        .iter()
        .find(|link| link.profile == profile_id("p1"));
    let link = link.expect("the link");
    assert_eq!(
        (&link.consumer, &link.source),
        (taken, &before.new_links[0].source)
    );
    assert_eq!((link.updated, link.changed_at), (Some(at(9)), at(200)));
    let mut unit = org.read().await;
    let left = unit
        .consumer(left)
        .await
        .expect("an answer")
        .expect("the one left behind");
    assert_eq!(
        (left.consumer.primary, left.primary_changed_at),
        (None, None)
    );
    let members = unit
        .members(&run.audience, None, &ALL)
        .await
        .expect("members");
    assert_eq!(
        members.items.len(),
        2,
        "the consumer that was left is a member until the end of the pass"
    );
}

/// Every value comes back with its stamp: one with a time, one without a time, or none.
pub async fn stamps_come_back_as_they_were(harness: &dyn StoreHarness) {
    let org = TestOrganization::new(harness);
    let run = org.queue("list1").await;
    let (dated, undated) = (stamp("p1", Some(7)), stamp("p2", None));
    let stamped = consumer("cons_1")
        .phone("+12025550101", Some(dated.clone()))
        .full_name("Ada", Some(undated.clone()))
        .primary(dated.clone())
        .build();
    let bare = consumer("cons_2")
        .phone("+12025550102", None)
        .full_name("Bo", None);
    let unlinked = consumer("cons_3")
        .full_name("Cy", Some(dated))
        .primary(undated)
        .build();
    let plan = PagePlan {
        created: vec![stamped, bare.build(), unlinked],
        new_links: vec![link("p1", "cons_1", Some(7)), link("p2", "cons_1", None)],
        ..PagePlan::default()
    };
    org.write(&run, &plan).await;

    for _ in 0..2 {
        let mut unit = org.read().await;
        for consumer in &plan.created {
            let stored = unit.consumer(&consumer.id).await.expect("an answer");
            assert_eq!(stored.expect("the consumer").consumer, *consumer);
        }
        drop(unit);
        let known = org.known(&run.id, &["p1", "p2"].map(profile_id)).await;
        assert_eq!(known.links, plan.new_links);
        let again = PagePlan {
            updated: plan.created.iter().cloned().map(overwritten).collect(),
            ..PagePlan::default()
        };
        org.write(&run, &again).await;
    }
}

/// Two consumers cannot have one e-mail. A consumer to overwrite has to exist, one to insert must not. A link and
/// a membership need an existing consumer.
pub async fn a_page_that_breaks_a_rule_is_refused(harness: &dyn StoreHarness) {
    let org = TestOrganization::new(harness);
    let run = org.queue("list1").await;
    let known = consumer("cons_1").email("a@example.com").build();
    let other = consumer("cons_3").email("b@example.com").build();
    let start = PagePlan {
        created: vec![known.clone(), other],
        new_links: vec![link("p2", "cons_1", None)],
        ..PagePlan::default()
    };
    org.write(&run, &start).await;
    let same_email = consumer("cons_2").email("a@example.com").build();
    let with_the_same = consumer("cons_3").email("a@example.com").build();
    let unknown = consumer("cons_none").build();
    let faulty = [
        (
            "an e-mail of two consumers",
            PagePlan {
                created: vec![same_email],
                ..PagePlan::default()
            },
        ),
        (
            "overwriting a consumer with another's e-mail",
            PagePlan {
                updated: vec![overwritten(with_the_same)],
                ..PagePlan::default()
            },
        ),
        (
            "overwriting an unknown consumer",
            PagePlan {
                updated: vec![overwritten(unknown.clone())],
                ..PagePlan::default()
            },
        ),
        (
            "inserting a known consumer",
            PagePlan {
                created: vec![known],
                ..PagePlan::default()
            },
        ),
        (
            "inserting the link of a linked profile",
            PagePlan {
                new_links: vec![link("p2", "cons_1", None)],
                ..PagePlan::default()
            },
        ),
        (
            "a link to an unknown consumer",
            PagePlan {
                new_links: vec![link("p1", "cons_none", None)],
                ..PagePlan::default()
            },
        ),
        (
            "a membership of an unknown consumer",
            PagePlan {
                members: vec![unknown.id],
                ..PagePlan::default()
            },
        ),
    ];
    for (what, plan) in faulty {
        let mut unit = org.begin().await;
        assert_refused(unit.write_page(write(&run, &plan, 9, at(0))).await, what);
    }
    let lost = org.run(&TestOrganization::source("list1"));
    let plan = PagePlan {
        issues: vec![issue("p1", IssueCode::MissingContact, None)],
        seen_profiles: vec![seen("p1", true)],
        ..PagePlan::default()
    };
    let mut unit = org.begin().await;
    assert_refused(
        unit.write_page(write(lost.run(), &plan, 1, at(0))).await,
        "a page of an unknown run",
    );
}

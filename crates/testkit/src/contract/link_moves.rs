//! Counting the pages that move links.

use std::collections::BTreeSet;
use std::time::Duration;

use fanfare_domain::ids::{AudienceId, ConsumerId, ProfileId};
use fanfare_domain::page::PagePlan;
use fanfare_domain::pass::LinkMoves;
use fanfare_domain::run::SyncRun;
use fanfare_domain::time::Timestamp;
use fanfare_domain::watermarks::Watermarks;

use super::harness::StoreHarness;
use super::test_organization::{ALL, TestOrganization};
use crate::build::{at, consumer, consumer_id, link, link_move, profile, profile_id};

/// The pages of an organization that move links are counted, whichever run they belong to. Other pages are not
/// counted, nor are pages of another organization.
pub async fn link_moves_are_counted_for_the_organization(harness: &dyn StoreHarness) {
    let (org, other) = (
        TestOrganization::new(harness),
        TestOrganization::of(harness, "org_other"),
    );
    let (first, second) = (org.queue("list1").await, org.queue("list2").await);
    let page = [
        profile("p1").email("a@example.com").build(),
        profile("p2").email("b@example.com").build(),
    ];
    org.take(&first, &page).await;
    org.take(&second, &page).await;
    assert_eq!(link_moves(&org).await, LinkMoves(0));

    // One profile takes the other's e-mail.
    let mover = profile("p1").email("b@example.com").updated(9).build();
    let (plan, _) = org.take(&first, &[mover]).await;

    assert_eq!(plan.link_moves.len(), 1);
    assert_eq!(link_moves(&org).await, LinkMoves(1));
    let other_page = PagePlan {
        link_moves: vec![link_move("cons_a", "cons_b")],
        ..PagePlan::default()
    };
    org.write(&second, &other_page).await;
    assert_eq!(link_moves(&org).await, LinkMoves(2));
    assert_eq!(link_moves(&other).await, LinkMoves(0));
}

/// Those of members of the audiences that are asked for, and no others.
pub async fn profiles_of_members_are_told_from_others(harness: &dyn StoreHarness) {
    let org = TestOrganization::new(harness);
    let (first, second) = (org.queue("list1").await, org.queue("list2").await);
    org.take(&first, &[profile("p1").email("a@example.com").build()])
        .await;
    let page = [
        profile("p2").email("b@example.com").build(),
        profile("p3").email("no address").build(),
    ];
    org.take(&second, &page).await;
    // Linked, and a member of nothing.
    let plan = PagePlan {
        new_links: vec![link("p4", "cons_4", None)],
        created: vec![consumer("cons_4").build()],
        ..PagePlan::default()
    };
    org.write(&second, &plan).await;

    let all = ["p1", "p2", "p3", "p4", "p5"].map(profile_id);
    let mut unit = org.read().await;
    for (audiences, want) in [
        (vec![&first], vec!["p1"]),
        (vec![&second], vec!["p2"]),
        (vec![&first, &second], vec!["p1", "p2"]),
        (vec![], vec![]),
    ] {
        let audiences: Vec<AudienceId> = audiences.iter().map(|run| run.audience.clone()).collect();
        let found = unit.members_profiles(&audiences, &all).await;
        let want: BTreeSet<ProfileId> = want.into_iter().map(profile_id).collect();
        assert_eq!(found.expect("an answer"), want, "{audiences:?}");
    }
}

/// Only where the one that is left behind is a member before any of them is followed, and of the audiences named.
pub async fn who_a_link_leads_to_is_a_member_where_who_it_led_to_is(harness: &dyn StoreHarness) {
    let org = TestOrganization::new(harness);
    let runs = [
        org.queue("list1").await,
        org.queue("list2").await,
        org.queue("list3").await,
    ];
    let ids = ["cons_1", "cons_2", "cons_3"].map(consumer_id);
    let new = PagePlan {
        created: ids.iter().map(|id| consumer(id.as_str()).build()).collect(),
        ..PagePlan::default()
    };
    org.write(&runs[0], &new).await;
    for (run, member) in [(0, 0), (1, 1), (2, 0)] {
        let plan = PagePlan {
            members: vec![ids[member].clone()],
            ..PagePlan::default()
        };
        org.write(&runs[run], &plan).await;
    }
    let audiences: Vec<AudienceId> = runs.iter().map(|run| run.audience.clone()).collect();
    let moves = [link_move("cons_1", "cons_2"), link_move("cons_2", "cons_3")];
    let mut unit = org.begin().await;
    let follow = unit.follow_link_moves(&runs[0].id, &audiences[..2], &moves);
    follow.await.expect("followed");
    let none = unit.follow_link_moves(&runs[0].id, &audiences, &[]);
    none.await.expect("nothing to follow");
    unit.commit().await.expect("a commit");

    let mut unit = org.read().await;
    for (audience, want) in [(0, vec![0, 1]), (1, vec![1, 2]), (2, vec![0])] {
        let members = unit.members(&audiences[audience], None, &ALL).await;
        let members = members.expect("members").items.into_iter();
        let members: Vec<ConsumerId> = members.map(|one| one.consumer.id).collect();
        let want: Vec<ConsumerId> = want
            .into_iter()
            .map(|one: usize| ids[one].clone())
            .collect();
        assert_eq!(members, want, "of audience {audience}");
    }
}

/// Of those of which it is a member, and whatever an active run stores of the passes before.
pub async fn complete_passes_are_called_for_in_a_consumers_audiences(harness: &dyn StoreHarness) {
    let org = TestOrganization::new(harness);
    let lists = ["list1", "list2", "list3"];
    let mut runs = Vec::new();
    for list in lists {
        runs.push(org.queue(list).await);
    }
    put_watermarks(&org, &lists, at(1)).await;
    let page = [profile("p1").email("a@example.com").build()];
    let (plan, _) = org.take(&runs[0], &page).await;
    org.take(&runs[2], &page).await;
    let consumer = plan.created[0].id.clone();
    let audiences: Vec<AudienceId> = runs.iter().map(|run| run.audience.clone()).collect();

    let mut unit = org.begin().await;
    let called_for_at = unit.writing_since().expect("a unit for writing");
    unit.call_for_full_passes(&audiences[..2], &[consumer, consumer_id("cons_9")])
        .await
        .expect("called for");
    unit.commit().await.expect("a commit");

    let has_watermarks = async |run: &SyncRun| {
        let mut unit = org.read().await;
        let source = unit.source(&run.source).await.expect("an answer");
        source.expect("the source").watermarks.is_some()
    };
    let second = Duration::from_secs(1);
    for (began_at, want) in [
        (None, false),
        (Some(at(1)), false),
        (Some(called_for_at), false),
        (Some(called_for_at.plus(second)), true),
    ] {
        if let Some(began_at) = began_at {
            put_watermarks(&org, &lists, began_at).await;
        }
        assert_eq!(has_watermarks(&runs[0]).await, want, "{began_at:?}");
        assert!(has_watermarks(&runs[1]).await, "somebody else's list");
        assert!(has_watermarks(&runs[2]).await, "not asked for");
    }
}

/// Stores these lists' sources as after a complete pass that began then.
async fn put_watermarks(org: &TestOrganization<'_>, lists: &[&str], began_at: Timestamp) {
    let mut unit = org.begin().await;
    for list in lists {
        let mut source = TestOrganization::source(list);
        source.watermarks = Some(Watermarks::after_full_pass(began_at, 2, None));
        unit.put_source(&source).await.expect("a source");
    }
    unit.commit().await.expect("a commit");
}

async fn link_moves(org: &TestOrganization<'_>) -> LinkMoves {
    let mut unit = org.read().await;
    unit.link_moves().await.expect("an answer")
}

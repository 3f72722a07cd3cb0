//! Counting the pages that move links.

use fanfare_domain::page::PagePlan;
use fanfare_domain::pass::LinkMoves;

use super::harness::StoreHarness;
use super::test_organization::TestOrganization;
use crate::build::profile;

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

    assert!(plan.moves_links);
    assert_eq!(link_moves(&org).await, LinkMoves(1));
    let other_page = PagePlan {
        moves_links: true,
        ..PagePlan::default()
    };
    org.write(&second, &other_page).await;
    assert_eq!(link_moves(&org).await, LinkMoves(2));
    assert_eq!(link_moves(&other).await, LinkMoves(0));
}

async fn link_moves(org: &TestOrganization<'_>) -> LinkMoves {
    let mut unit = org.read().await;
    unit.link_moves().await.expect("an answer")
}

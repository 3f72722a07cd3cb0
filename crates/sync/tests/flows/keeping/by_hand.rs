//! Audiences that are filled by hand.

use std::collections::BTreeSet;

use fanfare_domain::audience::{AudienceType, MAX_MEMBERS_AT_ONCE};
use fanfare_domain::door::Asked;
use fanfare_domain::history::ChangeKind;
use fanfare_domain::ids::ConsumerId;
use fanfare_sync::{AudienceUpdate, Error, Patch};

use super::{ALL, Shop};

#[tokio::test(start_paused = true)]
async fn members_are_added_and_removed_once_and_every_route_knows_them() {
    let shop = Shop::new(4).await;
    let (integration, organization, audience) = (
        &shop.org.integration,
        &shop.org.organization,
        &shop.audience,
    );

    assert_eq!(shop.add([0, 1, 2]).await, 3);
    assert_eq!(shop.add([1, 2, 3]).await, 1, "the others are there");
    shop.wait(std::time::Duration::from_secs(1)).await;
    assert_eq!(shop.remove([0, 3]).await, 2);
    assert_eq!(shop.remove([0, 3]).await, 0);

    assert_eq!(
        integration
            .member_count(organization, audience)
            .await
            .unwrap(),
        2
    );
    let members = integration
        .members(organization, audience, None, &ALL)
        .await;
    let members: BTreeSet<ConsumerId> = members
        .unwrap()
        .items
        .into_iter()
        .map(|it| it.consumer.id)
        .collect();
    assert_eq!(members, shop.ids([1, 2]));
    let asked = Asked::Consumers(vec![
        shop.people[1].0.to_string(),
        shop.people[0].0.to_string(),
    ]);
    let check = integration
        .check(organization, audience, &asked)
        .await
        .unwrap();
    assert_eq!(check.members, [Some(shop.people[1].0.clone()), None]);
    assert!(!check.is_stale && check.as_of.is_none());
    let changes = integration
        .changes(organization, audience, None, None, &ALL)
        .await
        .unwrap();
    let left = changes
        .items
        .iter()
        .filter(|it| it.kind == ChangeKind::Left);
    assert_eq!((changes.items.len(), left.count()), (6, 2));
    assert!(changes.items.iter().all(|it| it.run.is_none()));
    let status = integration
        .audience_status(organization, audience)
        .await
        .unwrap();
    assert_eq!(status.record.status(), None);
    assert!(!status.is_in_progress() && !status.is_stale());
    assert_eq!(
        status.record.audience.audience_type(),
        AudienceType::StaticList
    );
    let archived = integration
        .archive_audience(organization, audience, "key_1")
        .await;
    assert!(archived.unwrap().unwrap().audience.archived);
    let refused = integration
        .add_members(organization, audience, &shop.ids([1]))
        .await;
    assert!(matches!(refused, Err(Error::Archived)), "{refused:?}");
}

#[tokio::test(start_paused = true)]
async fn unknown_consumers_are_named_and_nobody_is_added_then() {
    let shop = Shop::new(1).await;
    let (integration, organization, audience) = (
        &shop.org.integration,
        &shop.org.organization,
        &shop.audience,
    );
    let mut ids = shop.ids([0]);
    ids.extend(["cons_x", "cons_y"].map(|id| ConsumerId::parse(id).unwrap()));

    let Err(Error::Invalid(named)) = integration.add_members(organization, audience, &ids).await
    else {
        panic!("unknown consumers were added");
    };
    assert_eq!(named.len(), 2);
    assert!(named[0].message.contains("cons_x") && named[1].message.contains("cons_y"));
    assert_eq!(
        integration
            .member_count(organization, audience)
            .await
            .unwrap(),
        0
    );
    let removed = integration
        .remove_members(organization, audience, &ids)
        .await;
    assert_eq!(removed.unwrap().changed, 0, "they are no members");
    let none = integration
        .add_members(organization, audience, &BTreeSet::new())
        .await;
    assert!(matches!(none, Err(Error::Invalid(_))));
    let too_many =
        (0..=MAX_MEMBERS_AT_ONCE).map(|n| ConsumerId::parse(format!("cons_{n}")).unwrap());
    let too_many = integration
        .add_members(organization, audience, &too_many.collect())
        .await;
    assert!(matches!(too_many, Err(Error::Invalid(_))));
}

#[tokio::test(start_paused = true)]
async fn what_klaviyo_fills_is_not_changed_by_hand_and_the_other_way_round() {
    let shop = Shop::new(1).await;
    let (integration, organization) = (&shop.org.integration, &shop.org.organization);
    let all = integration
        .audiences(organization, &ALL)
        .await
        .unwrap()
        .items;
    let synced = all.iter().find(|record| record.source.is_some()).unwrap();
    let refused = integration
        .add_members(organization, &synced.audience.id, &shop.ids([0]))
        .await;
    assert!(matches!(refused, Err(Error::Synced)), "{refused:?}");

    let refused = integration
        .sync_audience(organization, &shop.audience, false)
        .await;
    assert!(matches!(refused, Err(Error::NotSynced)), "{refused:?}");
    assert_eq!(
        integration.sync_all_audiences(organization).await.unwrap(),
        1
    );
    let update = AudienceUpdate {
        refresh_interval_seconds: Patch::Set(Some(900)),
        ..AudienceUpdate::default()
    };
    let refused = integration
        .update_audience(organization, &shop.audience, update)
        .await;
    assert!(matches!(refused, Err(Error::Invalid(_))), "{refused:?}");
    let update = AudienceUpdate {
        audience_type: Some(AudienceType::SyncedList),
        ..AudienceUpdate::default()
    };
    let refused = integration
        .update_audience(organization, &shop.audience, update)
        .await;
    assert!(matches!(refused, Err(Error::Invalid(_))), "{refused:?}");
    let update = AudienceUpdate {
        name: Some("Losers".to_owned()),
        refresh_interval_seconds: Patch::Set(None),
        audience_type: Some(AudienceType::StaticList),
        ..AudienceUpdate::default()
    };
    let changed = integration
        .update_audience(organization, &shop.audience, update)
        .await;
    assert_eq!(changed.unwrap().audience.name, "Losers");
}

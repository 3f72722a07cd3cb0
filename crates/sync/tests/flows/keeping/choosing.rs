//! Which list an audience is kept in.

use fanfare_domain::collection::{CollectionKind, CollectionRef};
use fanfare_domain::push::MustConfirm;
use fanfare_sync::{Error, ListChoice, NewAudience};

use super::Shop;

#[tokio::test(start_paused = true)]
async fn a_list_is_chosen_made_and_given_up() {
    let shop = Shop::new(2).await;
    let kept = shop.choose("L2").await.unwrap().unwrap();
    assert_eq!(kept.name.as_deref(), Some("Winners"));
    assert_eq!(kept.waits_for, Some(MustConfirm::First));
    assert!(!kept.is_followed());
    assert_eq!(
        shop.choose("L2").await.unwrap().unwrap(),
        kept,
        "it is the same"
    );

    let made = shop
        .choose_any(ListChoice::New("Launch".to_owned()))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        (made.list.as_str(), made.name.as_deref()),
        ("New1", Some("Launch"))
    );
    assert_eq!(shop.kept().await.list, made.list);
    assert_eq!(shop.choose_any(ListChoice::None).await.unwrap(), None);
    let refused = shop.start(None).await;
    assert!(matches!(refused, Err(Error::NoKeptList)), "{refused:?}");
    assert_eq!(
        shop.writes.list_calls(),
        [],
        "nothing was written to a list"
    );
}

#[tokio::test(start_paused = true)]
async fn a_list_that_is_gone_or_may_not_be_written_is_refused() {
    let shop = Shop::new(1).await;
    let gone = shop.choose("Gone").await;
    assert!(matches!(gone, Err(Error::NotFound(_))), "{gone:?}");
    shop.writes.set_read_only(true);
    for choice in [
        ListChoice::Existing(super::list_id("L2")),
        ListChoice::New("Launch".to_owned()),
    ] {
        match shop.choose_any(choice).await {
            Err(Error::ScopeMissing(scopes)) => assert_eq!(scopes, ["lists:write"]),
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_list_keeps_one_audience_and_never_feeds_it() {
    let shop = Shop::new(1).await;
    let (integration, organization) = (&shop.org.integration, &shop.org.organization);
    shop.choose("L2").await.unwrap();
    let new = NewAudience {
        name: "Others".to_owned(),
        ..NewAudience::default()
    };
    let other = integration
        .create_audience(organization, new)
        .await
        .unwrap()
        .audience
        .id;
    let choice = ListChoice::Existing(super::list_id("L2"));
    let taken = integration
        .choose_list(organization, &other, choice, "key_1")
        .await;
    match taken {
        Err(Error::ListTaken(by)) => assert_eq!(by, shop.audience),
        other => panic!("{other:?}"),
    }

    let run = shop.org.imported(&super::list_ref("L2")).await;
    let synced = shop.org.run(&run).await.audience;
    // L2 feeds this audience, and is fed by the first.
    let choice = ListChoice::Existing(super::list_id("L2"));
    let circular = integration
        .choose_list(organization, &synced, choice, "key_1")
        .await;
    assert!(matches!(circular, Err(Error::ListTaken(_))), "{circular:?}");
    shop.choose_any(ListChoice::None).await.unwrap();
    let choice = ListChoice::Existing(super::list_id("L2"));
    match integration
        .choose_list(organization, &synced, choice, "key_1")
        .await
    {
        Err(Error::CircularSync(chain)) => {
            assert_eq!(chain[0], "Klaviyo list L2");
            assert!(chain[1].starts_with("audience Winners"), "{chain:?}");
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test(start_paused = true)]
async fn a_list_that_feeds_the_audience_through_segments_is_refused_with_the_chain() {
    let shop = Shop::new(1).await;
    let segment = |id: &str| CollectionRef {
        kind: CollectionKind::Segment,
        id: super::list_id(id),
    };
    shop.klaviyo.change(|contents| {
        let empty = (Some("Buyers".to_owned()), Vec::new());
        contents.collections.insert(segment("S1"), empty);
    });
    let run = shop.org.imported(&segment("S1")).await;
    let synced = shop.org.run(&run).await.audience;
    let (integration, organization) = (&shop.org.integration, &shop.org.organization);
    let choose = async || {
        let choice = ListChoice::Existing(super::list_id("L2"));
        integration
            .choose_list(organization, &synced, choice, "key_1")
            .await
    };
    for groups in [["L2", "L7"], ["S2", "L7"]] {
        shop.writes.define("S1", &groups);
        shop.writes.define("S2", &["L2"]);
        match choose().await {
            Err(Error::CircularSync(chain)) => {
                assert_eq!(chain[0], "Klaviyo list L2");
                assert_eq!(chain[chain.len() - 2], "Klaviyo segment S1");
                assert_eq!(chain.len(), if groups[0] == "L2" { 3 } else { 4 });
            }
            other => panic!("{other:?}"),
        }
    }
    // A circle among segments alone is Klaviyo's affair.
    shop.writes.define("S2", &["S1"]);
    assert!(choose().await.unwrap().is_some());
}

//! The fake Klaviyo answers as the port's documentation says.

use fanfare_domain::connection::{ApiKey, Credential};
use fanfare_domain::ids::{AccountId, Cursor};
use fanfare_domain::ports::{AnyRoom, Capability, Klaviyo, KlaviyoError, MemberPage, MembersFrom};
use fanfare_domain::quota::RateLimits;
use fanfare_domain::source::CollectionKind;
use fanfare_testkit::build::{at, list, profile, segment};
use fanfare_testkit::fake_klaviyo::{Call, FakeKlaviyo};
use secrecy::SecretString;

fn key() -> Credential {
    ApiKey::parse(&SecretString::from("pk_test0123456789"))
        .unwrap()
        .into()
}

/// Five members who joined a second apart, two a page.
fn with_five() -> FakeKlaviyo {
    let one = |n| profile(&format!("p{n}")).joined(n);
    FakeKlaviyo::default()
        .page_size(2)
        .with(list("L1"), "VIP", (0..5).map(one))
}

async fn page(klaviyo: &FakeKlaviyo, from: &MembersFrom) -> MemberPage {
    let answer = klaviyo.members(&key(), &list("L1"), from, &AnyRoom).await;
    answer.unwrap().value
}

/// The ids of all members from there on, in order.
async fn scan(klaviyo: &FakeKlaviyo, mut from: MembersFrom) -> Vec<String> {
    let mut ids = Vec::new();
    loop {
        let page = page(klaviyo, &from).await;
        ids.extend(page.profiles.iter().map(|one| one.id.to_string()));
        from.cursor = page.next;
        if from.cursor.is_none() {
            return ids;
        }
    }
}

#[tokio::test]
async fn members_come_by_join_time_in_pages() {
    let klaviyo = with_five();

    assert_eq!(
        scan(&klaviyo, MembersFrom::default()).await,
        ["p0", "p1", "p2", "p3", "p4"]
    );
    assert_eq!(klaviyo.member_calls().len(), 3);
}

#[tokio::test]
async fn a_range_begins_with_its_whole_second() {
    let klaviyo = with_five();
    let from = MembersFrom {
        joined_from: Some(at(3).plus(std::time::Duration::from_millis(900))),
        ..MembersFrom::default()
    };

    assert_eq!(scan(&klaviyo, from).await, ["p3", "p4"]);
}

#[tokio::test]
async fn a_member_that_leaves_moves_no_other_and_one_that_joins_comes_last() {
    let klaviyo = with_five();
    klaviyo.change_after_pages(1, |contents| {
        let (_, members) = contents.collections.get_mut(&list("L1")).unwrap();
        members.remove(0);
        members.push(profile("new").joined(9).build());
    });

    let seen = scan(&klaviyo, MembersFrom::default()).await;

    assert_eq!(seen, ["p0", "p1", "p2", "p3", "p4", "new"]);
}

#[tokio::test]
async fn each_change_is_made_after_its_number_of_pages_in_whatever_order_a_test_asks() {
    let klaviyo = with_five();
    let rename = |name: &'static str| {
        move |contents: &mut fanfare_testkit::fake_klaviyo::Contents| {
            contents.collections.get_mut(&list("L1")).unwrap().0 = Some(name.to_owned());
        }
    };
    klaviyo.change_after_pages(2, rename("second"));
    klaviyo.change_after_pages(1, rename("first"));

    let mut names = Vec::new();
    for _ in 0..3 {
        page(&klaviyo, &MembersFrom::default()).await;
        let answer = klaviyo
            .collection(&key(), &list("L1"), false)
            .await
            .unwrap();
        names.push(answer.value.name.unwrap());
    }

    assert_eq!(names, ["VIP", "first", "second"]);
}

#[tokio::test]
async fn errors_come_in_the_order_in_which_a_test_asks_for_them() {
    let klaviyo = with_five();
    klaviyo.fail_members([None, Some(KlaviyoError::NotPermitted)]);
    klaviyo.fail_others([Some(KlaviyoError::NotFound)]);
    let (key, list, from) = (key(), list("L1"), MembersFrom::default());

    assert!(klaviyo.members(&key, &list, &from, &AnyRoom).await.is_ok());
    let second = klaviyo.members(&key, &list, &from, &AnyRoom).await;
    assert_eq!(second.unwrap_err(), KlaviyoError::NotPermitted);
    assert!(klaviyo.members(&key, &list, &from, &AnyRoom).await.is_ok());
    let other = klaviyo.collection(&key, &list, true).await;
    assert_eq!(other.unwrap_err(), KlaviyoError::NotFound);
    let again = klaviyo.collection(&key, &list, true).await.unwrap();
    assert_eq!(again.value.profile_count, Some(5));
}

#[tokio::test]
async fn unknown_lists_cursors_scopes_and_keys_are_refused() {
    let klaviyo = with_five();
    let (key, from) = (key(), MembersFrom::default());
    let unknown = klaviyo.members(&key, &list("L2"), &from, &AnyRoom).await;
    assert_eq!(unknown.unwrap_err(), KlaviyoError::NotFound);
    let as_segment = klaviyo.collection(&key, &segment("L1"), false).await;
    assert_eq!(as_segment.unwrap_err(), KlaviyoError::NotFound);
    let forged = MembersFrom {
        cursor: Some(Cursor::parse("elsewhere").unwrap()),
        ..from.clone()
    };
    let rejected = klaviyo.members(&key, &list("L1"), &forged, &AnyRoom).await;
    assert_eq!(rejected.unwrap_err(), KlaviyoError::CursorRejected);

    klaviyo.change(|contents| contents.missing_scopes = vec!["profiles:read".to_owned()]);
    let lacking = klaviyo.members(&key, &list("L1"), &from, &AnyRoom).await;
    let scopes = vec!["profiles:read".to_owned()];
    assert_eq!(lacking.unwrap_err(), KlaviyoError::ScopeMissing(scopes));
    assert!(
        klaviyo
            .probe(&key, Capability::ReadCollections(CollectionKind::List))
            .await
            .is_ok()
    );
    assert!(klaviyo.probe(&key, Capability::ReadProfiles).await.is_err());

    klaviyo.change(|contents| contents.keys = vec!["pk_another".to_owned()]);
    let refused = klaviyo
        .probe(&key, Capability::ReadCollections(CollectionKind::List))
        .await;
    assert_eq!(refused.unwrap_err(), KlaviyoError::KeyRejected);
}

#[tokio::test]
async fn lists_and_segments_come_ten_a_page_with_the_quota_announced() {
    let mut klaviyo = FakeKlaviyo::default();
    for n in 10..22 {
        klaviyo = klaviyo.with(list(&format!("L{n}")), "", [profile("p1")]);
        klaviyo = klaviyo.with(segment(&format!("S{n}")), "", [profile("p1")]);
    }
    let rate_limits = RateLimits {
        burst: 1,
        steady: 2,
    };
    klaviyo.announce(rate_limits);
    let kind = CollectionKind::Segment;

    let first = klaviyo.collections(&key(), kind, None).await.unwrap();
    let next = first.value.next.as_ref();
    let second = klaviyo.collections(&key(), kind, next).await.unwrap();

    assert_eq!(first.rate_limits, Some(rate_limits));
    let items = first.value.items.iter().chain(&second.value.items);
    let ids: Vec<String> = items.map(|one| one.id.to_string()).collect();
    assert_eq!(ids, (10..22).map(|n| format!("S{n}")).collect::<Vec<_>>());
    assert_eq!(second.value.next, None);
    assert_eq!(
        klaviyo.calls(),
        [Call::Collections(kind), Call::Collections(kind)]
    );
}

#[tokio::test]
async fn an_account_is_told_to_a_key_that_may_read_it() {
    let klaviyo = FakeKlaviyo::default();
    assert!(matches!(
        klaviyo.account(&key()).await,
        Err(KlaviyoError::ScopeMissing(_))
    ));

    let id = AccountId::parse("AbC123").unwrap();
    klaviyo.change(|contents| contents.account = Some(id.clone()));

    assert_eq!(klaviyo.account(&key()).await.unwrap().value.id, id);
}

//! Erased people.

use fanfare_domain::connection::SealedKey;
use fanfare_domain::erasure::ErasedHash;
use fanfare_domain::ids::{ConsumerId, ProfileId};
use fanfare_domain::ports::{ConsumerFilter, Lookup, UnitOfWork};

use super::harness::StoreHarness;
use super::test_organization::{ALL, TestOrganization};
use crate::build::{at, profile};

fn sealed(byte: u8) -> SealedKey {
    SealedKey {
        form: 1,
        bytes: vec![byte; 70],
    }
}

fn hashes(names: &[&str]) -> Vec<ErasedHash> {
    let hash = |name: &&str| ErasedHash((*name).to_owned());
    names.iter().map(hash).collect()
}

async fn profiles_of(unit: &mut dyn UnitOfWork, consumer: &ConsumerId) -> Vec<ProfileId> {
    let links = unit.links_of(consumer).await.expect("links");
    links.into_iter().map(|link| link.profile).collect()
}

/// The first key stays until it is sealed anew.
pub async fn a_key_of_hashes_is_kept_and_sealed_anew(harness: &dyn StoreHarness) {
    let org = TestOrganization::new(harness);
    let mut unit = org.begin().await;
    assert_eq!(unit.erasure_key().await.expect("an answer"), None);
    unit.put_erasure_key(&sealed(1)).await.expect("a key");
    unit.commit().await.expect("a commit");

    let mut unit = org.begin().await;
    assert_eq!(unit.erasure_key().await.expect("a key"), Some(sealed(1)));
    let other = unit.reseal_erasure_key(&sealed(2), &sealed(3)).await;
    assert!(!other.expect("an answer"));
    let same = unit.reseal_erasure_key(&sealed(1), &sealed(3)).await;
    assert!(same.expect("an answer"));
    unit.commit().await.expect("a commit");
    let mut theirs = TestOrganization::of(harness, "org_b").begin().await;
    assert_eq!(theirs.erasure_key().await.expect("an answer"), None);
    theirs.forget_erasures().await.expect("an answer");
    theirs.commit().await.expect("a commit");
    let mut unit = org.begin().await;
    assert_eq!(unit.erasure_key().await.expect("a key"), Some(sealed(3)));
    unit.forget_erasures().await.expect("an answer");
    unit.commit().await.expect("a commit");
    let mut unit = org.read().await;
    assert_eq!(unit.erasure_key().await.expect("an answer"), None);
}

/// How many consumers are found by each way in which the erased one was.
async fn found(unit: &mut dyn UnitOfWork, id: &ConsumerId) -> Vec<usize> {
    let of = |search: &str| ConsumerFilter {
        search: Some(search.to_owned()),
        ..ConsumerFilter::default()
    };
    let by_phone = Lookup::Phone("+12025550101".to_owned());
    let by_email = Lookup::Email("ada@example.com".to_owned());
    let profiles = profiles_of(unit, id).await;
    let mut found = vec![
        usize::from(unit.consumer(id).await.expect("an answer").is_some()),
        unit.lookup_consumers(&by_phone)
            .await
            .expect("an answer")
            .len(),
        unit.lookup_consumers(&by_email)
            .await
            .expect("an answer")
            .len(),
        profiles.len(),
    ];
    for search in ["lovelace", "ada@"] {
        let page = unit.consumers(&of(search), &ALL).await.expect("consumers");
        found.push(page.items.len());
    }
    found
}

/// With several profiles, in several audiences, with issues of several runs, and in the index of searches.
pub async fn an_erased_consumer_leaves_hashes_and_nothing_else(harness: &dyn StoreHarness) {
    let org = TestOrganization::new(harness);
    let ada = |id: &str| {
        let ada = profile(id).email("ada@example.com").phone("+12025550101");
        ada.first_name("Ada").last_name("Lovelace").build()
    };
    let bo = || {
        profile("p3")
            .email("bo@example.com")
            .first_name("Bo")
            .build()
    };
    let run = org.queue("list1").await;
    // The second profile of one address is an issue.
    let (plan, _) = org.take(&run, &[ada("p1"), ada("p2"), bo()]).await;
    let of_ada = |consumer: &&fanfare_domain::consumer::Consumer| {
        consumer
            .email
            .as_ref()
            .is_some_and(|email| email.as_str() == "ada@example.com")
    };
    let id = plan.created.iter().find(of_ada).expect("Ada").id.clone();
    let other = org.queue("list2").await;
    org.take(&other, &[ada("p1"), ada("p2")]).await;
    while {
        let mut unit = org.begin().await;
        let made = unit.index_search(1).await.expect("an answer");
        unit.commit().await.expect("a commit");
        made
    } {}
    let mut unit = org.begin().await;
    assert_eq!(found(unit.as_mut(), &id).await, [1, 1, 1, 2, 1, 1]);
    for run in [&run, &other] {
        let issues = unit.issues(&run.id, &ALL).await.expect("issues");
        assert_eq!(issues.items.len(), 1);
    }

    let moves = unit.link_moves().await.expect("an answer");
    let profiles = profiles_of(unit.as_mut(), &id).await;
    let kept = hashes(&["h1", "h2"]);
    let erased = unit.erase(&id, &profiles, &kept, at(1)).await;
    erased.expect("an erasure");
    unit.commit().await.expect("a commit");

    let mut unit = org.read().await;
    assert_eq!(found(unit.as_mut(), &id).await, [0; 6]);
    let moves_now = unit.link_moves().await.expect("an answer");
    assert_eq!(moves_now.0, moves.0 + 1, "a run looks at its members again");
    for run in [&run, &other] {
        let issues = unit.issues(&run.id, &ALL).await.expect("issues");
        assert_eq!(issues.items, []);
    }
    let members = [&run, &other].map(|run| &run.audience);
    assert_eq!(unit.member_count(members[0]).await.expect("a count"), 1);
    assert_eq!(unit.member_count(members[1]).await.expect("a count"), 0);
    let bo = ConsumerFilter {
        search: Some("bo@example".to_owned()),
        ..ConsumerFilter::default()
    };
    assert_eq!(unit.consumers(&bo, &ALL).await.expect("Bo").items.len(), 1);
    let asked = hashes(&["h0", "h2", "h1"]);
    let mut found = unit.erased(&asked).await.expect("an answer");
    found.sort();
    assert_eq!(found, kept);
    drop(unit);
    let mut theirs = TestOrganization::of(harness, "org_b").read().await;
    assert_eq!(theirs.erased(&kept).await.expect("an answer"), []);
}

/// A hash that is kept already stays.
pub async fn a_person_may_be_erased_twice(harness: &dyn StoreHarness) {
    let org = TestOrganization::new(harness);
    for n in 0..2 {
        let run = org.queue(&format!("list{n}")).await;
        let page = [profile("p1").email("ada@example.com").build()];
        let (plan, _) = org.take(&run, &page).await;
        let id = &plan.created[0].id;
        let mut unit = org.begin().await;
        let profiles = profiles_of(unit.as_mut(), id).await;
        let erased = unit.erase(id, &profiles, &hashes(&["h1"]), at(n)).await;
        erased.expect("an erasure");
        unit.commit().await.expect("a commit");
    }
}

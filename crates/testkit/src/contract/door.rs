//! Checks at the door.

use fanfare_domain::door::{DoorRead, Member, People};
use fanfare_domain::ids::{AudienceId, ConsumerId};
use fanfare_domain::run::SyncRun;
use fanfare_domain::value::Email;

use super::harness::StoreHarness;
use super::test_organization::{ALL, TestOrganization};
use crate::build::{audience_id, consumer_id, profile};

fn email(text: &str) -> Email {
    Email::parse(text).expect("an address")
}

async fn check(
    org: &TestOrganization<'_>,
    audience: &AudienceId,
    people: People,
) -> Option<DoorRead> {
    let store = org.elsewhere();
    let read = store.check_members(&org.organization, audience, &people);
    let mut read = read.await.expect("an answer")?;
    read.members.sort_by(|a, b| a.consumer.cmp(&b.consumer));
    Some(read)
}

/// Imports a list with people `e0@example.com` and so on.
async fn import(org: &TestOrganization<'_>, list: &str, people: std::ops::Range<u32>) -> SyncRun {
    let run = org.queue(list).await;
    let one = |n| {
        profile(&format!("p{n}"))
            .email(&format!("e{n}@example.com"))
            .build()
    };
    org.take(&run, &people.map(one).collect::<Vec<_>>()).await;
    run
}

async fn by_email(org: &TestOrganization<'_>, audience: &AudienceId) -> Vec<Member> {
    let members = org.read().await.members(audience, None, &ALL).await;
    let member = |record: fanfare_domain::ports::ConsumerRecord| Member {
        email: record.consumer.email,
        consumer: record.consumer.id,
    };
    let members = members.expect("members").items;
    members.into_iter().map(member).collect()
}

/// By e-mail and by id, those and only those who are members of this audience, with its status and times.
pub async fn members_are_found_among_the_people_asked_for(harness: &dyn StoreHarness) {
    let org = TestOrganization::new(harness);
    let (run, _) = (
        import(&org, "list1", 0..4).await,
        import(&org, "list2", 2..6).await,
    );
    let all = by_email(&org, &run.audience).await;
    let emails = |numbers: &[u32]| {
        let emails = numbers.iter().map(|n| email(&format!("e{n}@example.com")));
        People::Emails(emails.collect())
    };

    let read = check(&org, &run.audience, emails(&[1, 3, 5, 9])).await;
    let read = read.expect("an audience");
    let asked = [email("e1@example.com"), email("e3@example.com")];
    let is_asked = |member: &&Member| member.email.as_ref().is_some_and(|e| asked.contains(e));
    let want: Vec<Member> = all.iter().filter(is_asked).cloned().collect();
    assert_eq!((read.members, want.len()), (want, 2));
    assert_eq!(read.freshness.last_synced_at, None);

    let ended = org.finish(&run).await;
    let ids: Vec<ConsumerId> = all.iter().map(|member| member.consumer.clone()).collect();
    let mut asked = vec![consumer_id("cons_none"), ids[0].clone(), ids[3].clone()];
    asked.extend(
        by_email(&org, &audience_id("aud_list2"))
            .await
            .pop()
            .map(|m| m.consumer),
    );
    asked.sort();
    let read = check(&org, &run.audience, People::Consumers(asked)).await;
    let read = read.expect("an audience");
    let found: Vec<ConsumerId> = read.members.into_iter().map(|one| one.consumer).collect();
    assert_eq!(found, [ids[0].clone(), ids[3].clone()]);
    assert_eq!(read.freshness.refresh_interval_seconds, None);
    assert_eq!(read.freshness.last_synced_at, ended.finished_at);

    for nobody in [People::Emails(Vec::new()), emails(&[8])] {
        let read = check(&org, &run.audience, nobody).await;
        assert_eq!(read.expect("an audience").members, []);
    }
}

/// Neither an audience that is not there nor another organization's.
pub async fn an_unknown_audience_has_no_door(harness: &dyn StoreHarness) {
    let org = TestOrganization::new(harness);
    let run = import(&org, "list1", 0..1).await;
    let people = || People::Emails(vec![email("e0@example.com")]);
    assert_eq!(check(&org, &audience_id("aud_none"), people()).await, None);
    let other = TestOrganization::of(harness, "org_b");
    assert_eq!(check(&other, &run.audience, people()).await, None);
    assert!(check(&org, &run.audience, people()).await.is_some());
}

/// While a page is being written a check answers what was committed before.
pub async fn a_check_waits_for_no_writer(harness: &dyn StoreHarness) {
    let org = TestOrganization::new(harness);
    let run = import(&org, "list1", 0..1).await;
    let mut writing = org.begin().await;
    let mut source = org.load(&run).await.into_parts().1;
    source.data.processed = 7;
    writing.put_source(&source).await.expect("a source");

    let people = People::Emails(vec![email("e0@example.com")]);
    let read = check(&org, &run.audience, people).await;

    assert_eq!(read.expect("an audience").members.len(), 1);
    writing.commit().await.expect("a commit");
}

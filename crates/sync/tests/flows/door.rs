//! Checks that come at once are read together, and answered apart.

use fanfare_domain::door::Asked;
use fanfare_domain::ids::AudienceId;
use fanfare_sync::{Check, Entity, Error};
use fanfare_testkit::build::list;
use fanfare_testkit::fake_klaviyo::FakeKlaviyo;
use fanfare_testkit::memory::Operation;
use futures_util::future::join_all;

use crate::test_organization::{TestOrganization, members};

const MEMBERS: i64 = 100;

async fn door() -> (TestOrganization, AudienceId) {
    let klaviyo = FakeKlaviyo::default().with(list("L1"), "Launch", members(0..MEMBERS));
    let org = TestOrganization::on(&klaviyo).await;
    let audience = org.synced(&list("L1")).await.audience;
    (org, audience)
}

/// The `n`th person, who is a member if there are so many.
fn email(n: i64) -> String {
    format!("p{n:03}@x.io")
}

async fn check_all(
    org: &TestOrganization,
    audience: &AudienceId,
    asked: &[Asked],
) -> Vec<Result<Check, Error>> {
    let check = |asked| org.integration.check(&org.organization, audience, asked);
    join_all(asked.iter().map(check)).await
}

#[tokio::test(start_paused = true)]
async fn checks_that_come_at_once_are_read_together_and_each_is_answered_for_its_own_people() {
    let (org, audience) = door().await;
    let consumers = org.consumers().await;
    let mut asked: Vec<Asked> = (0..90)
        .map(|n| Asked::Emails(vec![email(n), "no address".to_owned()]))
        .collect();
    let id = consumers[7].id.to_string();
    asked.push(Asked::Consumers(vec![id, "cons_none".to_owned()]));
    asked.push(Asked::Emails(vec![email(MEMBERS + 1)]));
    let before = org.store.count_of(Operation::Door);

    let answers = check_all(&org, &audience, &asked).await;

    let reads = org.store.count_of(Operation::Door) - before;
    assert_eq!(reads, 2, "one by e-mail, one by id");
    let answers: Vec<Check> = answers.into_iter().map(Result::unwrap).collect();
    for (n, answer) in (0..).zip(answers.iter().take(90)) {
        let named = answer.members[0].as_ref().expect("a member");
        let consumer = consumers.iter().find(|one| one.id == *named).unwrap();
        assert_eq!(consumer.email.as_ref().unwrap().as_str(), email(n));
        assert_eq!(answer.members[1], None);
        assert!(answer.as_of.is_some() && !answer.is_stale);
    }
    assert_eq!(answers[90].members, [Some(consumers[7].id.clone()), None]);
    assert_eq!(answers[91].members, [None]);
}

#[tokio::test(start_paused = true)]
async fn a_crowd_of_large_checks_is_read_in_parts() {
    let (org, audience) = door().await;
    let large = Asked::Emails((0..100).map(email).collect());
    let asked = vec![large; 5];
    let before = org.store.count_of(Operation::Door);

    let answers = check_all(&org, &audience, &asked).await;

    assert_eq!(org.store.count_of(Operation::Door) - before, 3);
    for answer in answers {
        assert!(answer.unwrap().members.iter().all(Option::is_some));
    }
}

#[tokio::test(start_paused = true)]
async fn a_read_that_fails_fails_the_checks_that_waited_for_it_and_no_other() {
    let (org, audience) = door().await;
    let unknown = AudienceId::parse("aud_none").unwrap();
    let asked = [Asked::Emails(vec![email(1)]), Asked::Emails(vec![email(2)])];
    org.store.fail_next(Operation::Door, 1);

    let failed = check_all(&org, &audience, &asked).await;

    assert!(failed.iter().all(|one| matches!(one, Err(Error::Store(_)))));
    let (found, missing) = tokio::join!(
        check_all(&org, &audience, &asked),
        check_all(&org, &unknown, &asked)
    );
    assert!(found.iter().all(Result::is_ok));
    let is_missing = |one| matches!(one, &Err(Error::NotFound(Entity::Audience)));
    assert!(missing.iter().all(is_missing));
}

#[tokio::test(start_paused = true)]
async fn whoever_does_not_wait_for_the_answer_keeps_no_other_from_it() {
    let (org, audience) = door().await;
    let asked = Asked::Emails(vec![email(3)]);
    let first = org.integration.check(&org.organization, &audience, &asked);
    let second = org.integration.check(&org.organization, &audience, &asked);
    let mut first = Box::pin(first);
    assert!(futures_util::poll!(&mut first).is_pending());
    drop(first);

    let answer = second.await.unwrap();

    assert!(answer.members[0].is_some());
}

#[tokio::test(start_paused = true)]
async fn a_row_that_cannot_be_read_costs_no_other_check_that_waited() {
    let (org, audience) = door().await;
    let asked: Vec<Asked> = (0..5).map(|n| Asked::Emails(vec![email(n)])).collect();
    // All of them together, and then the first one alone.
    org.store.fail_next(Operation::DoorRow, 2);

    let answers = check_all(&org, &audience, &asked).await;

    let failed = answers.iter().filter(|answer| answer.is_err()).count();
    assert_eq!(failed, 1, "whoever asks for the row");
    assert!(answers[1..].iter().all(Result::is_ok));
}

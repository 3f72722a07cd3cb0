//! Why somebody is, or is not, a member.

use fanfare_domain::explain::Live;
use fanfare_domain::explain::ReasonCode::{
    self, LiveUnavailable, Member, NotInList, NotReadYet, Readdressed, RemovalHeld, Skipped,
    UnknownPerson,
};
use fanfare_domain::ids::{AudienceId, ConsumerId, ProfileId};
use fanfare_domain::ports::KlaviyoError;
use fanfare_domain::profile::Profile;
use fanfare_domain::run::SyncRun;
use fanfare_domain::value::Email;
use fanfare_sync::{Entity, Error, Explanation, Whom};
use fanfare_testkit::build::{list, profile};
use fanfare_testkit::fake_klaviyo::{Call, FakeKlaviyo};

use crate::test_organization::{TestOrganization, klaviyo_with, members};

fn person(id: &str, email: &str) -> Profile {
    profile(id)
        .email(email)
        .first_name("Ada")
        .joined(50)
        .build()
}

fn set_members(klaviyo: &FakeKlaviyo, id: &str, members: Vec<Profile>) {
    klaviyo.change(|contents| contents.collections.get_mut(&list(id)).unwrap().1 = members);
}

fn email(text: &str) -> Whom {
    Whom::Email(Email::parse(text).ok())
}

fn by_profile(id: &str) -> Whom {
    Whom::Profile(ProfileId::parse(id).unwrap())
}

struct Explained {
    klaviyo: FakeKlaviyo,
    org: TestOrganization,
    run: SyncRun,
}

impl Explained {
    /// A list that was synced with these members.
    async fn of(members_of_list: Vec<Profile>) -> Self {
        let klaviyo = klaviyo_with(&list("L1"), 0).with(list("L2"), "Other", members([]));
        set_members(&klaviyo, "L1", members_of_list);
        let org = TestOrganization::on(&klaviyo).await;
        let run = org.synced(&list("L1")).await;
        Self { klaviyo, org, run }
    }

    async fn explain(&self, whom: &Whom, live: bool) -> Explanation {
        let (organization, audience) = (&self.org.organization, &self.run.audience);
        let explained = self
            .org
            .integration
            .explain(organization, audience, whom, live);
        let explained = explained.await.unwrap();
        assert_eq!(
            explained.is_member,
            explained.reasons[0].code == Member,
            "{explained:?}"
        );
        explained
    }

    async fn codes(&self, whom: &Whom, live: bool) -> Vec<ReasonCode> {
        let explained = self.explain(whom, live).await;
        explained.reasons.iter().map(|reason| reason.code).collect()
    }
}

#[tokio::test(start_paused = true)]
async fn a_member_is_explained_by_email_by_id_and_by_profile() {
    let case = Explained::of(vec![person("P1", "ada@x.io")]).await;

    let explained = case.explain(&email(" ADA@x.io"), true).await;

    let id = explained.consumer.clone().unwrap();
    assert_eq!(explained.as_of, case.run.finished_at);
    assert_eq!(explained.profiles.len(), 1);
    assert_eq!(explained.profiles[0].in_list, Some(true));
    assert!(explained.profiles[0].joined_at.is_some());
    assert_eq!(explained.live.in_list(), Some(true));
    assert_eq!(explained.reasons[0].run.as_ref(), Some(&case.run.id));
    for whom in [Whom::Consumer(id), by_profile("P1")] {
        assert_eq!(case.explain(&whom, true).await, explained);
    }
}

#[tokio::test(start_paused = true)]
async fn nobody_known_is_unknown_and_an_unknown_id_is_not_found() {
    let case = Explained::of(vec![person("P1", "ada@x.io")]).await;
    for whom in [email("bo@x.io"), by_profile("P9"), email("no address")] {
        let explained = case.explain(&whom, false).await;
        assert_eq!(explained.reasons[0].code, UnknownPerson);
        assert_eq!((explained.consumer, explained.profiles), (None, Vec::new()));
    }
    let explain = async |audience: &str, consumer: &str| {
        let audience = AudienceId::parse(audience).unwrap();
        let whom = Whom::Consumer(ConsumerId::parse(consumer).unwrap());
        let (organization, integration) = (&case.org.organization, &case.org.integration);
        integration
            .explain(organization, &audience, &whom, true)
            .await
    };
    let unknown = explain(case.run.audience.as_str(), "cons_none").await;
    assert!(matches!(unknown, Err(Error::NotFound(Entity::Consumer))));
    let unknown = explain("aud_none", "cons_none").await;
    assert!(matches!(unknown, Err(Error::NotFound(Entity::Audience))));
}

#[tokio::test(start_paused = true)]
async fn somebody_of_another_list_is_not_in_this_one_until_klaviyo_says_so() {
    let case = Explained::of(vec![person("P1", "ada@x.io")]).await;
    set_members(&case.klaviyo, "L2", vec![person("P2", "bo@x.io")]);
    case.org.synced(&list("L2")).await;
    let bo = email("bo@x.io");

    assert_eq!(case.codes(&bo, false).await, [NotInList]);
    assert_eq!(case.codes(&bo, true).await, [NotInList]);

    let joined = vec![person("P1", "ada@x.io"), person("P2", "bo@x.io")];
    set_members(&case.klaviyo, "L1", joined);
    let explained = case.explain(&bo, true).await;
    let codes: Vec<ReasonCode> = explained.reasons.iter().map(|one| one.code).collect();
    assert_eq!(codes, [NotReadYet, NotInList]);
    assert_eq!(explained.profiles[0].in_list, Some(true));
    case.org.resynced(&case.run, false).await;
    assert_eq!(case.codes(&bo, true).await, [Member]);
}

#[tokio::test(start_paused = true)]
async fn a_profile_that_was_skipped_is_told_with_its_issue() {
    let case = Explained::of(vec![person("P1", "no address")]).await;

    let explained = case.explain(&by_profile("P1"), false).await;

    let reason = &explained.reasons[0];
    assert_eq!((reason.code, explained.reasons.len()), (Skipped, 1));
    assert!(
        reason.message.contains("invalid_email"),
        "{}",
        reason.message
    );
    assert_eq!(reason.run.as_ref(), Some(&case.run.id));
    // Another audience has not met it.
    set_members(&case.klaviyo, "L2", Vec::new());
    let other = case.org.synced(&list("L2")).await;
    let case = Explained { run: other, ..case };
    assert_eq!(case.codes(&by_profile("P1"), false).await, [UnknownPerson]);
}

#[tokio::test(start_paused = true)]
async fn somebody_whose_email_changed_is_a_member_as_another_consumer() {
    let case = Explained::of(vec![person("P1", "ada@x.io"), person("P2", "bo@x.io")]).await;
    let ada = case
        .explain(&email("ada@x.io"), false)
        .await
        .consumer
        .unwrap();
    // Now both profiles have one e-mail: the first moves to the consumer of the second.
    let moved = vec![person("P1", "bo@x.io"), person("P2", "bo@x.io")];
    set_members(&case.klaviyo, "L1", moved);
    case.org.resynced(&case.run, false).await;

    let explained = case.explain(&Whom::Consumer(ada), false).await;

    let bo = case
        .explain(&email("bo@x.io"), false)
        .await
        .consumer
        .unwrap();
    let codes: Vec<ReasonCode> = explained.reasons.iter().map(|one| one.code).collect();
    assert_eq!(codes, [Readdressed, NotInList]);
    assert!(explained.reasons[0].message.contains(bo.as_str()));
}

#[tokio::test(start_paused = true)]
async fn a_member_whom_a_guard_keeps_is_told_so() {
    let case = Explained::of(members(0..200)).await;
    let profiles = case
        .explain(&by_profile(members([7])[0].id.as_str()), false)
        .await;
    assert_eq!(profiles.reasons[0].code, Member);
    set_members(&case.klaviyo, "L1", members(0..5));
    case.org.resynced(&case.run, false).await;

    let leaving = by_profile(members([7])[0].id.as_str());
    assert_eq!(case.codes(&leaving, false).await, [Member, RemovalHeld]);
    assert_eq!(case.codes(&leaving, true).await, [Member, RemovalHeld]);
    let staying = by_profile(members([3])[0].id.as_str());
    assert_eq!(case.codes(&staying, true).await, [Member]);
}

#[tokio::test(start_paused = true)]
async fn while_klaviyo_is_away_the_rows_still_tell() {
    let case = Explained::of(vec![person("P1", "ada@x.io")]).await;
    let away = || KlaviyoError::Unavailable("no answer".to_owned());
    case.klaviyo.fail_others([Some(away()), Some(away())]);

    let explained = case.explain(&email("ada@x.io"), true).await;

    assert_eq!(explained.live, Live::Unavailable);
    let codes: Vec<ReasonCode> = explained.reasons.iter().map(|one| one.code).collect();
    assert_eq!(codes, [Member, LiveUnavailable]);
    let (organization, audience) = (&case.org.organization, &case.run.audience);
    case.org.integration.disconnect(organization).await.unwrap();
    let whom = email("ada@x.io");
    let explained = case
        .org
        .integration
        .explain(organization, audience, &whom, true);
    assert_eq!(explained.await.unwrap().live, Live::Unavailable);
}

#[tokio::test(start_paused = true)]
async fn before_the_first_pass_has_ended_nothing_is_said_of_the_list() {
    let klaviyo = klaviyo_with(&list("L1"), 3);
    let org = TestOrganization::on(&klaviyo).await;
    let id = org.imported(&list("L1")).await;
    let run = org.run(&id).await;
    let case = Explained { klaviyo, org, run };

    let explained = case.explain(&email("bo@x.io"), false).await;

    let codes: Vec<ReasonCode> = explained.reasons.iter().map(|one| one.code).collect();
    assert_eq!(codes, [NotReadYet, UnknownPerson]);
    assert_eq!(explained.as_of, None);
}

#[tokio::test(start_paused = true)]
async fn klaviyo_is_asked_with_two_requests_and_only_when_it_is_asked_for() {
    let case = Explained::of(vec![person("P1", "ada@x.io")]).await;
    let calls = || case.klaviyo.calls().len();
    let before = calls();
    case.explain(&email("ada@x.io"), false).await;
    assert_eq!(calls(), before);

    // Its e-mail has changed in Klaviyo since.
    set_members(&case.klaviyo, "L1", vec![person("P1", "new@x.io")]);
    let explained = case.explain(&email("ada@x.io"), true).await;

    assert_eq!(explained.live.in_list(), Some(true));
    let asked = case.klaviyo.calls().split_off(before);
    assert!(
        matches!(asked.as_slice(), [Call::Profiles(_), Call::FindMembers(..)]),
        "{asked:?}"
    );
    assert!(!format!("{asked:?}").contains("x.io"));
}

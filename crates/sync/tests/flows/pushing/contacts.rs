//! Contacts both ways: what changes here changes in Klaviyo, and the other way round, without an echo.

use std::time::Duration;

use fanfare_domain::contact::{ContactSettingsUpdate, Winner};
use fanfare_domain::delivery::DeliveryStatus::{Dropped, Failed, Sent};
use fanfare_domain::ids::ProfileId;
use fanfare_domain::profile::{Attribute, Profile};
use fanfare_domain::run::SyncRun;
use fanfare_domain::value::{Email, FullName, Phone};
use fanfare_domain::writing::{Change, PersonalText, WriteError};
use fanfare_sync::{ConsumerUpdate, Error, NewConsumer, Patch};
use fanfare_testkit::build::{list, profile_id};
use fanfare_testkit::fake_klaviyo::FakeKlaviyo;
use fanfare_testkit::fake_writes::{ProfileCall, WriteFault};

use super::Shop;
use crate::test_organization::members;

/// A shop whose contacts go both ways.
pub(super) struct Firm {
    pub(super) shop: Shop,
    pub(super) klaviyo: FakeKlaviyo,
    run: SyncRun,
}

pub(super) fn name(text: &str) -> Option<FullName> {
    FullName::join(Some(text), None).0
}

impl Firm {
    /// With so many people in its list, who are called Ada.
    pub(super) async fn new(people: i64) -> Self {
        let people = members(0..people).into_iter().map(|one| Profile {
            first_name: Attribute::text("Ada"),
            last_name: Attribute::text("King"),
            ..one
        });
        let klaviyo = FakeKlaviyo::default().with(list("L1"), "VIP", people);
        let shop = Shop::of(&klaviyo).await;
        let run = shop.org.queued_first(&list("L1")).await;
        let firm = Self { shop, klaviyo, run };
        firm.choose(|on| on.enabled = Some(true)).await;
        firm.wait(60).await;
        firm
    }

    pub(super) async fn choose(&self, choose: impl FnOnce(&mut ContactSettingsUpdate)) {
        let mut update = ContactSettingsUpdate::default();
        choose(&mut update);
        let org = &self.shop.org;
        let chosen = org.integration.update_contacts(&org.organization, update);
        chosen.await.unwrap();
    }

    pub(super) async fn wait(&self, seconds: u64) {
        self.shop.wait(Duration::from_secs(seconds)).await;
    }

    pub(super) async fn edit(&self, person: usize, update: ConsumerUpdate) {
        let org = &self.shop.org;
        let id = &self.shop.people[person];
        let edited = org
            .integration
            .update_consumer(&org.organization, id, update);
        edited.await.unwrap();
    }

    pub(super) async fn rename(&self, person: usize, to: &str) {
        let update = ConsumerUpdate {
            full_name: Patch::Set(name(to)),
            ..ConsumerUpdate::default()
        };
        self.edit(person, update).await;
    }

    pub(super) async fn call(&self, person: usize, to: Option<&str>) {
        let update = ConsumerUpdate {
            phone: Patch::Set(to.map(|to| Phone::parse(to).unwrap())),
            ..ConsumerUpdate::default()
        };
        self.edit(person, update).await;
    }

    /// Somebody changes a profile in Klaviyo, now.
    pub(super) fn change(&self, person: usize, change: impl Fn(&mut Profile)) {
        let now = self.shop.org.now().whole_second();
        self.klaviyo.change(|contents| {
            contents.change_profile(&profile_of(person), |profile| {
                change(profile);
                profile.updated = Some(now);
            });
        });
    }

    /// The person's name and number here and there.
    pub(super) async fn values(&self, person: usize) -> [(String, String); 2] {
        let org = &self.shop.org;
        let id = &self.shop.people[person];
        let record = org
            .integration
            .consumer(&org.organization, id)
            .await
            .unwrap();
        let consumer = record.consumer;
        let ours = (
            consumer
                .full_name
                .map(|held| held.value.as_str().to_owned()),
            consumer.phone.map(|held| held.value.as_str().to_owned()),
        );
        let mut theirs = (None, None);
        self.klaviyo.change(|contents| {
            let all = contents.profiles();
            let of = all.iter().find(|one| one.id == profile_of(person)).unwrap();
            let text = |attribute: &Attribute| attribute.as_text().map(str::to_owned);
            let parts = [text(&of.first_name), text(&of.last_name)];
            let joined = FullName::join(parts[0].as_deref(), parts[1].as_deref()).0;
            theirs = (joined.map(|name| name.as_str().to_owned()), text(&of.phone));
        });
        [ours, theirs].map(|(name, phone)| (name.unwrap_or_default(), phone.unwrap_or_default()))
    }

    /// A complete pass, which has to change so many consumers.
    pub(super) async fn pass(&self, changes: u64) {
        self.wait(60).await;
        let run = self.shop.org.resynced(&self.run, false).await;
        assert_eq!(run.progress.tally.updated, changes);
        self.wait(60).await;
    }

    fn updates(&self) -> usize {
        self.shop.writes.profile_calls().len()
    }
}

/// The profile of the person with that number.
pub(super) fn profile_of(person: usize) -> ProfileId {
    profile_id(&format!("P{person:03}"))
}

fn both(name: &str, phone: &str) -> [(String, String); 2] {
    let values = (name.to_owned(), phone.to_owned());
    [values.clone(), values]
}

#[tokio::test(start_paused = true)]
async fn what_changes_here_changes_in_klaviyo_and_comes_back_as_no_change() {
    let firm = Firm::new(3).await;
    firm.rename(1, "Ada Lovelace").await;
    firm.call(1, Some("+12025550101")).await;
    firm.shop.work_to_end().await;
    assert_eq!(firm.values(1).await, both("Ada Lovelace", "+12025550101"));
    // The second change came before the first was sent: it is one write, of what is different alone.
    let ProfileCall::Update(id, changes) = &firm.shop.writes.profile_calls()[0] else {
        panic!("a change");
    };
    assert_eq!((id, &changes.first_name), (&profile_of(1), &Change::Keep));
    assert_eq!(
        changes.last_name,
        Change::Set(PersonalText::new("Lovelace"))
    );
    let own_id = PersonalText::new(firm.shop.people[1].as_str());
    assert_eq!(changes.external_id, Change::Set(own_id));
    assert_eq!(firm.shop.ends().await, [(Sent, None)]);
    firm.pass(0).await;
    firm.pass(0).await;
    assert_eq!((firm.updates(), firm.shop.deliveries().await.len()), (1, 1));
    // A value that was emptied on purpose is emptied there, too.
    firm.call(1, None).await;
    firm.shop.work_to_end().await;
    firm.pass(0).await;
    assert_eq!(firm.values(1).await, both("Ada Lovelace", ""));
}

#[tokio::test(start_paused = true)]
async fn what_changes_in_klaviyo_changes_here_and_a_conflict_goes_to_the_later_one() {
    let firm = Firm::new(2).await;
    firm.rename(0, "Ada Lovelace").await;
    firm.shop.work_to_end().await;
    firm.pass(0).await;
    firm.change(0, |one| one.last_name = Attribute::text("Byron"));
    firm.pass(1).await;
    assert_eq!(firm.values(0).await, both("Ada Byron", ""));
    // Theirs is the later one.
    firm.rename(0, "Ada Ours").await;
    firm.wait(60).await;
    firm.change(0, |one| one.last_name = Attribute::text("Theirs"));
    firm.shop.work_to_end().await;
    assert_eq!(firm.values(0).await, both("Ada Theirs", ""));
    // Ours is.
    firm.wait(60).await;
    firm.change(0, |one| one.last_name = Attribute::text("Earlier"));
    firm.wait(60).await;
    firm.rename(0, "Ada Later").await;
    firm.shop.work_to_end().await;
    assert_eq!(firm.values(0).await, both("Ada Later", ""));
    // Unless one side always wins.
    firm.choose(|on| on.winner = Some(Winner::Klaviyo)).await;
    firm.change(0, |one| one.last_name = Attribute::text("Wins"));
    firm.wait(60).await;
    firm.rename(0, "Ada Loses").await;
    firm.shop.work_to_end().await;
    assert_eq!(firm.values(0).await, both("Ada Wins", ""));
    firm.pass(0).await;
}

#[tokio::test(start_paused = true)]
async fn a_pass_that_shows_our_value_ends_a_delivery() {
    let firm = Firm::new(1).await;
    firm.rename(0, "Ada Lovelace").await;
    firm.change(0, |one| one.last_name = Attribute::text("Lovelace"));
    firm.pass(0).await;
    assert_eq!(firm.shop.ends().await, [(Dropped, Some("already_equal"))]);
    assert_eq!(firm.updates(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_lost_answer_is_made_harmless_by_a_look() {
    for (fault, calls) in [(WriteFault::AnswerLost, 1), (WriteFault::RequestLost, 2)] {
        let firm = Firm::new(1).await;
        firm.shop.writes.fail_next([fault]);
        firm.rename(0, "Ada Lovelace").await;
        firm.shop.work_to_end().await;
        assert_eq!(firm.updates(), calls);
        assert_eq!(firm.values(0).await, both("Ada Lovelace", ""));
        assert_eq!(firm.shop.ends().await, [(Sent, None)]);
        firm.pass(0).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_number_of_another_profile_costs_itself_alone() {
    let firm = Firm::new(2).await;
    firm.change(1, |one| one.phone = Attribute::text("+12025550101"));
    firm.rename(0, "Ada Lovelace").await;
    firm.call(0, Some("+12025550101")).await;
    firm.shop.work_to_end().await;
    assert_eq!(
        firm.shop.ends().await,
        [(Sent, Some("identifier_conflict"))]
    );
    let [ours, theirs] = firm.values(0).await;
    assert_eq!(ours.1, "+12025550101");
    assert_eq!(theirs, ("Ada Lovelace".to_owned(), String::new()));
    // It is not sent again by itself.
    firm.pass(1).await;
    firm.shop.work_to_end().await;
    assert_eq!((firm.updates(), firm.shop.deliveries().await.len()), (2, 1));
}

#[tokio::test(start_paused = true)]
async fn somebody_whom_klaviyo_does_not_know_is_made_only_if_that_is_wanted() {
    let firm = Firm::new(1).await;
    let org = &firm.shop.org;
    let make = async |email: &str| {
        let new = NewConsumer {
            email: Email::parse(email).ok(),
            full_name: name("Grace Hopper"),
            ..NewConsumer::default()
        };
        let created = org.integration.create_consumer(&org.organization, new);
        created.await.map(|record| record.consumer.id)
    };
    make("grace@x.io").await.unwrap();
    firm.shop.work_to_end().await;
    assert_eq!(firm.updates(), 0);
    firm.choose(|on| on.create_profiles = Some(true)).await;
    let id = make("hopper@x.io").await.unwrap();
    firm.shop.work_to_end().await;
    let ends = firm.shop.ends().await;
    assert_eq!(ends, [(Dropped, Some("unknown_in_klaviyo")), (Sent, None)]);
    firm.klaviyo.change(|contents| {
        let profile = &contents.unlisted[0];
        assert_eq!(profile.email.as_text(), Some("hopper@x.io"));
        assert_eq!(contents.external_ids[&profile.id], id.as_str());
    });
    // The person in the list is found, filled and not made.
    let twice = make("p000@x.io").await;
    assert!(matches!(twice, Err(Error::EmailExists)), "{twice:?}");
}

#[tokio::test(start_paused = true)]
async fn a_profile_that_became_another_one_is_found_by_its_address() {
    let firm = Firm::new(1).await;
    firm.rename(0, "Ada Lovelace").await;
    firm.klaviyo.change(|contents| {
        contents.change_profile(&profile_of(0), |one| one.id = profile_id("merged"));
    });
    firm.shop.work_to_end().await;
    let ProfileCall::Update(id, _) = &firm.shop.writes.profile_calls()[0] else {
        panic!("a change");
    };
    assert_eq!(id.as_str(), "merged");
    assert_eq!(firm.shop.ends().await, [(Sent, None)]);
}

#[tokio::test(start_paused = true)]
async fn an_erased_person_is_told_nobody_of() {
    let firm = Firm::new(1).await;
    firm.rename(0, "Ada Lovelace").await;
    let org = &firm.shop.org;
    let id = &firm.shop.people[0];
    org.integration
        .erase_consumer(&org.organization, id)
        .await
        .unwrap();
    firm.shop.work().await;
    assert_eq!((firm.updates(), firm.shop.deliveries().await.len()), (0, 0));
    let new = NewConsumer {
        email: Email::parse("p000@x.io").ok(),
        ..NewConsumer::default()
    };
    let again = org
        .integration
        .create_consumer(&org.organization, new)
        .await;
    assert!(matches!(again, Err(Error::PersonErased)), "{again:?}");
}

#[tokio::test(start_paused = true)]
async fn nothing_goes_out_while_it_is_switched_off() {
    let firm = Firm::new(2).await;
    firm.rename(0, "Ada Lovelace").await;
    firm.choose(|off| off.enabled = Some(false)).await;
    firm.rename(1, "Ada Byron").await;
    firm.shop.work_to_end().await;
    assert_eq!(firm.shop.ends().await, [(Dropped, Some("contacts_off"))]);
    assert_eq!(firm.updates(), 0);
    // What was changed here stays until the profile changes.
    firm.pass(0).await;
    assert_eq!(firm.values(1).await[0].0, "Ada Byron");
    firm.change(1, |one| one.first_name = Attribute::text("Augusta"));
    firm.pass(1).await;
    assert_eq!(firm.values(1).await[0].0, "Augusta King");
}

#[tokio::test(start_paused = true)]
async fn a_key_that_may_not_write_profiles_is_told_of_when_contacts_are_switched_on() {
    let firm = Firm::new(1).await;
    firm.choose(|off| off.enabled = Some(false)).await;
    let missing = WriteError::ScopeMissing(vec!["profiles:write".to_owned()]);
    firm.shop.writes.fail_next([WriteFault::Refused(missing)]);
    let update = ContactSettingsUpdate {
        enabled: Some(true),
        ..ContactSettingsUpdate::default()
    };
    let org = &firm.shop.org;
    let refused = org
        .integration
        .update_contacts(&org.organization, update)
        .await;
    let Err(Error::ScopeMissing(scopes)) = refused else {
        panic!("{refused:?}");
    };
    assert_eq!(scopes, ["profiles:write"]);
    let settings = org.integration.settings(&org.organization).await.unwrap();
    assert!(!settings.contacts.enabled);
}

#[tokio::test(start_paused = true)]
async fn events_do_not_wait_for_contacts_that_may_not_be_sent() {
    let firm = Firm::new(2).await;
    firm.shop.switch(true).await;
    let missing = WriteError::ScopeMissing(vec!["profiles:write".to_owned()]);
    firm.shop.writes.fail_next([WriteFault::Refused(missing)]);
    firm.rename(0, "Ada Lovelace").await;
    firm.shop.work().await;
    firm.shop.win("whk_1", 1).await;
    firm.shop.work().await;
    assert_eq!(firm.shop.writes.unique_ids(), ["whk_1"]);
    assert_eq!(firm.shop.pending().await, 1);
    firm.shop.org.connect("pk_key2").await.unwrap();
    firm.shop.work_to_end().await;
    assert_eq!(firm.values(0).await, both("Ada Lovelace", ""));
}

#[tokio::test(start_paused = true)]
async fn a_value_that_klaviyo_refuses_is_not_sent_again() {
    let firm = Firm::new(1).await;
    let refusal = fanfare_domain::writing::ContentRefusal {
        status: 400,
        rows: Vec::new(),
    };
    let refused = WriteFault::Refused(WriteError::ContentRefused(refusal));
    firm.shop.writes.fail_next([refused]);
    firm.rename(0, "Ada Lovelace").await;
    firm.shop.work_to_end().await;
    assert_eq!(firm.shop.ends().await, [(Failed, Some("refused"))]);
    firm.pass(0).await;
    firm.shop.work().await;
    assert_eq!((firm.updates(), firm.shop.deliveries().await.len()), (1, 1));
}

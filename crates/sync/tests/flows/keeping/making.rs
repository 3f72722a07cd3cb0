//! Members whom Klaviyo does not know, or knows without our knowing.

use std::time::Duration;

use fanfare_domain::contact::ContactSettingsUpdate;
use fanfare_domain::delivery::{Delivery, DeliveryCode, DeliveryFilter, DeliveryKind};
use fanfare_domain::ids::ConsumerId;
use fanfare_domain::profile::Profile;
use fanfare_domain::push::MustConfirm;
use fanfare_domain::run::SyncStatus;
use fanfare_domain::value::{Email, FullName, Phone};
use fanfare_domain::writing::{ContentRefusal, RowRefusal, WriteError};
use fanfare_sync::NewConsumer;
use fanfare_testkit::build::profile;
use fanfare_testkit::fake_writes::{Direction, Jobs, ProfileCall, WriteFault};

use super::{ALL, Shop, list_id};

impl Shop {
    /// Chooses what is sent of contacts.
    pub(crate) async fn contacts(&self, enabled: bool, create_profiles: bool) {
        let update = ContactSettingsUpdate {
            enabled: Some(enabled),
            create_profiles: Some(create_profiles),
            ..ContactSettingsUpdate::default()
        };
        let (integration, organization) = (&self.org.integration, &self.org.organization);
        integration
            .update_contacts(organization, update)
            .await
            .unwrap();
    }

    /// Makes a consumer in Fanfare, who joins the audience.
    pub(crate) async fn person(&self, email: Option<&str>, phone: Option<&str>) -> ConsumerId {
        let new = NewConsumer {
            email: email.map(|email| Email::parse(email).unwrap()),
            phone: phone.map(|phone| Phone::parse(phone).unwrap()),
            full_name: FullName::join(Some("Ada"), Some("King")).0,
            actor: "key_1".to_owned(),
            ..NewConsumer::default()
        };
        let (integration, organization) = (&self.org.integration, &self.org.organization);
        let made = integration
            .create_consumer(organization, new)
            .await
            .unwrap();
        let id = made.consumer.id;
        self.set_member(&id, true).await;
        id
    }

    /// Somebody joins the audience, or leaves it.
    pub(crate) async fn set_member(&self, consumer: &ConsumerId, joins: bool) {
        let ids = [consumer.clone()].into();
        let (integration, organization) = (&self.org.integration, &self.org.organization);
        let audience = &self.audience;
        let changed = if joins {
            integration.add_members(organization, audience, &ids).await
        } else {
            integration
                .remove_members(organization, audience, &ids)
                .await
        };
        assert_eq!(changed.unwrap().changed, 1);
    }

    pub(crate) async fn people_from(&self, from: usize, to: usize) -> Vec<ConsumerId> {
        let mut made = Vec::new();
        for n in from..to {
            made.push(
                self.person(Some(&format!("new{n}@example.com")), None)
                    .await,
            );
        }
        made
    }

    /// The e-mails of whoever is in `L2`, in their order.
    pub(crate) fn emails_in_list(&self) -> Vec<String> {
        let mut emails = Vec::new();
        self.klaviyo.change(|contents| {
            let (_, members) = &contents.collections[&super::list_ref("L2")];
            let texts = members.iter().filter_map(|one| one.email.as_text());
            emails.extend(texts.map(str::to_owned));
        });
        emails.sort();
        emails
    }

    /// Why nobody was added for a consumer, by the latest delivery.
    async fn code_of(&self, consumer: &ConsumerId) -> Option<DeliveryCode> {
        let told = self.told().await;
        let of_them = told
            .iter()
            .filter(|one| one.consumer.as_ref() == Some(consumer));
        of_them.max_by_key(|one| one.id.clone()).unwrap().code
    }

    async fn told(&self) -> Vec<Delivery> {
        let filter = DeliveryFilter {
            kind: Some(DeliveryKind::Membership),
            ..DeliveryFilter::default()
        };
        let (integration, organization) = (&self.org.integration, &self.org.organization);
        let told = integration.deliveries(organization, &filter, &ALL).await;
        told.unwrap().items
    }
}

fn known(id: &str, email: &str) -> Profile {
    profile(id).email(email).build()
}

fn refusal(field: &str) -> WriteFault {
    WriteFault::Refused(WriteError::ContentRefused(ContentRefusal {
        status: 400,
        rows: vec![RowRefusal {
            row: None,
            field: Some(field.to_owned()),
            code: "invalid".to_owned(),
        }],
    }))
}

#[tokio::test(start_paused = true)]
async fn who_is_unknown_in_klaviyo_is_added_only_where_profiles_are_made() {
    let shop = Shop::new(1).await;
    shop.add([0]).await;
    let new = shop.person(Some("new@example.com"), None).await;
    let nobody = shop.person(None, None).await;
    shop.choose("L2").await.unwrap();
    let preview = shop.preview().await.confirmation.preview;
    assert_eq!(
        (preview.adds, preview.unknown, preview.new_profiles),
        (1, 2, 0)
    );
    let run = shop.push().await;
    assert_eq!((run.progress.added, run.progress.skipped), (1, 2));
    assert_eq!(
        shop.code_of(&new).await,
        Some(DeliveryCode::UnknownInKlaviyo)
    );
    assert_eq!(
        shop.code_of(&nobody).await,
        Some(DeliveryCode::NoIdentifier)
    );
    assert_eq!(shop.writes.profile_calls(), []);

    shop.contacts(false, true).await;
    let shown = shop.preview().await;
    let preview = &shown.confirmation.preview;
    assert_eq!(
        (preview.adds, preview.unknown, preview.new_profiles),
        (1, 1, 1)
    );
    assert!(shown.is_exact);
    let run = shop.push().await;
    assert_eq!(
        (run.status, run.progress.added, run.progress.skipped),
        (SyncStatus::Success, 1, 1)
    );
    assert_eq!(shop.emails_in_list().len(), 2);
    assert_eq!(shop.code_of(&new).await, None);
    // Contacts are switched off: nothing but who they are was told.
    let [ProfileCall::Upsert(upsert)] = &shop.writes.profile_calls()[..] else {
        panic!("{:?}", shop.writes.profile_calls());
    };
    assert!(upsert.changes.is_empty());
    assert_eq!(
        upsert.person.external_id.as_ref().unwrap().as_str(),
        new.as_str()
    );
    // They are linked: the next push has nothing to do.
    let preview = shop.preview().await.confirmation.preview;
    assert_eq!((preview.adds, preview.unknown), (0, 1));
    shop.assert_no_breach();
}

#[tokio::test(start_paused = true)]
async fn a_member_whom_klaviyo_knows_by_the_e_mail_is_added_and_gets_no_second_profile() {
    let shop = Shop::new(1).await;
    shop.klaviyo.change(|contents| {
        contents.unlisted.push(known("theirs", "known@example.com"));
        contents
            .unlisted
            .push(known("listed", "listed@example.com"));
    });
    let listed = fanfare_testkit::build::profile_id("listed");
    shop.writes.by_hand(Direction::Add, &list_id("L2"), &listed);
    shop.person(Some("known@example.com"), None).await;
    shop.person(Some("listed@example.com"), None).await;
    shop.choose("L2").await.unwrap();
    let preview = shop.preview().await.confirmation.preview;
    assert_eq!(
        (preview.adds, preview.unknown, preview.new_profiles),
        (1, 0, 0)
    );
    let run = shop.push().await;
    assert_eq!((run.progress.added, run.progress.skipped), (1, 0));
    assert_eq!(
        shop.emails_in_list(),
        ["known@example.com", "listed@example.com"]
    );
    assert_eq!(shop.writes.profile_calls(), []);
    shop.assert_no_breach();
}

#[tokio::test(start_paused = true)]
async fn a_change_that_is_followed_makes_a_profile_and_adds_it_once_whatever_answer_is_lost() {
    for faults in [
        vec![],
        vec![WriteFault::AnswerLost],
        vec![WriteFault::RequestLost, WriteFault::AnswerLost],
    ] {
        let shop = Shop::keeping(2, 1).await;
        shop.contacts(false, true).await;
        shop.writes.fail_next(faults);
        shop.person(Some("new@example.com"), None).await;
        shop.wait(Duration::from_secs(11)).await;
        shop.work_to_rest().await;
        assert_eq!(shop.emails_in_list().len(), 2);
        let mut made = 0;
        shop.klaviyo.change(|contents| {
            let has = |one: &&Profile| one.email.as_text() == Some("new@example.com");
            made = contents.profiles().iter().filter(has).count();
        });
        assert_eq!(made, 1);
        shop.assert_no_breach();
    }
}

#[tokio::test(start_paused = true)]
async fn what_klaviyo_refuses_of_a_person_costs_only_themselves() {
    let shop = Shop::new(0).await;
    shop.contacts(false, true).await;
    let refused = shop.person(Some("refused@example.com"), None).await;
    let family = shop.person(None, Some("+15550001")).await;
    shop.person(Some("good@example.com"), None).await;
    shop.klaviyo.change(|contents| {
        let mother = profile("mother")
            .email("mother@example.com")
            .phone("+15550001");
        contents.unlisted.push(mother.build());
    });
    // What changes in the very moment of a push is looked at once more.
    shop.wait(Duration::from_secs(1)).await;
    shop.choose("L2").await.unwrap();
    let preview = shop.preview().await.confirmation.preview;
    assert_eq!(
        (preview.adds, preview.unknown, preview.new_profiles),
        (2, 1, 2)
    );
    shop.writes.fail_next([refusal("email")]);
    let run = shop.push().await;
    assert_eq!(
        (run.status, run.progress.added, run.progress.skipped),
        (SyncStatus::Success, 1, 2)
    );
    assert_eq!(shop.emails_in_list(), ["good@example.com"]);
    assert_eq!(shop.code_of(&refused).await, Some(DeliveryCode::Refused));
    assert_eq!(
        shop.code_of(&family).await,
        Some(DeliveryCode::UnknownInKlaviyo)
    );
}

#[tokio::test(start_paused = true)]
async fn with_contacts_names_and_numbers_are_sent_and_a_refused_number_is_left_out() {
    let shop = Shop::new(0).await;
    // The consumers are from before, so that no delivery of a contact tells of them.
    shop.person(Some("ada@example.com"), Some("+15550001"))
        .await;
    shop.contacts(true, true).await;
    shop.choose("L2").await.unwrap();
    shop.writes.fail_next([refusal("phone_number")]);
    let run = shop.push().await;
    assert_eq!((run.progress.added, run.progress.skipped), (1, 0));
    let calls = shop.writes.profile_calls();
    let [ProfileCall::Upsert(first), ProfileCall::Upsert(second)] = &calls[..] else {
        panic!("{calls:?}");
    };
    assert!(first.person.phone.is_some() && second.person.phone.is_none());
    assert!(!second.changes.first_name.is_keep());
}

#[tokio::test(start_paused = true)]
async fn profiles_of_many_are_made_by_a_job_and_those_it_leaves_out_one_by_one() {
    for (jobs, singles) in [(Jobs::Work, 0), (Jobs::Stuck, 130), (Jobs::Fail, 130)] {
        let shop = Shop::new(0).await;
        shop.contacts(false, true).await;
        shop.people_from(0, 130).await;
        shop.writes.set_jobs(jobs);
        shop.choose("L2").await.unwrap();
        let preview = shop.preview().await.confirmation.preview;
        assert_eq!((preview.adds, preview.new_profiles), (130, 130));
        let run = shop.push().await;
        assert_eq!(
            (run.status, run.progress.added),
            (SyncStatus::Success, 130),
            "{jobs:?}"
        );
        assert_eq!(shop.emails_in_list().len(), 130, "{jobs:?}");
        let imports = shop.writes.imports();
        assert_eq!(imports.len(), 1, "{jobs:?}");
        assert!(imports[0].iter().all(|row| row.changes.is_empty()));
        assert_eq!(shop.writes.profile_calls().len(), singles, "{jobs:?}");
        shop.assert_no_breach();
    }
}

#[tokio::test(start_paused = true)]
async fn a_job_whose_answer_is_lost_is_started_again_and_makes_nobody_twice() {
    for fault in [
        WriteFault::AnswerLost,
        WriteFault::RequestLost,
        refusal("email"),
    ] {
        let shop = Shop::new(0).await;
        shop.contacts(false, true).await;
        shop.people_from(0, 60).await;
        shop.choose("L2").await.unwrap();
        let shown = shop.preview().await.confirmation.text;
        let run = shop.start(Some(&shown)).await.unwrap();
        shop.writes.fail_next([fault.clone()]);
        shop.work_to_rest().await;
        assert_eq!(shop.run(&run).await.status, SyncStatus::Success);
        let emails = shop.emails_in_list();
        let distinct: std::collections::BTreeSet<&String> = emails.iter().collect();
        assert_eq!((emails.len(), distinct.len()), (60, 60), "{fault:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn profiles_that_would_be_made_count_in_what_may_be_done_without_a_person() {
    let shop = Shop::keeping(2, 1).await;
    shop.contacts(false, true).await;
    let (integration, organization) = (&shop.org.integration, &shop.org.organization);
    integration.set_push_limit(organization, 3).await.unwrap();
    shop.people_from(0, 4).await;
    shop.wait(Duration::from_secs(11)).await;
    shop.work_to_rest().await;
    assert_eq!(shop.kept().await.waits_for, Some(MustConfirm::TooMany));
    assert_eq!(shop.writes.profile_calls(), []);
    let run = shop.push().await;
    assert_eq!((run.status, run.progress.added), (SyncStatus::Success, 4));
}

//! Pages with profiles of consumers whom both sides write.

use std::collections::BTreeMap;

use fanfare_domain::consumer::{Consumer, Primary, ProfileLink, Stamp, Stamped};
use fanfare_domain::contact::{Contact, Rule, Winner};
use fanfare_domain::ids::{ConsumerId, ProfileId, SourceId};
use fanfare_domain::page::{Known, PagePlan, SharedContacts, plan};
use fanfare_domain::profile::{Attribute, Profile};
use fanfare_domain::value::{Email, FullName};

use crate::generate::bare;
use crate::world::{Counter, at};

fn profile(id: &str, name: &str, updated: i64) -> Profile {
    Profile {
        email: Attribute::text("ada@example.com"),
        first_name: Attribute::text(name),
        updated: Some(at(updated)),
        ..bare(id)
    }
}

/// Ada, as a pass has left her at ten seconds, and then as somebody has called her here at fifty.
fn edited(to: &str) -> (Consumer, Contact) {
    let by = Stamp {
        updated: Some(at(10)),
        profile: ProfileId::parse("P1").unwrap(),
    };
    let mut consumer = Consumer::new(ConsumerId::parse("cons_1").unwrap());
    consumer.email = Email::parse("ada@example.com").ok();
    consumer.full_name = Some(Stamped {
        value: FullName::join(Some("Ada"), None).0.unwrap(),
        by: Some(by.clone()),
    });
    consumer.primary = Some(Primary {
        stamp: by,
        source: SourceId::parse("sync_1").unwrap(),
    });
    let contact = Contact::before_edit(&consumer).unwrap();
    consumer.edit_full_name(FullName::join(Some(to), None).0, at(50));
    (consumer, contact)
}

fn planned(of: &(Consumer, Contact), page: &[Profile]) -> PagePlan {
    let (consumer, contact) = of;
    let link = |profile: &str| ProfileLink {
        source: SourceId::parse("sync_1").unwrap(),
        profile: ProfileId::parse(profile).unwrap(),
        consumer: consumer.id.clone(),
        updated: Some(at(10)),
        changed_at: at(10),
    };
    let known = Known {
        consumers: vec![consumer.clone()],
        links: vec![link("P1")],
        shared: Some(SharedContacts {
            rule: Rule::both(Winner::Latest),
            began_at: at(100),
            contacts: BTreeMap::from([(consumer.id.clone(), contact.clone())]),
        }),
        ..Known::default()
    };
    plan(page, known, at(100), at(100), &Counter::default())
}

fn name_of(plan: &PagePlan) -> Option<&str> {
    let name = plan.updated.first()?.consumer.full_name.as_ref()?;
    Some(name.value.as_str())
}

#[test]
fn a_value_of_ours_that_is_newer_stays_and_klaviyo_is_to_be_told_of_it() {
    let ada = edited("Grace");
    for updated in [10, 99] {
        // That the profile was touched later says nothing of its name.
        let plan = planned(&ada, &[profile("P1", "Ada", updated)]);
        assert_eq!(plan.to_tell.len(), 1);
        assert!(plan.told.is_empty());
        assert!(name_of(&plan).is_none_or(|name| name == "Grace"));
    }
}

#[test]
fn a_page_that_shows_our_value_says_that_klaviyo_was_told() {
    let ada = edited("Grace");
    let plan = planned(&ada, &[profile("P1", "Grace", 60)]);
    assert_eq!((plan.told.len(), plan.to_tell.len()), (1, 0));
    // From now on that is what both sides have.
    let contact = plan.contacts[&ada.0.id].clone();
    let again = planned(&(ada.0.clone(), contact), &[profile("P1", "Grace", 60)]);
    assert!(
        again.contacts.is_empty(),
        "a pass that changes nothing writes nothing"
    );
}

#[test]
fn a_value_of_theirs_that_is_newer_becomes_ours() {
    let plan = planned(&edited("Grace"), &[profile("P1", "Augusta", 90)]);
    assert_eq!(name_of(&plan), Some("Augusta"));
    assert!(plan.to_tell.is_empty());
}

#[test]
fn another_profile_of_the_consumer_fills_blanks_alone() {
    let other = Profile {
        phone: Attribute::text("+15550001"),
        ..profile("P2", "Other", 90)
    };
    let plan = planned(&edited("Grace"), &[other]);
    let consumer = &plan.updated[0].consumer;
    assert_eq!(name_of(&plan), Some("Grace"));
    assert!(consumer.phone.is_some());
}

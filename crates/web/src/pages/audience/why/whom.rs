//! Whom a question is about: what was typed, and those whom it may mean.

use fanfare_domain::ids::{ConsumerId, ProfileId};
use fanfare_domain::paging::PageRequest;
use fanfare_domain::ports::{ConsumerFilter, ConsumerRecord, Lookup};
use fanfare_domain::value::Email;
use fanfare_sync::{Integration, Whom};
use maud::{Markup, html};

use super::super::Frame;
use crate::components::long_text;
use crate::error::PageError;
use crate::fields::Fields;
use crate::pages::customers;
use crate::people::phone;
use crate::visitor::Visitor;

/// The most people of a name who are shown.
const MOST_NAMED: u32 = 20;

/// Whom the address asks for.
pub(super) enum Asked {
    /// Nobody yet.
    Nobody,
    /// Somebody, by what is theirs alone.
    One(Whom),
    /// All who have this phone number.
    Several(Vec<ConsumerRecord>),
    /// By what names nobody: a name, a phone number that nobody has, or no id.
    Unknown,
}

pub(super) async fn asked(
    application: &Integration,
    visitor: &Visitor,
    fields: &Fields,
) -> Result<Asked, PageError> {
    let one = |whom: Option<Whom>| whom.map_or(Asked::Unknown, Asked::One);
    if let Some(consumer) = fields.text("consumerId") {
        return Ok(one(ConsumerId::parse(consumer).ok().map(Whom::Consumer)));
    }
    if let Some(profile) = fields.text("profileId") {
        return Ok(one(ProfileId::parse(profile).ok().map(Whom::Profile)));
    }
    let Some(typed) = fields.text("person") else {
        return Ok(Asked::Nobody);
    };
    if typed.contains('@') {
        let email = Email::parse(typed).ok();
        return Ok(one(email.map(|email| Whom::Email(Some(email)))));
    }
    if let Some(phone) = phone(typed) {
        let lookup = Lookup::Phone(phone.as_str().to_owned());
        let found = application.lookup_consumers(visitor.organization(), &lookup);
        let mut found = found.await?;
        return Ok(match found.len() {
            0 => Asked::Unknown,
            1 => Asked::One(Whom::Consumer(found.remove(0).consumer.id)),
            _ => Asked::Several(found),
        });
    }
    if typed.contains(char::is_whitespace) {
        return Ok(Asked::Unknown);
    }
    let consumer = ConsumerId::parse(typed).ok();
    let consumer = consumer.filter(|_| typed.starts_with("cons_"));
    Ok(match consumer {
        Some(consumer) => Asked::One(Whom::Consumer(consumer)),
        None => one(ProfileId::parse(typed).ok().map(Whom::Profile)),
    })
}

/// The first people in whose name, e-mail or phone number what was typed is.
pub(super) async fn with_name(
    application: &Integration,
    visitor: &Visitor,
    fields: &Fields,
) -> Result<Vec<ConsumerRecord>, PageError> {
    let named = Fields::default().set("search", fields.text("person"));
    let Some(search) = named.search() else {
        return Ok(Vec::new());
    };
    let filter = ConsumerFilter {
        search: Some(search),
        ..ConsumerFilter::default()
    };
    let page = PageRequest {
        first: MOST_NAMED,
        after: None,
    };
    let found = application.consumers(visitor.organization(), &filter, &page);
    Ok(found.await?.items)
}

/// Those who have a name, to pick one from; that there is nobody, if there is nobody.
pub(super) fn named(frame: &Frame, fields: &Fields, people: &[ConsumerRecord]) -> Markup {
    if people.is_empty() {
        return not_found();
    }
    html! {
        (choice(frame, fields, "Whose name, e-mail or phone number has this", people))
        @if people.len() == MOST_NAMED as usize {
            p.hint {
                "There may be more: type more of the name, or "
                a href={ "/app/customers" (Fields::default().set("search", fields.text("person")).query()) } { "search the consumers" } "."
            }
        }
    }
}

pub(super) fn not_found() -> Markup {
    html! {
        section.panel aria-live="polite" {
            h2 { "Not found here" }
            p { "Give an e-mail, a name, a phone number such as +12025550123, or the id of a consumer or of a Klaviyo profile." }
            p { "Whoever was never brought in is known to Fanfare only by their Klaviyo profile: take its id from Klaviyo." }
        }
    }
}

/// Those who may be meant, to pick one from. Whether Klaviyo is to be asked, too, stays as it was chosen.
pub(super) fn choice(
    frame: &Frame,
    fields: &Fields,
    heading: &str,
    people: &[ConsumerRecord],
) -> Markup {
    let live = fields.get("live").filter(|live| *live == "true");
    let live = live.map_or("", |_| "&live=true");
    html! {
        section.panel aria-live="polite" {
            h2 { (heading) }
            p { "Whom do you mean?" }
            ul.plain {
                @for person in people {
                    li {
                        a href={ (frame.path()) "/why?consumerId=" (person.consumer.id) (live) } { (long_text(&customers::name(person))) }
                        @if let Some(email) = &person.consumer.email { " " bdi { (email.as_str()) } }
                    }
                }
            }
        }
    }
}

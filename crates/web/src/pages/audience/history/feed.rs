//! Who joined and left, and when.

use fanfare_domain::history::{Change, ChangeKind, Membership};
use fanfare_domain::ids::ConsumerId;
use fanfare_domain::paging::Page;
use fanfare_domain::ports::ConsumerRecord;
use fanfare_domain::value::Email;
use maud::{Markup, html};

use super::ROWS;
use crate::components::{badge, cell, empty, heading, long_text, pager, table, time};
use crate::fields::Fields;
use crate::pages::audience::Frame;
use crate::pages::customers;
use crate::visitor::Visitor;

/// Who joined and left, the latest first.
pub(super) fn feed(
    visitor: &Visitor,
    frame: &Frame,
    fields: &Fields,
    changes: &Page<(Change, Option<ConsumerRecord>)>,
) -> Markup {
    if changes.items.is_empty() {
        return empty(
            "No changes",
            "Nobody has joined or left in the time that is kept.",
            None,
        );
    }
    let headings = html! {
        (heading("Consumer"))
        (heading("Email"))
        (heading("Change"))
        (heading("When"))
    };
    let rows = html! {
        @for (change, person) in &changes.items {
            tr {
                (who(&change.consumer, person.as_ref()))
                (cell("Change", &match change.kind {
                    ChangeKind::Joined => badge("good", "Joined"),
                    ChangeKind::Left => badge("waiting", "Left"),
                }))
                (cell("When", &time(change.at, visitor.now)))
            }
        }
    };
    let is_full = changes.items.len() == ROWS as usize;
    let address = format!("{}/history", frame.path());
    html! {
        (table("Who joined and left", &headings, &rows))
        (pager(&address, fields, changes.end().filter(|_| is_full)))
    }
}

/// When the people who were searched for last joined and left.
pub(super) fn found_people(visitor: &Visitor, found: &[(ConsumerRecord, Membership)]) -> Markup {
    if found.is_empty() {
        return empty(
            "Nobody matches",
            "Nobody with this e-mail, phone number or name has been a member in the time that is kept.",
            None,
        );
    }
    let headings = html! {
        (heading("Consumer"))
        (heading("Email"))
        (heading("Joined"))
        (heading("Left"))
    };
    let rows = html! {
        @for (person, membership) in found {
            tr {
                (who(&membership.consumer, Some(person)))
                (cell("Joined", &time(membership.began, visitor.now)))
                (cell("Left", &match &membership.end {
                    Some(end) => time(end.at, visitor.now),
                    None => badge("good", "Member"),
                }))
            }
        }
    };
    table("When they joined and left", &headings, &rows)
}

/// The cells of a person, who may have been erased since.
fn who(id: &ConsumerId, person: Option<&ConsumerRecord>) -> Markup {
    html! {
        @match person {
            Some(person) => {
                th scope="row" { a href={ "/app/customers/" (id) } { (long_text(&customers::name(person))) } }
                (cell("Email", &customers::maybe_text(person.consumer.email.as_ref().map(Email::as_str))))
            },
            None => {
                th scope="row" { (id) }
                (cell("Email", &customers::maybe_text(None)))
            },
        }
    }
}

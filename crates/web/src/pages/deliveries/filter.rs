//! Which deliveries an address asks for, and the choice between others.

use fanfare_domain::delivery::{DeliveryFilter, DeliveryKind, DeliveryStatus};
use fanfare_domain::ids::OrganizationId;
use fanfare_domain::ports::ConsumerRecord;
use fanfare_sync::{Error, Integration};
use maud::{Markup, html};

use super::PATH;
use crate::components::{choices, long_text};
use crate::fields::Fields;
use crate::pages::customers;
use crate::{people, words};

/// What is asked for.
pub(super) struct Asked {
    status: Option<DeliveryStatus>,
    kind: Option<DeliveryKind>,
    pub(super) whose: Whose,
}

/// Whose deliveries are asked for.
pub(super) enum Whose {
    Everybodys,
    /// A text was typed that names nobody.
    Nobodys,
    SomebodysOnly(Box<ConsumerRecord>),
    /// A text was typed that names several.
    SeveralPeoples(Vec<ConsumerRecord>),
}

impl Asked {
    pub(super) async fn read(
        application: &Integration,
        organization: &OrganizationId,
        fields: &Fields,
    ) -> Result<Self, Error> {
        let whose = match fields.text("search") {
            None => Whose::Everybodys,
            Some(typed) => {
                let mut found = people::named(application, organization, typed).await?;
                match (found.pop(), found.is_empty()) {
                    (None, _) => Whose::Nobodys,
                    (Some(person), true) => Whose::SomebodysOnly(Box::new(person)),
                    (Some(last), false) => {
                        found.push(last);
                        Whose::SeveralPeoples(found)
                    }
                }
            }
        };
        Ok(Self {
            status: fields.get("status").and_then(DeliveryStatus::parse),
            kind: fields.get("kind").and_then(DeliveryKind::parse),
            whose,
        })
    }

    /// The filter of the store; `None` if nothing can match.
    pub(super) fn filter(&self) -> Option<DeliveryFilter> {
        let consumer = match &self.whose {
            Whose::Everybodys => None,
            Whose::SomebodysOnly(person) => Some(person.consumer.id.clone()),
            Whose::Nobodys | Whose::SeveralPeoples(_) => return None,
        };
        Some(DeliveryFilter {
            status: self.status,
            consumer,
            kind: self.kind,
        })
    }

    /// What else can be asked for, as links.
    pub(super) fn choices(&self, fields: &Fields) -> Markup {
        let statuses = DeliveryStatus::ALL.iter();
        let statuses: Vec<_> = statuses
            .map(|status| (status.as_str(), words::delivery_status(*status)))
            .collect();
        let kinds = DeliveryKind::ALL.iter();
        let kinds: Vec<_> = kinds
            .map(|kind| (kind.as_str(), words::kind(*kind)))
            .collect();
        let status = self.status.map(DeliveryStatus::as_str);
        let kind = self.kind.map(DeliveryKind::as_str);
        html! {
            div.filters {
                (choices("Status", "status", &statuses, status, PATH, fields))
                (choices("Kind", "kind", &kinds, kind, PATH, fields))
            }
            @if let Whose::SomebodysOnly(person) = &self.whose {
                p {
                    "Deliveries of "
                    a href={ "/app/customers/" (person.consumer.id) } { (long_text(&customers::name(person))) }
                    ". "
                    a href={ (PATH) (fields.set("search", None).set("after", None).query()) } { "Show everybody's" }
                }
            }
        }
    }
}

//! What Klaviyo would be told of an event, before anything is.

use fanfare_domain::events::{Decision, EventType};
use fanfare_domain::writing::{Event, PersonalText};
use fanfare_sync::Integration;
use maud::{Markup, html};
use serde_json::{Map, Value};

use crate::components::{long_text, notice};
use crate::error::PageError;
use crate::fields::Fields;
use crate::visitor::Visitor;
use crate::{people, texts, words};

/// What was asked for, and what would be told.
#[derive(Default)]
pub(super) struct Preview {
    of: Option<EventType>,
    person: String,
    outcome: Option<Outcome>,
}

enum Outcome {
    Decided(Box<Decision>),
    /// The person that was typed is nobody's, or not one alone.
    NotOnePerson,
}

impl Preview {
    pub(super) async fn read(
        application: &Integration,
        visitor: &Visitor,
        fields: &Fields,
    ) -> Result<Self, PageError> {
        let of = fields.text("preview").and_then(EventType::of_name);
        let Some(of) = of.filter(|of| of.is_of_a_consumer()) else {
            return Ok(Self::default());
        };
        let organization = visitor.organization();
        let person = fields.text("person").unwrap_or_default();
        let consumer = if person.is_empty() {
            Ok(None)
        } else {
            let mut found = people::named(application, organization, person).await?;
            match (found.pop(), found.is_empty()) {
                (Some(person), true) => Ok(Some(person.consumer.id)),
                _ => Err(Outcome::NotOnePerson),
            }
        };
        let outcome = match consumer {
            Ok(consumer) => {
                let decision = application.preview_event(organization, of, consumer.as_ref());
                Outcome::Decided(Box::new(decision.await?))
            }
            Err(outcome) => outcome,
        };
        Ok(Self {
            of: Some(of),
            person: person.to_owned(),
            outcome: Some(outcome),
        })
    }

    pub(super) fn panel(&self, path: &str) -> Markup {
        html! {
            section.panel #preview {
                h2 { "What Klaviyo would be told" }
                p.hint { "By the metrics that are saved, with sample data. Nothing is sent." }
                form.fields method="get" action={ (path) "#preview" } {
                    div.field {
                        label for="event" { "Event" }
                        select #event name="preview" {
                            @for of in EventType::forwardable() {
                                option value=(of) selected[self.of == Some(of)] { (words::event(of)) }
                            }
                        }
                    }
                    div.field {
                        label for="person" { "E-mail, phone or id of a consumer" }
                        input #person name="person" type="text" value=(self.person) placeholder="Somebody" autocomplete="off"
                            dir="auto" maxlength="320";
                    }
                    button.quiet type="submit" { "Show preview" }
                }
                @match &self.outcome {
                    None => {},
                    Some(Outcome::NotOnePerson) => (notice("warn", &html! {
                        "No consumer, or more than one, has exactly this. Type a whole e-mail, a whole phone number or an id."
                    })),
                    Some(Outcome::Decided(decision)) => (decided(decision)),
                }
            }
        }
    }
}

fn decided(decision: &Decision) -> Markup {
    match decision {
        Decision::Drop(code) => notice("warn", &html! { strong { "Nothing. " } (code.message()) }),
        Decision::Send {
            event, hold_until, ..
        } => html! {
            (told(event))
            @if hold_until.is_some() {
                p.hint {
                    "The amount comes with the order's own event. This one waits for it for up to a minute, then it is sent without."
                }
            }
        },
    }
}

fn told(event: &Event) -> Markup {
    let properties: Map<String, Value> =
        serde_json::from_str(event.properties.as_str()).unwrap_or_default();
    html! {
        dl.rows {
            dt { "Metric" } dd { (long_text(event.metric.as_str())) }
            dt { "Person" } dd { (person(event)) }
            dt { "Time" } dd { (texts::exact(event.at)) }
            @if let Some(value) = &event.value {
                dt { "Value" } dd { (value.amount()) " " (value.currency().as_str()) }
            }
            dt { "Known again by" } dd { (long_text(event.unique_id.as_str())) }
            @for (name, value) in &properties {
                dt { code { (name) } }
                dd {
                    @match value {
                        Value::String(text) => (long_text(text)),
                        other => (long_text(&other.to_string())),
                    }
                }
            }
        }
    }
}

/// By what Klaviyo would know the person.
fn person(event: &Event) -> Markup {
    let ids = &event.person;
    let text = |text: &Option<PersonalText>| text.as_ref().map(|text| text.as_str().to_owned());
    html! {
        @if let Some(profile) = &ids.profile {
            "The profile " (long_text(profile.as_str()))
        } @else if let Some(email) = text(&ids.email) {
            "Whoever has the e-mail " (long_text(&email))
        } @else if let Some(phone) = text(&ids.phone) {
            "Whoever has the phone number " (long_text(&phone))
        }
    }
}

//! `/app/customers/{id}/unsubscribe`: how far somebody lets themselves be written to, and its end.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::{Data, Path};
use fanfare_domain::collection::CollectionKind;
use fanfare_domain::consent::{Consent, ConsentLevel};
use fanfare_domain::ids::CollectionId;
use fanfare_domain::organization::Role;
use fanfare_domain::ports::{AudienceRecord, ConsumerRecord};
use fanfare_domain::writing::Channel;
use fanfare_sync::{Error, Integration, UnsubscribeRequest};
use maud::{Markup, html};

use super::{PATH, editing, name};
use crate::components::{badge, csrf, long_text, maybe_time, notice};
use crate::error::PageError;
use crate::fields::{Fields, Form};
use crate::layout::Section;
use crate::router::{PageRoute, page};
use crate::texts;
use crate::visitor::{Visitor, see};

/// The routes of this file.
pub(super) fn routes() -> Vec<PageRoute> {
    vec![
        page!(GET Editor "/app/customers/{id}/unsubscribe", ask),
        page!(POST Editor "/app/customers/{id}/unsubscribe", unsubscribe),
    ]
}

/// What a channel is called.
const fn channel_name(channel: Channel) -> &'static str {
    match channel {
        Channel::Email => "E-mail",
        Channel::Sms => "SMS",
    }
}

/// How far consent goes, in words.
fn level(consent: Consent) -> Markup {
    match consent.level {
        ConsentLevel::Suppressed => badge("bad", "Suppressed"),
        ConsentLevel::Unsubscribed => badge("bad", "Unsubscribed"),
        ConsentLevel::NeverSubscribed => badge("none", "Never subscribed"),
        ConsentLevel::Subscribed => badge("good", "Subscribed"),
    }
}

/// The consents of somebody, as Klaviyo has told them.
pub(super) fn panel(visitor: &Visitor, person: &ConsumerRecord) -> Markup {
    let consents = person.consumer.consents.get();
    html! {
        section.panel {
            h2 { "Consent" }
            @match consents {
                None => p { "Nothing is known: Klaviyo tells it with the next sync of a list that the person is in." },
                Some(consents) => dl.rows {
                    @for channel in Channel::ALL {
                        @let consent = consents.of(*channel);
                        dt { (channel_name(*channel)) }
                        dd {
                            (level(consent))
                            @if consent.at.is_some() { " since " (maybe_time(consent.at, visitor.now)) }
                        }
                    }
                },
            }
            p.hint { "Nothing here subscribes anybody or lifts a suppression. Suppressed: mail bounced, or the person complained." }
            @if visitor.may(Role::Editor) {
                div.actions {
                    a.button.danger href={ (PATH) "/" (person.consumer.id) "/unsubscribe" } { "Unsubscribe" }
                }
            }
        }
    }
}

async fn ask(
    application: Data<Integration>,
    visitor: Visitor,
    path: Path<String>,
) -> Result<HttpResponse, PageError> {
    let person = editing::person(&application, &visitor, path).await?;
    let typed = Fields::default().set("scope", Some("ALL"));
    answer(&application, &visitor, &person, &typed, None).await
}

async fn unsubscribe(
    application: Data<Integration>,
    visitor: Visitor,
    path: Path<String>,
    form: Form,
) -> Result<HttpResponse, PageError> {
    let Form(typed) = form;
    let person = editing::person(&application, &visitor, path).await?;
    let request = match read(&typed) {
        Ok(request) => request,
        Err(fault) => {
            let mut answer = answer(&application, &visitor, &person, &typed, Some(fault)).await?;
            *answer.status_mut() = StatusCode::BAD_REQUEST;
            return Ok(answer);
        }
    };
    let id = &person.consumer.id;
    let done = application.unsubscribe(visitor.organization(), id, request);
    let (fault, status) = match done.await {
        Ok(_) => return Ok(see(&format!("{PATH}/{id}?notice=unsubscribed"))),
        Err(Error::NotInList) => (
            "The person is not in this list. Klaviyo would unsubscribe them from everything, so nothing was done.",
            StatusCode::CONFLICT,
        ),
        Err(Error::Invalid(_)) => (
            "The person has no e-mail, or no phone number, for what was chosen.",
            StatusCode::BAD_REQUEST,
        ),
        Err(error) => return Err(error.into()),
    };
    let mut answer = answer(&application, &visitor, &person, &typed, Some(fault)).await?;
    *answer.status_mut() = status;
    Ok(answer)
}

/// What the form asks for, or what is wrong with it.
fn read(typed: &Fields) -> Result<UnsubscribeRequest, &'static str> {
    let channels = typed.all("channel").filter_map(Channel::parse);
    let channels: Vec<Channel> = channels.collect();
    if channels.is_empty() {
        return Err("Choose at least one channel.");
    }
    let list = match typed.get("scope") {
        Some("LIST") => {
            let list = typed
                .text("list")
                .and_then(|id| CollectionId::parse(id).ok());
            Some(list.ok_or("Choose a list.")?)
        }
        _ => None,
    };
    Ok(UnsubscribeRequest { channels, list })
}

/// The Klaviyo list that fills an audience, with the audience's name.
fn list_of(record: &AudienceRecord) -> Option<(&str, &str)> {
    let source = record.source.as_ref()?;
    let is_list = source.collection.kind == CollectionKind::List;
    is_list.then_some((source.collection.id.as_str(), &record.audience.name))
}

async fn answer(
    application: &Integration,
    visitor: &Visitor,
    person: &ConsumerRecord,
    typed: &Fields,
    fault: Option<&str>,
) -> Result<HttpResponse, PageError> {
    let id = &person.consumer.id;
    let audiences = application.audiences_of(visitor.organization(), id).await?;
    let lists: Vec<(&str, &str)> = audiences.iter().filter_map(list_of).collect();
    let title = format!("Unsubscribe {}", name(person));
    let body = html! {
        div.head { h1 { "Unsubscribe " (long_text(&name(person))) "?" } }
        @if let Some(fault) = fault { (notice("bad", &html! { (fault) })) }
        form.panel method="post" action={ (PATH) "/" (id) "/unsubscribe" } {
            (csrf(visitor))
            p {
                "It holds here at once, and is told to Klaviyo. It cannot be taken back here: only the person can subscribe again, by a form of yours."
            }
            fieldset {
                legend { "From which messages" }
                @for channel in Channel::ALL {
                    div {
                        label.choice {
                            input type="checkbox" name="channel" value=(channel) checked[typed.all("channel").any(|of| of == channel.as_str())];
                            (channel_name(*channel))
                        }
                    }
                }
            }
            fieldset {
                legend { "How far" }
                div {
                    label.choice {
                        input type="radio" name="scope" value="ALL" checked[typed.get("scope") != Some("LIST")];
                        "From all marketing"
                    }
                }
                @if !lists.is_empty() {
                    div {
                        label.choice {
                            input type="radio" name="scope" value="LIST" checked[typed.get("scope") == Some("LIST")];
                            "From one list, which they leave"
                        }
                    }
                    div.field {
                        label for="list" { "List" }
                        select #list name="list" {
                            @for (list, name) in &lists {
                                option value=(list) selected[typed.get("list") == Some(*list)] { (texts::cut(name, 80)) }
                            }
                        }
                    }
                }
            }
            div.actions {
                button.danger type="submit" { "Unsubscribe" }
                a.button.quiet href={ (PATH) "/" (id) } { "Leave it" }
            }
        }
    };
    Ok(visitor.page(&title, Section::Customers, &body))
}

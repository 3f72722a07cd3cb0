//! `/app/audiences/{id}/why`: why somebody is, or is not, a member.

mod whom;

use actix_web::HttpResponse;
use actix_web::web::{Data, Path};
use fanfare_domain::explain::{Live, Reason, ReasonCode};
use fanfare_domain::issue::IssueCode;
use fanfare_domain::organization::Role;
use fanfare_sync::{Entity, Error, Explanation, Integration, Whom};
use maud::{Markup, html};

use self::whom::{Asked, asked, choice, named, not_found, with_name};
use super::issues::klaviyo_address;
use super::{Frame, audience_id};
use crate::components::{badge, long_text, maybe_time, time};
use crate::error::PageError;
use crate::fields::{Fields, Query};
use crate::pages::customers;
use crate::router::{PageRoute, page};
use crate::texts;
use crate::visitor::Visitor;

/// The routes of this file.
pub(super) fn routes() -> Vec<PageRoute> {
    vec![page!(GET Viewer "/app/audiences/{id}/why", show)]
}

async fn show(
    application: Data<Integration>,
    visitor: Visitor,
    path: Path<String>,
    query: Query,
) -> Result<HttpResponse, PageError> {
    let (id, Query(fields)) = (audience_id(path)?, query);
    let frame = Frame::load(&application, &visitor, &id).await?;
    let told = match asked(&application, &visitor, &fields).await? {
        Asked::Nobody => None,
        Asked::Unknown => {
            let people = with_name(&application, &visitor, &fields).await?;
            Some(named(&frame, &fields, &people))
        }
        Asked::Several(people) => {
            let heading = "Several people have this phone number";
            Some(choice(&frame, &fields, heading, &people))
        }
        Asked::One(whom) => {
            let live = fields.get("live") == Some("true");
            let explained = application.explain(visitor.organization(), &id, &whom, live);
            match explained.await {
                Ok(explained) if is_unknown(&whom, &explained) => {
                    let people = with_name(&application, &visitor, &fields).await?;
                    Some(named(&frame, &fields, &people))
                }
                Ok(explained) => {
                    let name = name_of(&application, &visitor, &explained).await?;
                    Some(answer(&visitor, &frame, &explained, name.as_deref()))
                }
                Err(Error::NotFound(Entity::Consumer)) => Some(not_found()),
                Err(error) => return Err(error.into()),
            }
        }
    };
    let address = format!("{}/why", frame.path());
    let part = html! {
        section.panel {
            h2 { "Why is somebody in, or not in?" }
            (question(&address, &fields))
        }
        @if let Some(told) = told { (told) }
    };
    Ok(frame.answer(&visitor, &fields, "Why?", part))
}

/// Whether neither we nor Klaviyo know what was given as a profile's id: it may be anything, such as a name.
fn is_unknown(whom: &Whom, explained: &Explanation) -> bool {
    let mut reasons = explained.reasons.iter();
    matches!(whom, Whom::Profile(_))
        && explained.live.in_list() != Some(true)
        && reasons.all(|reason| {
            matches!(
                reason.code,
                ReasonCode::UnknownPerson | ReasonCode::LiveUnavailable
            )
        })
}

/// What the person who was explained is called.
async fn name_of(
    application: &Integration,
    visitor: &Visitor,
    explained: &Explanation,
) -> Result<Option<String>, PageError> {
    let Some(consumer) = &explained.consumer else {
        return Ok(None);
    };
    match application.consumer(visitor.organization(), consumer).await {
        Ok(person) => Ok(Some(customers::name(&person))),
        Err(Error::NotFound(_)) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

fn question(address: &str, fields: &Fields) -> Markup {
    let names = ["person", "consumerId", "profileId"];
    let typed = names.into_iter().find_map(|name| fields.text(name));
    html! {
        form method="get" action=(address) {
            div.field {
                label for="person" { "E-mail, phone number or id" }
                input #person name="person" type="text" required value=(typed.unwrap_or_default())
                    autocomplete="off" maxlength="320" aria-describedby="person-hint";
                p.hint #person-hint { "The id of a consumer, or of a profile in Klaviyo. A name is found, too." }
            }
            p {
                label.choice {
                    input type="checkbox" name="live" value="true" checked[fields.get("live") == Some("true")];
                    "Ask Klaviyo, too"
                }
            }
            button type="submit" { "Explain" }
        }
    }
}

/// A reason for people at the dashboard: what happened, what to do, and the way there.
fn words(visitor: &Visitor, frame: &Frame, explained: &Explanation, reason: &Reason) -> Markup {
    let source = frame.status.record.source.as_ref();
    let kind = source.map_or("list", |source| source.collection.kind.noun());
    let when = reason.at.map(|at| time(at, visitor.now));
    let is_listed = explained.live.in_list();
    html! {
        @match reason.code {
            ReasonCode::Member if is_listed == Some(false) => {
                "A member since " (when.unwrap_or_default()) ", but no longer in Klaviyo's " (kind)
                ": the next complete sync removes them. " (at_once(frame))
            },
            ReasonCode::Member => {
                "In the audience, because they are in Klaviyo's " (kind) ". A member since " (when.unwrap_or_default()) "."
            },
            ReasonCode::RemovalHeld => {
                "Nobody is removed at present, so somebody who has left the " (kind) " may still be in. "
                a href=(frame.path()) { "See on the audience's overview why, and what to do" } "."
            },
            ReasonCode::Skipped => {
                "Their Klaviyo profile is in the " (kind) ", but it could not be taken. " (skipped(reason))
                @if let Some(profile) = &reason.profile {
                    " " a href=(klaviyo_address(profile.as_str())) rel="noreferrer" target="_blank" { "Open the profile in Klaviyo" } "."
                }
            },
            ReasonCode::Readdressed => {
                "The e-mail of their Klaviyo profile has changed: they are a member by their present address. Search the "
                a href={ (frame.path()) "/members" } { "members" } " for it."
            },
            ReasonCode::Left => {
                "A member until " (when.unwrap_or_default()) ", when a sync found that they had left Klaviyo's " (kind) "."
            },
            ReasonCode::NotReadYet => {
                "They may have joined after the last complete sync, or there has been none yet. They come in with the next one. "
                (at_once(frame))
            },
            ReasonCode::NotInList => {
                "Known to Fanfare, but not in Klaviyo's " (kind) " when it was last read. Add them to it in Klaviyo, then sync."
            },
            ReasonCode::UnknownPerson => {
                "Nobody here has this e-mail or id. Look for a typing error, or search for the person in Klaviyo."
            },
            ReasonCode::LiveUnavailable if frame.is_cut_off() => {
                "Klaviyo is disconnected and could not be asked, so this is what Fanfare knows. "
                @if visitor.may(Role::Admin) {
                    a href="/app/settings/integrations?sheet=klaviyo" { "Connect Klaviyo" }
                } @else { "An admin of your organization can connect it again." }
            },
            ReasonCode::LiveUnavailable => {
                "Klaviyo could not be asked just now, so this is what Fanfare knows. Ask again in a minute."
            },
        }
    }
}

/// How what the next sync does is done at once.
fn at_once(frame: &Frame) -> &'static str {
    if frame.is_cut_off() {
        "Klaviyo is disconnected: none runs before it is connected again."
    } else {
        "Press Sync now to do it at once."
    }
}

/// Why a profile was skipped. The reason's text names the issue's code.
fn skipped(reason: &Reason) -> &'static str {
    let mut codes = IssueCode::ALL.iter();
    let code = codes.find(|code| reason.message.contains(code.as_str()));
    code.map_or("", |code| code.message())
}

fn answer(visitor: &Visitor, frame: &Frame, explained: &Explanation, name: Option<&str>) -> Markup {
    html! {
        section.panel aria-live="polite" {
            h2 {
                @if explained.is_member { (badge("good", "Member")) } @else { (badge("waiting", "Not a member")) }
            }
            @for reason in &explained.reasons {
                p { (words(visitor, frame, explained, reason)) }
            }
            dl.rows {
                dt { "As of" } dd { (maybe_time(explained.as_of, visitor.now)) }
                @if let Some(consumer) = &explained.consumer {
                    dt { "Consumer" } dd { a href={ "/app/customers/" (consumer) } { (long_text(name.unwrap_or(consumer.as_str()))) } }
                }
                @for profile in &explained.profiles {
                    dt { "Profile" }
                    dd {
                        a href=(klaviyo_address(profile.profile.as_str())) rel="noreferrer" target="_blank" {
                            (long_text(profile.profile.as_str()))
                        }
                        @match profile.in_list {
                            Some(true) => ", in the list",
                            Some(false) => ", not in the list",
                            None => "",
                        }
                        @if let Some(joined) = profile.joined_at { ", joined " (texts::exact(joined)) }
                    }
                }
                @match &explained.live {
                    Live::NotAsked => {},
                    Live::Unavailable => { dt { "Klaviyo" } dd { "Could not be asked" } },
                    Live::Members(members) => {
                        dt { "Klaviyo now" }
                        dd { @if members.is_empty() { "Not in the list" } @else { "In the list" } }
                    },
                }
            }
        }
    }
}

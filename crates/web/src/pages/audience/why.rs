//! `/app/audiences/{id}/why`: why somebody is, or is not, a member.

use actix_web::HttpResponse;
use actix_web::web::{Data, Path};
use fanfare_domain::explain::{Live, Reason, ReasonCode};
use fanfare_domain::ids::{ConsumerId, ProfileId};
use fanfare_domain::issue::IssueCode;
use fanfare_domain::value::Email;
use fanfare_sync::{Explanation, Integration, Whom};
use maud::{Markup, html};

use super::issues::klaviyo_address;
use super::{Frame, audience_id};
use crate::components::{badge, long_text, maybe_time, time};
use crate::error::PageError;
use crate::fields::{Fields, Query};
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
    let explained = match whom(&fields) {
        Some(whom) => {
            let live = fields.get("live") == Some("true");
            let organization = visitor.organization();
            Some(application.explain(organization, &id, &whom, live).await?)
        }
        None => None,
    };
    let address = format!("{}/why", frame.path());
    let part = html! {
        section.panel {
            h2 { "Why is somebody in, or not in?" }
            (question(&address, &fields))
        }
        @if let Some(explained) = &explained {
            (answer(&visitor, &frame, explained))
        }
    };
    Ok(frame.answer(&visitor, &fields, "Why?", part))
}

/// Whom the address asks for: an e-mail, or the id of a consumer or of a profile.
fn whom(fields: &Fields) -> Option<Whom> {
    if let Some(consumer) = fields.text("consumerId") {
        return Some(ConsumerId::parse(consumer).map_or(Whom::Email(None), Whom::Consumer));
    }
    let typed = fields.text("person")?;
    if typed.contains('@') {
        return Some(Whom::Email(Email::parse(typed).ok()));
    }
    if typed.starts_with("cons_")
        && let Ok(consumer) = ConsumerId::parse(typed)
    {
        return Some(Whom::Consumer(consumer));
    }
    Some(ProfileId::parse(typed).map_or(Whom::Email(None), Whom::Profile))
}

fn question(address: &str, fields: &Fields) -> Markup {
    let typed = fields.text("person").or(fields.text("consumerId"));
    html! {
        form method="get" action=(address) {
            div.field {
                label for="person" { "E-mail, or the id of a consumer or a Klaviyo profile" }
                input #person name="person" type="text" required value=(typed.unwrap_or_default())
                    autocomplete="off" maxlength="320";
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
                ": the next complete sync removes them. Press Sync now to do it at once."
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
                "They may have joined after the last complete sync, or there has been none yet. They come in with the next one: "
                "press Sync now to do it at once."
            },
            ReasonCode::NotInList => {
                "Known to Fanfare, but not in Klaviyo's " (kind) " when it was last read. Add them to it in Klaviyo, then sync."
            },
            ReasonCode::UnknownPerson => {
                "Nobody here has this e-mail or id. Look for a typing error, or search for the person in Klaviyo."
            },
            ReasonCode::LiveUnavailable => {
                "Klaviyo could not be asked just now, so this is what Fanfare knows. Ask again in a minute."
            },
        }
    }
}

/// Why a profile was skipped. The reason's text names the issue's code.
fn skipped(reason: &Reason) -> &'static str {
    let mut codes = IssueCode::ALL.iter();
    let code = codes.find(|code| reason.message.contains(code.as_str()));
    code.map_or("", |code| code.message())
}

fn answer(visitor: &Visitor, frame: &Frame, explained: &Explanation) -> Markup {
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
                    dt { "Consumer" } dd { a href={ "/app/customers/" (consumer) } { (consumer) } }
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

//! `/app/audiences/{id}/why`: why somebody is, or is not, a member.

use actix_web::HttpResponse;
use actix_web::web::{Data, Path};
use fanfare_domain::explain::Live;
use fanfare_domain::ids::{ConsumerId, ProfileId};
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
            (answer(&visitor, explained))
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

fn answer(visitor: &Visitor, explained: &Explanation) -> Markup {
    html! {
        section.panel aria-live="polite" {
            h2 {
                @if explained.is_member { (badge("good", "Member")) } @else { (badge("waiting", "Not a member")) }
            }
            @for reason in &explained.reasons {
                p {
                    (reason.message)
                    @if let Some(at) = reason.at { " (" (time(at, visitor.now)) ")" }
                }
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

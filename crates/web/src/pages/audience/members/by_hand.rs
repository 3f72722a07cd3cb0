//! Who is in an audience that is filled by hand: people are added by e-mail, and members are taken out.

use std::collections::BTreeSet;

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::{Data, Path};
use fanfare_domain::audience::MAX_MEMBERS_AT_ONCE;
use fanfare_domain::ids::{AudienceId, ConsumerId};
use fanfare_domain::value::Email;
use fanfare_sync::Integration;
use maud::{Markup, html};

use super::super::{Frame, audience_id};
use super::{Beside, answer};
use crate::Dashboard;
use crate::components::{csrf, field};
use crate::error::PageError;
use crate::fields::{Fields, Form};
use crate::router::{PageRoute, page};
use crate::texts;
use crate::visitor::{Visitor, see};

/// The routes of this file.
pub(super) fn routes() -> Vec<PageRoute> {
    vec![
        page!(POST Editor "/app/audiences/{id}/members/add", add),
        page!(POST Editor "/app/audiences/{id}/members/remove", remove),
    ]
}

/// What was typed into the form that adds people, and what is to be said of it.
#[derive(Default)]
pub(super) struct Typed {
    emails: String,
    fault: Option<String>,
}

/// Unknown addresses that are named one by one.
const NAMED: usize = 20;

/// Adds those who are known. Whoever is not stays in the field, with what can be done.
async fn add(
    application: Data<Integration>,
    dashboard: Data<Dashboard>,
    visitor: Visitor,
    path: Path<String>,
    form: Form,
) -> Result<HttpResponse, PageError> {
    let id = audience_id(path)?;
    let typed = form.0.get("emails").unwrap_or_default();
    let words: BTreeSet<&str> = typed
        .split(|c: char| c.is_whitespace() || [',', ';'].contains(&c))
        .filter(|word| !word.is_empty())
        .collect();
    if words.is_empty() || words.len() > MAX_MEMBERS_AT_ONCE {
        let fault = if words.is_empty() {
            "Type at least one e-mail.".to_owned()
        } else {
            format!(
                "Nobody was added. At most {} at once.",
                texts::count(MAX_MEMBERS_AT_ONCE as u64, "e-mail", "e-mails")
            )
        };
        let typed = Typed {
            emails: typed.to_owned(),
            fault: Some(fault),
        };
        return refuse(&application, &visitor, &id, typed, 0).await;
    }
    let emails: Vec<(&str, Option<Email>)> = words
        .into_iter()
        .map(|word| (word, Email::parse(word).ok()))
        .collect();
    let asked: Vec<Email> = emails
        .iter()
        .filter_map(|(_, email)| email.clone())
        .collect();
    let organization = visitor.organization();
    let known = application.consumers_by_email(organization, &asked).await?;
    let is_known = |email: &Option<Email>| {
        let email = email.as_ref();
        email.is_some_and(|email| known.contains_key(email))
    };
    let unknown: Vec<&str> = emails
        .iter()
        .filter(|(_, email)| !is_known(email))
        .map(|(word, _)| *word)
        .collect();
    let people: BTreeSet<ConsumerId> = known.into_values().collect();
    let mut added = 0;
    if !people.is_empty() {
        let done = application.add_members(organization, &id, &people).await?;
        dashboard.counts.forget(&id);
        added = done.changed;
    }
    if unknown.is_empty() {
        return Ok(see(&address(&id, &format!("members-added&count={added}"))));
    }
    let named = unknown.iter().take(NAMED).copied();
    let named: Vec<String> = named.map(|word| texts::cut(word, 80)).collect();
    let more = unknown.len().saturating_sub(NAMED) as u64;
    let more = if more > 0 {
        format!(", and {}", texts::count(more, "other", "others"))
    } else {
        String::new()
    };
    let typed = Typed {
        emails: unknown.join("\n"),
        fault: Some(format!(
            "Not added, because Fanfare has no consumer with this e-mail: {}{more}. Look for a typing error, or add them under \
             Consumers first.",
            named.join(", ")
        )),
    };
    refuse(&application, &visitor, &id, typed, added).await
}

/// The page, with what was not done.
async fn refuse(
    application: &Integration,
    visitor: &Visitor,
    id: &AudienceId,
    typed: Typed,
    added: u64,
) -> Result<HttpResponse, PageError> {
    let beside = Beside { typed, added };
    let mut answer = answer(application, visitor, id, &Fields::default(), beside).await?;
    *answer.status_mut() = StatusCode::BAD_REQUEST;
    Ok(answer)
}

async fn remove(
    application: Data<Integration>,
    dashboard: Data<Dashboard>,
    visitor: Visitor,
    path: Path<String>,
    form: Form,
) -> Result<HttpResponse, PageError> {
    let id = audience_id(path)?;
    let people = picked(&form.0);
    if people.is_empty() {
        Frame::load(&application, &visitor, &id).await?;
        return Ok(see(&address(&id, "nobody-ticked")));
    }
    let done = application.remove_members(visitor.organization(), &id, &people);
    let removed = done.await?.changed;
    dashboard.counts.forget(&id);
    Ok(see(&address(
        &id,
        &format!("members-removed&count={removed}"),
    )))
}

/// Those who were ticked. What cannot be an id was never a checkbox of ours.
pub(super) fn picked(form: &Fields) -> BTreeSet<ConsumerId> {
    let ids = form.all(PICK);
    ids.filter_map(|id| ConsumerId::parse(id).ok()).collect()
}

/// The name of the checkboxes.
pub(super) const PICK: &str = "consumer";

/// The audience's members, with what was done.
pub(super) fn address(id: &AudienceId, said: &str) -> String {
    format!("/app/audiences/{id}/members?notice={said}")
}

/// The two ways in which people are added.
pub(super) fn panel(visitor: &Visitor, frame: &Frame, typed: &Typed) -> Markup {
    let path = format!("{}/members", frame.path());
    let fault = typed.fault.as_deref();
    let input = html! {
        textarea #emails name="emails" rows="4" autocomplete="off" spellcheck="false" maxlength="200000"
            aria-describedby=(if fault.is_some() { "emails-fault" } else { "emails-hint" })
            aria-invalid=[fault.map(|_| "true")] { (typed.emails) }
    };
    html! {
        section.panel {
            h2 { "Add members" }
            form method="post" action={ (path) "/add" } {
                (csrf(visitor))
                (field("emails", "E-mails", "One a line, or with commas between. Only consumers that Fanfare knows can be added.", fault, &input))
                div.actions {
                    button type="submit" { "Add members" }
                    a.button.quiet href={ (path) "/pick" } { "Pick consumers" }
                }
            }
        }
    }
}

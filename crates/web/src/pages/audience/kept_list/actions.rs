//! What people do with the list of an audience: choose it, preview, push, cancel, stop.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::{Data, Path};
use fanfare_domain::ids::{AudienceId, RunId};
use fanfare_domain::organization::Role;
use fanfare_sync::{Entity, Error, Integration, ListChoice};
use maud::{Markup, html};

use super::super::audience_id;
use super::choosing::Choice;
use super::{Beside, address, answer};
use crate::components::{button_form, long_text};
use crate::error::PageError;
use crate::fields::{Fields, Form};
use crate::layout::Section;
use crate::router::{PageRoute, page};
use crate::visitor::{Visitor, see};

/// The routes of this file.
pub(super) fn routes() -> Vec<PageRoute> {
    vec![
        page!(POST Admin "/app/audiences/{id}/klaviyo-list", choose),
        page!(POST Viewer "/app/audiences/{id}/klaviyo-list/preview", preview),
        page!(POST Editor "/app/audiences/{id}/klaviyo-list/push", push),
        page!(POST Editor "/app/audiences/{id}/klaviyo-list/cancel", cancel),
        page!(GET Admin "/app/audiences/{id}/klaviyo-list/stop", ask_to_stop),
        page!(POST Admin "/app/audiences/{id}/klaviyo-list/stop", stop),
    ]
}

async fn choose(
    application: Data<Integration>,
    visitor: Visitor,
    path: Path<String>,
    form: Form,
) -> Result<HttpResponse, PageError> {
    let id = audience_id(path)?;
    let choice = Choice::read(&form.0);
    let chosen = match choice.chosen() {
        Ok(chosen) => chosen,
        Err(fault) => {
            let beside = Beside {
                choice,
                warning: Some(html! { (fault) }),
                ..Beside::default()
            };
            return refuse(&application, &visitor, &id, beside, StatusCode::BAD_REQUEST).await;
        }
    };
    let (organization, actor) = (visitor.organization(), visitor.actor());
    let outcome = application.choose_list(organization, &id, chosen, &actor);
    match outcome.await {
        Ok(_) => Ok(see(&format!("{}?notice=list-chosen", address(&id)))),
        Err(error) => tell(&application, &visitor, &id, choice, error).await,
    }
}

async fn ask_to_stop(
    application: Data<Integration>,
    visitor: Visitor,
    path: Path<String>,
) -> Result<HttpResponse, PageError> {
    let id = audience_id(path)?;
    let path = address(&id);
    let Some(kept) = application.kept_list(visitor.organization(), &id).await? else {
        // Somebody has stopped it already.
        return Ok(see(&path));
    };
    let list = kept.name.as_deref().unwrap_or(kept.list.as_str());
    let body = html! {
        div.head { h1 { "Stop keeping the audience in " (long_text(list)) "?" } }
        section.panel {
            p { "Changes of the audience reach the list no more, and a push under way ends. To begin again takes a preview and a confirmation." }
            p { "Whoever is in the list stays there." }
            div.actions {
                (button_form(&visitor, &format!("{path}/stop"), "danger", "Yes, stop", &[]))
                a.button.quiet href=(path) { "Keep it in the list" }
            }
        }
    };
    Ok(visitor.page("Stop keeping it", Section::Audiences, &body))
}

async fn stop(
    application: Data<Integration>,
    visitor: Visitor,
    path: Path<String>,
    _: Form,
) -> Result<HttpResponse, PageError> {
    let id = audience_id(path)?;
    let (organization, actor) = (visitor.organization(), visitor.actor());
    application
        .choose_list(organization, &id, ListChoice::None, &actor)
        .await?;
    Ok(see(&format!("{}?notice=list-stopped", address(&id))))
}

async fn preview(
    application: Data<Integration>,
    visitor: Visitor,
    path: Path<String>,
    _: Form,
) -> Result<HttpResponse, PageError> {
    let id = audience_id(path)?;
    show_preview(&application, &visitor, &id, None).await
}

async fn show_preview(
    application: &Integration,
    visitor: &Visitor,
    id: &AudienceId,
    warning: Option<Markup>,
) -> Result<HttpResponse, PageError> {
    let shown = match application.preview_push(visitor.organization(), id).await {
        Ok(shown) => shown,
        Err(error) => return tell(application, visitor, id, Choice::default(), error).await,
    };
    let beside = Beside {
        preview: Some(&shown),
        warning,
        ..Beside::default()
    };
    answer(application, visitor, id, &Fields::default(), beside).await
}

async fn push(
    application: Data<Integration>,
    visitor: Visitor,
    path: Path<String>,
    form: Form,
) -> Result<HttpResponse, PageError> {
    let id = audience_id(path)?;
    let confirmation = form.0.text("confirmation");
    let started = application
        .push_audience(visitor.organization(), &id, confirmation)
        .await;
    match started {
        // A double click: the first has started what both wanted.
        Ok(_) | Err(Error::SyncInProgress) => Ok(see(&format!("{}?notice=push", address(&id)))),
        // It is not any more what was shown: what it is now is shown.
        Err(Error::ConfirmationRequired(_)) => {
            let text = "Nothing was pushed: what it would do has changed since you saw it, or you saw it more than 15 minutes ago. This \
                        is what it would do now.";
            show_preview(&application, &visitor, &id, Some(html! { (text) })).await
        }
        Err(error) => tell(&application, &visitor, &id, Choice::default(), error).await,
    }
}

async fn cancel(
    application: Data<Integration>,
    visitor: Visitor,
    path: Path<String>,
    form: Form,
) -> Result<HttpResponse, PageError> {
    let id = audience_id(path)?;
    let not_found = || PageError::from(Error::NotFound(Entity::SyncRun));
    let run = form.0.text("run").ok_or_else(not_found)?;
    let run = RunId::parse(run).map_err(|_| not_found())?;
    let organization = visitor.organization();
    if application.push_run(organization, &run).await?.audience != id {
        return Err(not_found());
    }
    match application.cancel_push(organization, &run).await {
        Ok(_) => Ok(see(&format!("{}?notice=push-cancelled", address(&id)))),
        Err(Error::RunFinished) => Ok(see(&address(&id))),
        Err(error) => Err(error.into()),
    }
}

/// Where the key is saved.
const INTEGRATIONS: &str = "/app/settings/integrations";

/// Tells on the page itself why something was not done, where another choice or another try mends it.
async fn tell(
    application: &Integration,
    visitor: &Visitor,
    id: &AudienceId,
    choice: Choice,
    error: Error,
) -> Result<HttpResponse, PageError> {
    if matches!(error, Error::Store(_) | Error::NotFound(Entity::Audience)) {
        return Err(error.into());
    }
    let error = PageError::from(error);
    let told = error.told();
    if told.status == StatusCode::INTERNAL_SERVER_ERROR {
        return Err(error);
    }
    let beside = Beside {
        choice,
        warning: Some(html! {
            (told.heading) ". " (told.text)
            @if told.way_out.1 == INTEGRATIONS && visitor.may(Role::Editor) {
                " " a href={ (INTEGRATIONS) "?sheet=klaviyo&update=1" } { "Save a new key" }
            }
        }),
        ..Beside::default()
    };
    refuse(application, visitor, id, beside, told.status).await
}

/// The page, with what was wrong.
async fn refuse(
    application: &Integration,
    visitor: &Visitor,
    id: &AudienceId,
    beside: Beside<'_>,
    status: StatusCode,
) -> Result<HttpResponse, PageError> {
    let mut answer = answer(application, visitor, id, &Fields::default(), beside).await?;
    *answer.status_mut() = status;
    Ok(answer)
}

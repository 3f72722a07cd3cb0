//! `/app/audiences/{id}/klaviyo-list`: the Klaviyo list that the audience is kept in, and what a push into it would do.

mod actions;
mod choosing;
mod limit;
mod preview;
mod progress;

use actix_web::HttpResponse;
use actix_web::web::{Data, Path};
use fanfare_domain::failure::FailureCode;
use fanfare_domain::ids::{AudienceId, OrganizationId};
use fanfare_domain::organization::Role;
use fanfare_domain::paging::PageRequest;
use fanfare_domain::push::{KeptList, MustConfirm, PushRun};
use fanfare_domain::run::SyncStatus;
use fanfare_domain::time::Timestamp;
use fanfare_sync::{Integration, PushPreview};
use maud::{Markup, html};

use self::choosing::Choice;
use super::{Frame, audience_id};
use crate::components::{badge, button_form, long_text, maybe_time, notice};
use crate::error::PageError;
use crate::fields::{Fields, Query};
use crate::router::{PageRoute, page};
use crate::texts;
use crate::visitor::Visitor;

/// The routes of these files.
pub(super) fn routes() -> Vec<PageRoute> {
    let mut routes = vec![page!(GET Viewer "/app/audiences/{id}/klaviyo-list", show)];
    routes.extend(actions::routes());
    routes.extend(limit::routes());
    routes
}

/// How the tab is called.
pub(super) const TAB: &str = "Keep in Klaviyo";

/// After how many seconds a script looks for news while a push is under way, and while changes are followed.
const WHILE_PUSHING: u32 = 2;
const WHILE_FOLLOWING: u32 = 10;

/// The page's address.
fn address(audience: &AudienceId) -> String {
    format!("/app/audiences/{audience}/klaviyo-list")
}

/// What is shown beside the list itself.
#[derive(Default)]
struct Beside<'a> {
    choice: Choice,
    preview: Option<&'a PushPreview>,
    warning: Option<Markup>,
    limit: Option<limit::Typed>,
}

async fn show(
    application: Data<Integration>,
    visitor: Visitor,
    path: Path<String>,
    query: Query,
) -> Result<HttpResponse, PageError> {
    let id = audience_id(path)?;
    answer(&application, &visitor, &id, &query.0, Beside::default()).await
}

async fn answer(
    application: &Integration,
    visitor: &Visitor,
    id: &AudienceId,
    fields: &Fields,
    beside: Beside<'_>,
) -> Result<HttpResponse, PageError> {
    let Beside {
        choice,
        preview,
        warning,
        limit,
    } = beside;
    let warning = warning.map(|text| notice("bad", &text));
    let frame = Frame::load(application, visitor, id).await?;
    let organization = visitor.organization();
    let kept = application.kept_list(organization, id).await?;
    let page = PageRequest {
        first: 1,
        after: None,
    };
    let pushes = application.push_runs(organization, id, &page).await?;
    let latest = pushes.items.into_iter().next();
    let part = match &kept {
        None => {
            let choice = choice.load(application, visitor).await?;
            html! {
                div #klaviyo-list {
                    @if let Some(warning) = &warning { (warning) }
                    (choice.form(visitor, &frame, &address(id)))
                }
            }
        }
        Some(kept) => {
            let shown_limit = match limit {
                Some(typed) => typed,
                None => limit::Typed::stored(application.push_limit(organization).await?),
            };
            let latest = latest.filter(|run| run.list == kept.list);
            let is_pushing = latest.as_ref().is_some_and(|run| run.status.is_active());
            let pushed_at = match &latest {
                Some(run) if run.error.is_some() => {
                    last_success(application, organization, kept).await?
                }
                _ => kept.last_pushed_at,
            };
            // What somebody reads, perhaps before they confirm it, does not go away under their eyes.
            let is_read = preview.is_some() || warning.is_some() || shown_limit.fault.is_some();
            let every = match (is_read, is_pushing) {
                (true, _) => None,
                (false, true) => Some(WHILE_PUSHING),
                (false, false) => Some(WHILE_FOLLOWING),
            };
            html! {
                div #klaviyo-list data-refresh=(address(id)) data-every=[every] {
                    @if let Some(warning) = &warning { (warning) }
                    @if let Some(preview) = preview {
                        (preview::panel(visitor, kept, preview))
                    }
                    (facts(visitor, &frame, kept, latest.as_ref(), pushed_at, preview.is_some()))
                    @if let Some(run) = &latest {
                        (progress::panel(visitor, run))
                    }
                }
                // What is typed here does not go away with what is shown anew.
                @if !visitor.is_partial { (limit::panel(visitor, kept, &shown_limit)) }
            }
        }
    };
    Ok(frame.answer(visitor, fields, TAB, part))
}

/// When a push into the list last succeeded.
async fn last_success(
    application: &Integration,
    organization: &OrganizationId,
    kept: &KeptList,
) -> Result<Option<Timestamp>, PageError> {
    let mut page = PageRequest {
        first: 100,
        after: None,
    };
    loop {
        let read = application.push_runs(organization, &kept.audience, &page);
        let read = read.await?;
        page.after = read.end().map(str::to_owned);
        let mut runs = read.items.into_iter();
        let succeeded = runs.find(|run| run.list == kept.list && run.status == SyncStatus::Success);
        if succeeded.is_some() || page.after.is_none() {
            return Ok(succeeded.and_then(|run| run.finished_at));
        }
    }
}

/// The list, and how it follows the audience.
fn facts(
    visitor: &Visitor,
    frame: &Frame,
    kept: &KeptList,
    latest: Option<&PushRun>,
    pushed_at: Option<Timestamp>,
    is_previewed: bool,
) -> Markup {
    let path = address(&kept.audience);
    let is_pushing = latest.is_some_and(|run| run.status.is_active());
    html! {
        section.panel {
            h2 { "Kept in a Klaviyo list" }
            p { (standing(frame, kept, latest)) }
            dl.rows {
                dt { "List" }
                dd {
                    a href=(klaviyo_address(kept)) rel="noreferrer" target="_blank" {
                        (long_text(kept.name.as_deref().unwrap_or(kept.list.as_str())))
                    }
                }
                dt { "Chosen" } dd { (maybe_time(Some(kept.chosen_at), visitor.now)) }
                dt { "Last pushed" } dd { (maybe_time(pushed_at, visitor.now)) }
            }
            p.hint {
                "Only people whom Fanfare has added are ever removed. Whom you take off the list by hand is not added again. Nobody is subscribed by it."
            }
            div.actions {
                @if !is_pushing {
                    (button_form(visitor, &format!("{path}/preview"), if is_previewed { "quiet" } else { "" }, "Preview a push", &[]))
                }
                @if visitor.may(Role::Admin) {
                    a.button.danger href={ (path) "/stop" } { "Stop keeping it" }
                }
            }
        }
    }
}

/// How the list follows the audience: a word in a colour, and what it means.
fn standing(frame: &Frame, kept: &KeptList, latest: Option<&PushRun>) -> Markup {
    let first = why_confirm(MustConfirm::First);
    let is_pushing = latest.is_some_and(|run| run.status.is_active());
    let failed = latest.and_then(|run| run.error.as_ref());
    let (kind, word, text) = match kept.waits_for {
        _ if !frame.is_connected => (
            "bad",
            "Stopped",
            "Klaviyo is disconnected: no change reaches the list before it is connected again.".to_owned(),
        ),
        None if kept.is_followed() && failed.is_some_and(|error| is_tried_again(error.code)) => (
            "waiting",
            "Tried again",
            "The last push failed because Klaviyo gave no usable answer. Another one follows by itself within a quarter of an hour."
                .to_owned(),
        ),
        None if kept.is_followed() && failed.is_some_and(|error| error.code != FailureCode::Cancelled) => (
            "bad",
            "Stopped",
            "The last push failed, for the reason below. Changes follow again when that is mended, or when somebody pushes.".to_owned(),
        ),
        None if kept.is_followed() => (
            "good",
            "Following",
            "Changes of the audience follow by themselves, within seconds.".to_owned(),
        ),
        None if is_pushing => (
            "working",
            "First push",
            "Changes follow by themselves once the first push has ended.".to_owned(),
        ),
        None | Some(MustConfirm::First) => ("waiting", "Waits for first push", first),
        Some(why) => ("bad", "Waits for a confirmation", why_confirm(why)),
    };
    html! { (badge(kind, word)) " " (text) }
}

/// Whether a push that failed like this is made again by itself.
const fn is_tried_again(code: FailureCode) -> bool {
    matches!(
        code,
        FailureCode::UpstreamUnavailable | FailureCode::UpstreamInvalid
    )
}

/// Where Klaviyo shows the list.
fn klaviyo_address(kept: &KeptList) -> String {
    let id = percent_encoding::utf8_percent_encode(
        kept.list.as_str(),
        percent_encoding::NON_ALPHANUMERIC,
    );
    format!("https://www.klaviyo.com/list/{id}")
}

/// Why a person has to look before people are changed.
fn why_confirm(why: MustConfirm) -> String {
    match why {
        MustConfirm::First => {
            "It is the first push into this list: look at what it would do.".to_owned()
        }
        MustConfirm::TooMany => {
            "It would change more people than a push may without somebody's look.".to_owned()
        }
        MustConfirm::Mails(people) => format!(
            "Live flows hang on the list, and {} would be mailed.",
            texts::count(people, "person", "people"),
        ),
        MustConfirm::FlowsUnknown => {
            "The API key may not read flows, so it is not known whether somebody would be mailed. A key with Read Access for \
             Flows lets changes follow by themselves."
                .to_owned()
        }
    }
}

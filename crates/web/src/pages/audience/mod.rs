//! `/app/audiences/{id}`: one audience, a module for each of its tabs.

mod actions;
mod editing;
mod history;
mod issues;
mod kept_list;
mod live;
mod members;
mod overview;
mod progress;
mod runs;
mod why;

pub(super) use issues::klaviyo_address;
pub(crate) use progress::duplicates;

use actix_web::HttpResponse;
use actix_web::web::Path;
use fanfare_domain::ids::AudienceId;
use fanfare_domain::organization::Role;
use fanfare_domain::paging::PageRequest;
use fanfare_domain::run::SyncRun;
use fanfare_sync::{AudienceStatus, Entity, Error, Integration};
use maud::{Markup, html};

use crate::components::{
    badge, button_form, cancelled_badge, long_text, notice, status_badge, tabs,
};
use crate::error::PageError;
use crate::fields::Fields;
use crate::layout::Section;
use crate::router::PageRoute;
use crate::texts;
use crate::visitor::Visitor;

/// The routes of these files.
pub(super) fn routes() -> Vec<PageRoute> {
    let of_files = [
        overview::routes,
        members::routes,
        issues::routes,
        kept_list::routes,
        runs::routes,
        actions::routes,
        editing::routes,
        history::routes,
        live::routes,
        why::routes,
    ];
    of_files.into_iter().flat_map(|routes| routes()).collect()
}

/// The id in a path. What cannot be an id is one that is not found.
fn audience_id(path: Path<String>) -> Result<AudienceId, PageError> {
    AudienceId::parse(path.into_inner()).map_err(|_| Error::NotFound(Entity::Audience).into())
}

/// An audience, with what every tab shows of it.
struct Frame {
    status: AudienceStatus,
    /// Its latest run, if it has one.
    latest: Option<SyncRun>,
    /// The latest run that has ended.
    ended: Option<SyncRun>,
    /// Whether Klaviyo is connected.
    is_connected: bool,
}

impl Frame {
    async fn load(
        application: &Integration,
        visitor: &Visitor,
        id: &AudienceId,
    ) -> Result<Self, PageError> {
        let organization = visitor.organization();
        let status = application.audience_status(organization, id).await?;
        let page = PageRequest {
            // At most one of them is active.
            first: 2,
            after: None,
        };
        let runs = application.runs(organization, id, &page).await?.items;
        let is_connected = application.is_connected(organization).await?;
        let mut ended = runs.iter().filter(|run| !run.status.is_active());
        Ok(Self {
            status,
            ended: ended.next().cloned(),
            latest: runs.into_iter().next(),
            is_connected,
        })
    }

    fn name(&self) -> &str {
        &self.status.record.audience.name
    }

    fn path(&self) -> String {
        format!("/app/audiences/{}", self.status.record.audience.id)
    }

    fn is_archived(&self) -> bool {
        self.status.record.audience.archived
    }

    /// Whether Klaviyo would fill it, but is disconnected.
    fn is_cut_off(&self) -> bool {
        self.status.record.source.is_some() && !self.is_archived() && !self.is_connected
    }

    /// The run that is queued or syncing.
    fn active(&self) -> Option<&SyncRun> {
        self.latest.as_ref().filter(|run| run.status.is_active())
    }

    /// A tab's page, or the part of it that a script swaps.
    fn answer(&self, visitor: &Visitor, fields: &Fields, tab: &str, part: Markup) -> HttpResponse {
        visitor.page_or(part, self.name(), Section::Audiences, |part| {
            self.around(visitor, fields, tab, &part)
        })
    }

    /// What every tab has, around what is its own.
    fn around(&self, visitor: &Visitor, fields: &Fields, tab: &str, part: &Markup) -> Markup {
        html! {
            (self.head(visitor))
            @if let Some(text) = said(fields) {
                (notice("good", &html! { (text) }))
            }
            @if self.is_archived() {
                (notice("warn", &html! { "This audience was deleted. Its members are kept, and it no longer syncs." }))
            }
            @if self.is_cut_off() {
                (notice("warn", &html! {
                    strong { "Klaviyo is disconnected: nothing is updated. " }
                    "The members are those of the last sync. "
                    @if visitor.may(Role::Admin) {
                        a href="/app/settings/integrations?sheet=klaviyo" { "Connect Klaviyo" }
                    } @else {
                        "An admin of your organization can connect it again."
                    }
                }))
            }
            (self.tabs(tab))
            (part)
        }
    }

    fn head(&self, visitor: &Visitor) -> Markup {
        let path = self.path();
        html! {
            div.head {
                h1 { (long_text(self.name())) }
                @match self.status.record.status() {
                    Some(_) if self.latest.as_ref().is_some_and(progress::is_cancelled) => (cancelled_badge()),
                    Some(status) => (status_badge(status)),
                    None => (badge("none", "By hand")),
                }
                @if visitor.may(Role::Editor) && !self.is_archived() {
                    div.actions {
                        @if self.status.record.source.is_some() {
                            // It keeps its place while a sync is under way: nothing else comes to lie under a second click.
                            @if self.active().is_some() || self.is_cut_off() {
                                button type="button" disabled { "Sync now" }
                            } @else {
                                (button_form(visitor, &format!("{path}/sync"), "", "Sync now", &[]))
                            }
                        }
                        a.button.quiet href={ (path) "/edit" } { "Edit" }
                        a.button.danger href={ (path) "/delete" } { "Delete" }
                    }
                }
            }
        }
    }

    fn tabs(&self, current: &str) -> Markup {
        let path = self.path();
        let mut pages = vec![
            ("Overview", path.clone()),
            ("Members", format!("{path}/members")),
            ("Issues", format!("{path}/issues")),
            ("Runs", format!("{path}/runs")),
            (kept_list::TAB, format!("{path}/klaviyo-list")),
            ("History", format!("{path}/history")),
            ("Why?", format!("{path}/why")),
        ];
        if self.status.record.source.is_none() {
            // Whoever is in it was put there by hand: no profile had an issue, and there is nothing to explain.
            pages.retain(|(name, _)| !["Issues", "Why?"].contains(name));
        }
        tabs("Audience", &pages, current)
    }
}

/// What was done, after a form.
fn said(fields: &Fields) -> Option<String> {
    let count = || fields.text("count")?.parse::<u64>().ok();
    match fields.get("notice")? {
        "members-added" => return count().map(members::members_added),
        "members-removed" => {
            let people = |count| texts::count(count, "member was", "members were");
            return count().map(|count| format!("{} removed.", people(count)));
        }
        _ => {}
    }
    said_plainly(fields).map(str::to_owned)
}

fn said_plainly(fields: &Fields) -> Option<&'static str> {
    match fields.get("notice")? {
        "nobody-ticked" => Some("Nobody was ticked."),
        "made" => Some("The audience was created. Say who is in it: add people below."),
        "made-same-name" => Some(
            "The audience was created, and another one has the same name: give one of them another, so that nobody takes the wrong one. Say who \
             is in it: add people below.",
        ),
        "limit-saved" => Some("The number was saved. It holds for all audiences."),
        "sync" => Some("The sync has been queued."),
        "cancelled" => Some("The sync was cancelled. What it had written stays."),
        "list-chosen" => Some(
            "The list was chosen. Nobody is added or removed before you have seen what a push would do, and confirmed it.",
        ),
        "list-stopped" => {
            Some("The audience is kept in no list any more. Whoever is in the list stays there.")
        }
        "push" => Some("The push has been queued."),
        "push-cancelled" => Some("The push was cancelled. What it had done stays."),
        "snapshot" => Some("The snapshot was taken."),
        "snapshot-same-name" => Some(
            "The snapshot was taken. Another one has the same name: they differ by when they were taken.",
        ),
        "snapshot-deleted" => Some("The snapshot was deleted."),
        "saved" => Some("The audience was saved."),
        "same-name" => Some(
            "The audience was saved. Another audience has the same name: give one of them another, so that nobody takes the wrong one.",
        ),
        _ => None,
    }
}

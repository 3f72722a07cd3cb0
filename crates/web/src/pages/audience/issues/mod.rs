//! `/app/audiences/{id}/issues`: what a sync did not take as it was, by reason; on the page, and as a file.

mod file;

use std::collections::BTreeMap;

use actix_web::HttpResponse;
use actix_web::web::{Data, Path};
use fanfare_domain::ids::{OrganizationId, RunId};
use fanfare_domain::issue::{Field, Issue, IssueCode};
use fanfare_domain::paging::PageRequest;
use fanfare_sync::{Entity, Error, Integration};
use maud::{Markup, html};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use super::{Frame, audience_id};
use crate::components::{
    cell, empty, heading, long_text, number, pager, search_field, table, time,
};
use crate::error::PageError;
use crate::fields::{Fields, Query};
use crate::router::{PageRoute, page};
use crate::visitor::Visitor;

/// The routes of this file.
pub(super) fn routes() -> Vec<PageRoute> {
    vec![
        page!(GET Viewer "/app/audiences/{id}/issues", show),
        page!(GET Viewer "/app/audiences/{id}/issues.csv", file::download),
    ]
}

/// Issues of a page.
const ROWS: u32 = 100;

/// Issues that the file and a search read at once.
const READ_AT_ONCE: u32 = 1_000;

/// How often a search reads so many: further ones are not looked through.
const MOST_READS: u32 = 20;

async fn show(
    application: Data<Integration>,
    visitor: Visitor,
    path: Path<String>,
    query: Query,
) -> Result<HttpResponse, PageError> {
    let (id, Query(fields)) = (audience_id(path)?, query);
    let frame = Frame::load(&application, &visitor, &id).await?;
    let address = format!("{}/issues", frame.path());
    let Some(run) = run_of(&application, &visitor, &frame, &fields).await? else {
        let part = empty(
            "No sync yet",
            "Issues appear here after the first sync.",
            None,
        );
        return Ok(frame.answer(&visitor, &fields, "Issues", part));
    };
    let organization = visitor.organization();
    let totals = application.issue_counts(organization, &run).await?;
    let all: u64 = totals.iter().map(|(_, count)| count).sum();
    let typed = fields.typed_search();
    let (issues, next) = if typed.is_empty() {
        let page = fields.page(ROWS);
        let read = application.issues(organization, &run, &page).await?;
        let is_full = read.items.len() == ROWS as usize;
        let next = read.end().filter(|_| is_full).map(str::to_owned);
        (read.items, next)
    } else {
        (find(&application, organization, &run, typed).await?, None)
    };
    let part = html! {
        div #issues {
            @if all == 0 {
                (empty("No issues", "Every profile of this sync was taken as it was.", None))
            } @else if issues.is_empty() {
                (empty("No issue matches", "Search for a part of a profile's id, of a field or of a reason.", Some(("Show all issues", &address))))
            } @else {
                (groups(&visitor, &issues, &totals))
                (pager(&address, &fields, next.as_deref()))
            }
        }
    };
    if visitor.is_partial || all == 0 {
        return Ok(frame.answer(&visitor, &fields, "Issues", part));
    }
    let part = html! {
        (summary(&totals, &format!("{address}.csv?run={run}")))
        (search_field(&address, &fields, "Profile, field or reason", "#issues"))
        (part)
    };
    Ok(frame.answer(&visitor, &fields, "Issues", part))
}

/// How many issues there are of each reason, and all of them as a file.
fn summary(totals: &[(IssueCode, u64)], file: &str) -> Markup {
    html! {
        section.panel {
            h2 { "What was not taken as it was" }
            ul.totals {
                @for (code, count) in totals {
                    li { (number(*count)) span { (code.message()) } }
                }
            }
            p { a.button.quiet href=(file) download { "Download as CSV" } }
        }
    }
}

/// The first issues in whose profile, field or reason a text is.
async fn find(
    application: &Integration,
    organization: &OrganizationId,
    run: &RunId,
    typed: &str,
) -> Result<Vec<Issue>, PageError> {
    let typed = typed.to_lowercase();
    let mut found = Vec::new();
    let mut after = None;
    for _ in 0..MOST_READS {
        let page = PageRequest {
            first: READ_AT_ONCE,
            after,
        };
        let read = application.issues(organization, run, &page).await?;
        after = read.end().map(str::to_owned);
        found.extend(read.items.into_iter().filter(|issue| {
            let texts = [
                issue.profile.as_str(),
                field(issue),
                issue.kind.code.message(),
            ];
            texts
                .iter()
                .any(|text| text.to_lowercase().contains(&typed))
        }));
        if found.len() >= ROWS as usize || after.is_none() {
            break;
        }
    }
    found.truncate(ROWS as usize);
    Ok(found)
}

/// The field that an issue is about, in words.
fn field(issue: &Issue) -> &'static str {
    match issue.kind.field {
        Some(Field::Email) => "E-mail",
        Some(Field::PhoneNumber) => "Phone number",
        Some(Field::FirstName) => "First name",
        Some(Field::LastName) => "Last name",
        Some(Field::Updated) => "Time of the last change",
        Some(Field::JoinedGroupAt) => "Time of joining",
        None => "The whole profile",
    }
}

/// The run whose issues are asked for: the audience's latest, unless the address names another one of it.
async fn run_of(
    application: &Integration,
    visitor: &Visitor,
    frame: &Frame,
    fields: &Fields,
) -> Result<Option<RunId>, PageError> {
    let Some(named) = fields.text("run") else {
        return Ok(frame.latest.as_ref().map(|run| run.id.clone()));
    };
    let not_found = || PageError::from(Error::NotFound(Entity::SyncRun));
    let id = RunId::parse(named).map_err(|_| not_found())?;
    let run = application.run(visitor.organization(), &id).await?;
    if run.audience == frame.status.record.audience.id {
        Ok(Some(id))
    } else {
        Err(not_found())
    }
}

/// The issues of a page, by reason.
fn groups(visitor: &Visitor, issues: &[Issue], totals: &[(IssueCode, u64)]) -> Markup {
    let mut by_code = BTreeMap::<IssueCode, Vec<&Issue>>::new();
    for issue in issues {
        by_code.entry(issue.kind.code).or_default().push(issue);
    }
    let headings = html! {
        (heading("Profile"))
        (heading("Field"))
        (heading("Found"))
    };
    html! {
        @for (code, issues) in by_code {
            @let total = totals.iter().find(|(of, _)| *of == code).map_or(0, |(_, count)| *count);
            section.panel {
                h2 { (code.message()) }
                p.hint { (number(issues.len() as u64)) " shown here, of " (number(total)) ". " (remedy(code)) }
                (table(code.message(), &headings, &html! {
                    @for issue in issues {
                        tr {
                            th scope="row" {
                                a href=(klaviyo_address(issue.profile.as_str())) rel="noreferrer" target="_blank" {
                                    (long_text(issue.profile.as_str()))
                                }
                            }
                            (cell("Field", &html! { (field(issue)) }))
                            (cell("Found", &time(issue.at, visitor.now)))
                        }
                    }
                }))
            }
        }
    }
}

/// Where Klaviyo shows a profile.
pub(crate) fn klaviyo_address(profile: &str) -> String {
    let id = utf8_percent_encode(profile, NON_ALPHANUMERIC);
    format!("https://www.klaviyo.com/profile/{id}")
}

fn remedy(code: IssueCode) -> &'static str {
    match code {
        IssueCode::Erased => "Erasing cannot be undone.",
        IssueCode::DuplicateEmail => "Merge the profiles in Klaviyo if they are one person.",
        IssueCode::MissingContact => {
            "Give the profile an e-mail or a phone number in Klaviyo, then sync."
        }
        _ => "Mend the value in Klaviyo, then sync.",
    }
}

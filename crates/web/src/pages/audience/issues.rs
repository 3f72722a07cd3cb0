//! `/app/audiences/{id}/issues`: what a sync did not take as it was, by reason; on the page, and as a file.

use std::collections::BTreeMap;

use actix_web::HttpResponse;
use actix_web::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use actix_web::web::{Bytes, Data, Path};
use fanfare_domain::ids::{OrganizationId, RunId};
use fanfare_domain::issue::{Field, Issue, IssueCode};
use fanfare_domain::paging::PageRequest;
use fanfare_sync::{Entity, Error, Integration};
use futures_util::{Stream, stream};
use maud::{Markup, html};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use super::{Frame, audience_id};
use crate::components::{empty, heading, long_text, number, pager, table, time};
use crate::error::PageError;
use crate::fields::{Fields, Query};
use crate::router::{PageRoute, page};
use crate::visitor::Visitor;

/// The routes of this file.
pub(super) fn routes() -> Vec<PageRoute> {
    vec![
        page!(GET Viewer "/app/audiences/{id}/issues", show),
        page!(GET Viewer "/app/audiences/{id}/issues.csv", download),
    ]
}

/// Issues of a page.
const ROWS: u32 = 100;

/// Issues that the file reads at once.
const READ_AT_ONCE: u32 = 1_000;

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
    let page = fields.page(ROWS);
    let issues = application
        .issues(visitor.organization(), &run, &page)
        .await?;
    let part = html! {
        @if issues.items.is_empty() {
            (empty("No issues", "Every profile of this sync was taken as it was.", None))
        } @else {
            p {
                a.button.quiet href={ (address) ".csv?run=" (run) } download { "Download as CSV" }
            }
            (groups(&visitor, &issues.items))
            (pager(&address, &fields, issues.end().filter(|_| issues.items.len() == ROWS as usize)))
        }
    };
    Ok(frame.answer(&visitor, &fields, "Issues", part))
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
fn groups(visitor: &Visitor, issues: &[Issue]) -> Markup {
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
            section.panel {
                h2 { (code.message()) }
                p.hint { (number(issues.len() as u64)) " on this page. " (remedy(code)) }
                (table(code.message(), &headings, &html! {
                    @for issue in issues {
                        tr {
                            th scope="row" {
                                a href=(klaviyo_address(issue.profile.as_str())) rel="noreferrer" target="_blank" {
                                    (long_text(issue.profile.as_str()))
                                }
                            }
                            td { (issue.kind.field.map_or("The whole profile", Field::as_str)) }
                            td { (time(issue.at, visitor.now)) }
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

async fn download(
    application: Data<Integration>,
    visitor: Visitor,
    path: Path<String>,
    query: Query,
) -> Result<HttpResponse, PageError> {
    let (id, Query(fields)) = (audience_id(path)?, query);
    let frame = Frame::load(&application, &visitor, &id).await?;
    let run = run_of(&application, &visitor, &frame, &fields).await?;
    let run = run.ok_or(Error::NotFound(Entity::SyncRun))?;
    let rows = csv(
        application.get_ref().clone(),
        visitor.organization().clone(),
        run.clone(),
    );
    Ok(HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, "text/csv; charset=utf-8"))
        .insert_header((
            CONTENT_DISPOSITION,
            format!(
                "attachment; filename=\"issues-{}.csv\"",
                file_name(run.as_str())
            ),
        ))
        .streaming(rows))
}

/// The letters and digits of an id, as a part of a file's name.
fn file_name(id: &str) -> String {
    id.chars()
        .filter(|c| c.is_ascii_alphanumeric() || *c == '_')
        .collect()
}

/// All issues of a run as lines, read as they are sent. A failure on the way cuts the file off, which the browser sees.
fn csv(
    application: Integration,
    organization: OrganizationId,
    run: RunId,
) -> impl Stream<Item = Result<Bytes, Error>> {
    let first = Some(PageRequest {
        first: READ_AT_ONCE,
        after: None,
    });
    let is_begun = false;
    stream::unfold((first, is_begun), move |(page, is_begun)| {
        let (application, organization, run) =
            (application.clone(), organization.clone(), run.clone());
        async move {
            let page = page?;
            let read = match application.issues(&organization, &run, &page).await {
                Ok(read) => read,
                Err(error) => return Some((Err(error), (None, true))),
            };
            let mut text = String::new();
            if !is_begun {
                text.push_str("profile,code,field,message,at\r\n");
            }
            for issue in &read.items {
                text.push_str(&line(issue));
            }
            let next = read.end().map(|end| PageRequest {
                first: READ_AT_ONCE,
                after: Some(end.to_owned()),
            });
            Some((Ok(Bytes::from(text)), (next, true)))
        }
    })
}

fn line(issue: &Issue) -> String {
    let cells = [
        issue.profile.as_str().to_owned(),
        issue.kind.code.to_string(),
        issue.kind.field.map_or("", Field::as_str).to_owned(),
        issue.kind.code.message().to_owned(),
        issue.at.to_string(),
    ];
    format!("{}\r\n", cells.map(|text| cell(&text)).join(","))
}

/// A cell that no spreadsheet takes for a formula, whatever Klaviyo's ids hold.
fn cell(text: &str) -> String {
    let guard = if text.starts_with(['=', '+', '-', '@', '\t', '\r']) {
        "'"
    } else {
        ""
    };
    format!("\"{guard}{}\"", text.replace('"', "\"\""))
}

#[cfg(test)]
mod tests {
    use super::cell;

    #[test]
    fn a_cell_is_text_in_every_spreadsheet() {
        assert_eq!(cell("01J"), "\"01J\"");
        assert_eq!(cell("a\"b,c"), "\"a\"\"b,c\"");
        assert_eq!(cell("=HYPERLINK(1)"), "\"'=HYPERLINK(1)\"");
    }
}

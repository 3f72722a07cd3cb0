//! All issues of a run as a file.

use actix_web::HttpResponse;
use actix_web::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use actix_web::web::{Bytes, Data, Path};
use fanfare_domain::ids::{OrganizationId, RunId};
use fanfare_domain::issue::{Field, Issue};
use fanfare_domain::paging::PageRequest;
use fanfare_sync::{Entity, Error, Integration};
use futures_util::{Stream, stream};

use super::{READ_AT_ONCE, run_of};
use crate::error::PageError;
use crate::fields::Query;
use crate::pages::audience::{Frame, audience_id};
use crate::visitor::Visitor;

pub(super) async fn download(
    application: Data<Integration>,
    visitor: Visitor,
    path: Path<String>,
    query: Query,
) -> Result<HttpResponse, PageError> {
    let (id, Query(fields)) = (audience_id(path)?, query);
    let frame = Frame::load(&application, &visitor, &id).await?;
    let run = run_of(&application, &visitor, &frame, &fields).await?;
    let run = run.ok_or(Error::NotFound(Entity::SyncRun))?.id;
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

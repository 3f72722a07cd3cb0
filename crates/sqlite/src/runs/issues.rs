//! A run's issues, to be read. Pages write them.

use fanfare_domain::ids::{ProfileId, RunId};
use fanfare_domain::issue::{Field, Issue, IssueCode, IssueKind};
use fanfare_domain::paging::{Page, PageRequest};
use fanfare_domain::ports::StoreError;

use crate::error::store_error;
use crate::rows::{id, parse_enum, time};
use crate::unit::SqliteUnit;

struct IssueRow {
    profile_id: String,
    code: String,
    field: String,
    at: i64,
}

impl TryFrom<IssueRow> for Issue {
    type Error = StoreError;

    fn try_from(row: IssueRow) -> Result<Self, StoreError> {
        let field = Some(row.field).filter(|field| !field.is_empty());
        Ok(Self {
            profile: id(row.profile_id, ProfileId::parse, "sync_issues.profile_id")?,
            kind: IssueKind {
                code: parse_enum(&row.code, IssueCode::parse, "sync_issues.code")?,
                field: field
                    .map(|field| parse_enum(&field, Field::parse, "sync_issues.field"))
                    .transpose()?,
            },
            at: time(row.at, "sync_issues.at")?,
        })
    }
}

/// The key of an issue within its run: profile, code and field with blanks between, which none of
/// the three holds.
fn key(issue: &Issue) -> String {
    let field = issue.kind.field.map_or("", Field::as_str);
    format!("{} {} {field}", issue.profile, issue.kind.code)
}

pub(super) async fn page(
    unit: &mut SqliteUnit,
    run: &RunId,
    page: &PageRequest,
) -> Result<Page<Issue>, StoreError> {
    let (organization, connection) = unit.reading();
    let run = run.as_str();
    let mut after = page.after.as_deref().unwrap_or_default().splitn(3, ' ');
    let [profile, code, field] = [(); 3].map(|()| after.next().unwrap_or_default());
    let issues: Result<Vec<Issue>, StoreError> = sqlx::query_as!(
        IssueRow,
        "SELECT profile_id, code, field, at FROM sync_issues
         WHERE organization_id = ?1 AND run_id = ?2 AND (profile_id, code, field) > (?3, ?4, ?5)
         ORDER BY profile_id, code, field LIMIT ?6",
        organization,
        run,
        profile,
        code,
        field,
        page.first
    )
    .fetch_all(connection)
    .await
    .map_err(store_error)?
    .into_iter()
    .map(Issue::try_from)
    .collect();
    Ok(Page::of(issues?, key))
}

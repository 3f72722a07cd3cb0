//! A run's issues, to be read. Pages write them.

use fanfare_domain::explain::SkippedProfile;
use fanfare_domain::ids::{AudienceId, ProfileId, RunId};
use fanfare_domain::issue::{Issue, IssueCode};
use fanfare_domain::paging::{Page, PageRequest};
use fanfare_domain::ports::StoreError;
use fanfare_sql_rows::{
    IssueRow, ProfileIssueRow, all, count, issue_key, issue_key_parts, parse_enum,
};

use crate::timeout::WithTimeout;
use crate::unit::Unit;

pub(super) async fn page(
    unit: &mut Unit,
    run: &RunId,
    page: &PageRequest,
) -> Result<Page<Issue>, StoreError> {
    let (organization, connection) = unit.reading();
    let after = page.after.as_deref().unwrap_or_default();
    let [profile, code, field] = issue_key_parts(after);
    let find = sqlx::query_file_as!(
        IssueRow,
        "../sql-rows/sql/sync_issues/page.sql",
        organization,
        run.as_str(),
        profile,
        code,
        field,
        i64::from(page.first)
    );
    let issues = all(find.fetch_all(connection).with_timeout().await?)?;
    Ok(Page::of(issues, issue_key))
}

/// How many there are of each code.
pub(super) async fn counts(
    unit: &mut Unit,
    run: &RunId,
) -> Result<Vec<(IssueCode, u64)>, StoreError> {
    let (organization, connection) = unit.reading();
    let find = sqlx::query_file!(
        "../sql-rows/sql/sync_issues/counts.sql",
        organization,
        run.as_str()
    );
    let rows = find.fetch_all(connection).with_timeout().await?;
    let read = rows.into_iter().map(|row| {
        let code = parse_enum(&row.code, IssueCode::parse, "sync_issues.code")?;
        Ok((code, count(row.issues, "sync_issues")?))
    });
    read.collect()
}

/// The issues of a profile that runs of an audience have skipped.
pub(super) async fn of_profile(
    unit: &mut Unit,
    audience: &AudienceId,
    profile: &ProfileId,
) -> Result<Vec<SkippedProfile>, StoreError> {
    let (organization, connection) = unit.reading();
    let find = sqlx::query_file_as!(
        ProfileIssueRow,
        "sql/sync_issues/of_profile.sql",
        organization,
        profile.as_str(),
        audience.as_str()
    );
    let rows = find.fetch_all(connection).with_timeout().await?;
    let issues = rows.into_iter().map(|row| row.of(profile));
    let mut issues: Vec<SkippedProfile> = issues.collect::<Result<_, _>>()?;
    issues.retain(SkippedProfile::is_skipped);
    Ok(issues)
}

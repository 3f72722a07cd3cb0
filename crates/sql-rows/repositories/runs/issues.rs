//! A run's issues, to be read. Pages write them.

use fanfare_domain::explain::SkippedProfile;
use fanfare_domain::ids::{AudienceId, ProfileId, RunId};
use fanfare_domain::issue::Issue;
use fanfare_domain::paging::{Page, PageRequest};
use fanfare_domain::ports::StoreError;
use fanfare_sql_rows::{IssueRow, ProfileIssueRow, all, issue_key, issue_key_parts};

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

//! A run's issues.

use fanfare_domain::ids::ProfileId;
use fanfare_domain::issue::{Field, Issue, IssueCode, IssueKind};
use fanfare_domain::ports::StoreError;

use crate::columns::{id, parse_enum};
use crate::db_timestamp::DbTimestamp;

/// A row of `sync_issues`; `field` is empty where the issue is about no field alone.
#[derive(Debug)]
#[expect(missing_docs, reason = "the columns' names say it")]
pub struct IssueRow {
    pub profile_id: String,
    pub code: String,
    pub field: String,
    pub at: DbTimestamp,
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
            at: row.at.0,
        })
    }
}

/// The key of an issue within its run: profile, code and field with blanks between. Of the three only the profile's
/// id may hold a blank.
pub fn issue_key(issue: &Issue) -> String {
    let field = issue.kind.field.map_or("", Field::as_str);
    format!("{} {} {field}", issue.profile, issue.kind.code)
}

/// Profile, code and field of such a key; empty where it has none.
pub fn issue_key_parts(key: &str) -> [&str; 3] {
    let mut from_the_end = key.rsplitn(3, ' ');
    let [field, code, profile] = [(); 3].map(|()| from_the_end.next().unwrap_or_default());
    [profile, code, field]
}

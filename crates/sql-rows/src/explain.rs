//! What explaining a membership reads.

use fanfare_domain::explain::SkippedProfile;
use fanfare_domain::ids::{ProfileId, RunId};
use fanfare_domain::issue::IssueCode;
use fanfare_domain::ports::StoreError;

use crate::columns::{id, parse_enum};
use crate::db_timestamp::DbTimestamp;

/// An issue of a profile that is known.
#[derive(Debug)]
#[expect(missing_docs, reason = "the columns' names say it")]
pub struct ProfileIssueRow {
    pub run_id: String,
    pub code: String,
    pub at: DbTimestamp,
}

impl ProfileIssueRow {
    /// The issue, of this profile.
    pub fn of(self, profile: &ProfileId) -> Result<SkippedProfile, StoreError> {
        Ok(SkippedProfile {
            profile: profile.clone(),
            code: parse_enum(&self.code, IssueCode::parse, "sync_issues.code")?,
            run: id(self.run_id, RunId::parse, "sync_issues.run_id")?,
            at: self.at.0,
        })
    }
}

//! The queue of due work.

use fanfare_domain::ids::{OrganizationId, WorkId};
use fanfare_domain::ports::StoreError;
use fanfare_domain::work::{SchedulingCandidate, WorkItem, WorkKey, WorkKind};

use crate::columns::{count, id, parse_enum};

/// The key of a row of `work_queue`.
#[derive(Debug)]
#[expect(missing_docs, reason = "the columns' names say it")]
pub struct WorkRow {
    pub organization_id: String,
    pub kind: String,
    pub id: String,
}

impl TryFrom<WorkRow> for WorkItem {
    type Error = StoreError;

    fn try_from(row: WorkRow) -> Result<Self, StoreError> {
        let organization = "work_queue.organization_id";
        Ok(Self {
            organization: id(row.organization_id, OrganizationId::parse, organization)?,
            key: WorkKey {
                kind: parse_enum(&row.kind, WorkKind::parse, "work_queue.kind")?,
                id: id(row.id, WorkId::parse, "work_queue.id")?,
            },
        })
    }
}

/// The same, with how much work of its organization is leased.
#[derive(Debug)]
#[expect(missing_docs, reason = "the columns' names say it")]
pub struct CandidateRow {
    pub organization_id: String,
    pub kind: String,
    pub id: String,
    pub leased: i64,
}

impl TryFrom<CandidateRow> for SchedulingCandidate {
    type Error = StoreError;

    fn try_from(row: CandidateRow) -> Result<Self, StoreError> {
        let work = WorkRow {
            organization_id: row.organization_id,
            kind: row.kind,
            id: row.id,
        };
        Ok(Self {
            work: WorkItem::try_from(work)?,
            leased: count(row.leased, "work_queue")?,
        })
    }
}

/// Logs that waits begin anew because the store's clock has been set back.
pub fn log_clock_set_back() {
    tracing::warn!("the store's clock has been set back; what waits begins anew");
}

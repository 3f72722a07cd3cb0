//! Memberships as they were, changes and snapshots.

use fanfare_domain::history::{Change, ChangeKind, Membership, MembershipEnd, Snapshot};
use fanfare_domain::ids::{ConsumerId, RunId, SnapshotId};
use fanfare_domain::ports::StoreError;

use crate::columns::{count, id};
use crate::db_timestamp::DbTimestamp;

/// What stands where a run would, of what was done by hand.
const BY_HAND: &str = "";

/// The run that began or ended a membership; `None` if that was done by hand.
pub fn run_of(text: String, column: &str) -> Result<Option<RunId>, StoreError> {
    if text == BY_HAND {
        return Ok(None);
    }
    id(text, RunId::parse, column).map(Some)
}

/// The text of a run, or what stands where none did it.
pub fn run_text(run: Option<&RunId>) -> &str {
    run.map_or(BY_HAND, RunId::as_str)
}

/// A membership that was deleted, as it was.
#[derive(Debug)]
#[expect(missing_docs, reason = "the columns' names say it")]
pub struct MembershipRow {
    pub consumer_id: String,
    pub run_id: String,
    pub created_at: DbTimestamp,
}

impl TryFrom<MembershipRow> for Membership {
    type Error = StoreError;

    fn try_from(row: MembershipRow) -> Result<Self, StoreError> {
        let (consumer, run) = (
            "audience_list_memberships.consumer_id",
            "audience_list_memberships.run_id",
        );
        Ok(Self {
            consumer: id(row.consumer_id, ConsumerId::parse, consumer)?,
            began: row.created_at.0,
            joined_by: run_of(row.run_id, run)?,
            end: None,
        })
    }
}

/// A membership that ended.
#[derive(Debug)]
#[expect(missing_docs, reason = "the columns' names say it")]
pub struct EndedMembershipRow {
    pub began_at: DbTimestamp,
    pub joined_by: String,
    pub ended_at: DbTimestamp,
    pub left_by: String,
}

impl EndedMembershipRow {
    /// The membership, which was of this consumer.
    pub fn of(self, consumer: &ConsumerId) -> Result<Membership, StoreError> {
        Ok(Membership {
            consumer: consumer.clone(),
            began: self.began_at.0,
            joined_by: run_of(self.joined_by, "ended_memberships.joined_by")?,
            end: Some(MembershipEnd {
                at: self.ended_at.0,
                left_by: run_of(self.left_by, "ended_memberships.left_by")?,
            }),
        })
    }
}

/// The beginning or the end of a membership.
#[derive(Debug)]
#[expect(missing_docs, reason = "the columns' names say it")]
pub struct ChangeRow {
    pub consumer_id: String,
    pub at: DbTimestamp,
    pub run_id: String,
}

impl ChangeRow {
    /// The change, which was of this kind.
    pub fn of(self, kind: ChangeKind) -> Result<Change, StoreError> {
        Ok(Change {
            at: self.at.0,
            kind,
            consumer: id(
                self.consumer_id,
                ConsumerId::parse,
                "memberships.consumer_id",
            )?,
            run: run_of(self.run_id, "memberships.run_id")?,
        })
    }
}

/// A row of `snapshots`.
#[derive(Debug)]
#[expect(missing_docs, reason = "the columns' names say it")]
pub struct SnapshotRow {
    pub id: String,
    pub name: String,
    pub at: DbTimestamp,
    pub members: i64,
}

impl TryFrom<SnapshotRow> for Snapshot {
    type Error = StoreError;

    fn try_from(row: SnapshotRow) -> Result<Self, StoreError> {
        Ok(Self {
            id: id(row.id, SnapshotId::parse, "snapshots.id")?,
            name: row.name,
            at: row.at.0,
            members: count(row.members, "snapshots.members")?,
        })
    }
}

//! Kept lists, their ledgers and pushes.

use fanfare_domain::ids::{ConsumerId, ProfileId};
use fanfare_domain::ports::StoreError;
use fanfare_domain::push::{KeptList, LedgerRow, PushRun, RowStanding};

use crate::columns::{from_json, id, parse_enum};
use crate::db_timestamp::{DbTimestamp, from_db};
use crate::json_text::JsonText;

/// A row of `list_ledger`.
#[derive(Debug)]
#[expect(missing_docs, reason = "the columns' names say it")]
pub struct LedgerDbRow {
    pub profile_id: String,
    pub consumer_id: Option<String>,
    pub standing: String,
    pub since: DbTimestamp,
    pub seen_at: Option<DbTimestamp>,
}

impl TryFrom<LedgerDbRow> for LedgerRow {
    type Error = StoreError;

    fn try_from(row: LedgerDbRow) -> Result<Self, StoreError> {
        let consumer = |text| id(text, ConsumerId::parse, "list_ledger.consumer_id");
        Ok(Self {
            profile: id(row.profile_id, ProfileId::parse, "list_ledger.profile_id")?,
            consumer: row.consumer_id.map(consumer).transpose()?,
            standing: parse_enum(&row.standing, RowStanding::parse, "list_ledger.standing")?,
            since: row.since.0,
            seen_at: from_db(row.seen_at),
        })
    }
}

/// The kept list of a column.
pub fn kept_list(state: &JsonText) -> Result<KeptList, StoreError> {
    from_json(&state.0, "kept_lists.state")
}

/// The push of a column.
pub fn push_run(state: &JsonText) -> Result<PushRun, StoreError> {
    from_json(&state.0, "push_runs.state")
}

//! Columns to values and back.

use fanfare_domain::ids::{InvalidId, OrganizationId, WorkId};
use fanfare_domain::ports::StoreError;
use fanfare_domain::time::Timestamp;
use fanfare_domain::work::{WorkItem, WorkKey, WorkKind};

use crate::error::corrupt;

/// Who makes the rows that a sync writes.
pub(crate) const SYSTEM_ACTOR: &str = "system:klaviyo";

pub(crate) fn time(micros: i64, column: &str) -> Result<Timestamp, StoreError> {
    Timestamp::from_micros(micros).ok_or_else(|| corrupt(column))
}

pub(crate) fn time_opt(micros: Option<i64>, column: &str) -> Result<Option<Timestamp>, StoreError> {
    micros.map(|micros| time(micros, column)).transpose()
}

pub(crate) fn id<T>(
    text: String,
    parse: impl FnOnce(String) -> Result<T, InvalidId>,
    column: &str,
) -> Result<T, StoreError> {
    parse(text).map_err(|_| corrupt(column))
}

pub(crate) fn parse_enum<T>(
    text: &str,
    parse: impl FnOnce(&str) -> Option<T>,
    column: &str,
) -> Result<T, StoreError> {
    parse(text).ok_or_else(|| corrupt(column))
}

pub(crate) fn count(number: i64, column: &str) -> Result<u64, StoreError> {
    u64::try_from(number).map_err(|_| corrupt(column))
}

pub(crate) fn to_u32(number: i64, column: &str) -> Result<u32, StoreError> {
    u32::try_from(number).map_err(|_| corrupt(column))
}

/// A count as a column: SQLite's integers are signed.
pub(crate) fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

pub(crate) fn micros(time: Option<Timestamp>) -> Option<i64> {
    time.map(Timestamp::as_micros)
}

/// A value as JSON text. A set goes into a statement as one such parameter, for `json_each`.
pub(crate) fn json<T: serde::Serialize + ?Sized>(value: &T) -> String {
    serde_json::to_string(value).expect("plain values of texts and numbers become JSON")
}

pub(crate) fn from_json<T: serde::de::DeserializeOwned>(
    text: &str,
    column: &str,
) -> Result<T, StoreError> {
    serde_json::from_str(text).map_err(|_| corrupt(column))
}

/// A row of the queue of due work.
pub(crate) fn work_item(
    organization: String,
    kind: &str,
    work: String,
) -> Result<WorkItem, StoreError> {
    Ok(WorkItem {
        organization: id(
            organization,
            OrganizationId::parse,
            "work_queue.organization_id",
        )?,
        key: WorkKey {
            kind: parse_enum(kind, WorkKind::parse, "work_queue.kind")?,
            id: id(work, WorkId::parse, "work_queue.id")?,
        },
    })
}

//! Columns of runs and of their queue, whose times and flags are still read as integers.

use fanfare_domain::ports::StoreError;
use fanfare_domain::time::Timestamp;
pub(crate) use fanfare_sql_rows::{count, id, json, parse_enum, signed, to_u32};

use crate::error::corrupt;

pub(crate) fn time(micros: i64, column: &str) -> Result<Timestamp, StoreError> {
    Timestamp::from_micros(micros).ok_or_else(|| corrupt(column))
}

pub(crate) fn time_opt(micros: Option<i64>, column: &str) -> Result<Option<Timestamp>, StoreError> {
    micros.map(|micros| time(micros, column)).transpose()
}

pub(crate) fn micros(time: Option<Timestamp>) -> Option<i64> {
    time.map(Timestamp::as_micros)
}

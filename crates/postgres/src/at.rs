//! Instants in a column.

use fanfare_domain::time::Timestamp;
use sqlx::encode::IsNull;
use sqlx::error::BoxDynError;
use sqlx::postgres::types::Oid;
use sqlx::postgres::{PgArgumentBuffer, PgHasArrayType, PgTypeInfo, PgValueRef};
use sqlx::{Decode, Encode, Postgres, Type};

/// A `timestamptz`, which holds whole microseconds, as an instant of ours does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct At(pub(crate) Timestamp);

/// 2000-01-01T00:00:00Z, from where Postgres counts.
const EPOCH_MICROS: i64 = 946_684_800_000_000;

/// `timestamptz` and its array in `pg_type`, the same in every database.
const TIMESTAMPTZ: Oid = Oid(1184);
const TIMESTAMPTZ_ARRAY: Oid = Oid(1185);

pub(crate) fn at(time: Option<Timestamp>) -> Option<At> {
    time.map(At)
}

pub(crate) fn time(at: Option<At>) -> Option<Timestamp> {
    at.map(|at| at.0)
}

impl Type<Postgres> for At {
    fn type_info() -> PgTypeInfo {
        PgTypeInfo::with_oid(TIMESTAMPTZ)
    }
}

impl PgHasArrayType for At {
    fn array_type_info() -> PgTypeInfo {
        PgTypeInfo::with_oid(TIMESTAMPTZ_ARRAY)
    }
}

impl<'q> Encode<'q, Postgres> for At {
    fn encode_by_ref(&self, buffer: &mut PgArgumentBuffer) -> Result<IsNull, BoxDynError> {
        // Both ends of our calendar are far from an overflow.
        let micros = self.0.as_micros() - EPOCH_MICROS;
        <i64 as Encode<'q, Postgres>>::encode_by_ref(&micros, buffer)
    }

    fn size_hint(&self) -> usize {
        size_of::<i64>()
    }
}

impl<'r> Decode<'r, Postgres> for At {
    fn decode(value: PgValueRef<'r>) -> Result<Self, BoxDynError> {
        let micros = <i64 as Decode<'r, Postgres>>::decode(value)?;
        micros
            .checked_add(EPOCH_MICROS)
            .and_then(Timestamp::from_micros)
            .map(Self)
            .ok_or_else(|| "a time outside the years 0 to 9999".into())
    }
}

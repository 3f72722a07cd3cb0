//! Instants in a column.

use fanfare_domain::time::Timestamp;
use sqlx::encode::IsNull;
use sqlx::error::BoxDynError;
use sqlx::sqlite::{SqliteArgumentsBuffer, SqliteTypeInfo, SqliteValueRef};
use sqlx::{Decode, Encode, Sqlite, Type};

/// An instant in whole microseconds: `timestamptz` on Postgres, INTEGER since 1970 on SQLite and in JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize)]
#[serde(transparent)]
pub struct DbTimestamp(pub Timestamp);

/// An optional instant as a column.
pub fn to_db(time: Option<Timestamp>) -> Option<DbTimestamp> {
    time.map(DbTimestamp)
}

/// A column that may be `NULL` as an instant.
pub fn from_db(column: Option<DbTimestamp>) -> Option<Timestamp> {
    column.map(|time| time.0)
}

fn of_micros(micros: i64) -> Result<DbTimestamp, BoxDynError> {
    Timestamp::from_micros(micros)
        .map(DbTimestamp)
        .ok_or_else(|| "a time outside the years 0 to 9999".into())
}

impl Type<Sqlite> for DbTimestamp {
    fn type_info() -> SqliteTypeInfo {
        <i64 as Type<Sqlite>>::type_info()
    }
}

impl<'q> Encode<'q, Sqlite> for DbTimestamp {
    fn encode_by_ref(&self, buffer: &mut SqliteArgumentsBuffer) -> Result<IsNull, BoxDynError> {
        <i64 as Encode<'q, Sqlite>>::encode_by_ref(&self.0.as_micros(), buffer)
    }
}

impl<'r> Decode<'r, Sqlite> for DbTimestamp {
    fn decode(value: SqliteValueRef<'r>) -> Result<Self, BoxDynError> {
        of_micros(<i64 as Decode<'r, Sqlite>>::decode(value)?)
    }
}

#[cfg(feature = "postgres")]
mod postgres {
    use sqlx::encode::IsNull;
    use sqlx::error::BoxDynError;
    use sqlx::postgres::types::Oid;
    use sqlx::postgres::{PgArgumentBuffer, PgHasArrayType, PgTypeInfo, PgValueRef};
    use sqlx::{Decode, Encode, Postgres, Type};

    use super::{DbTimestamp, of_micros};

    /// 2000-01-01T00:00:00Z, from where Postgres counts, in microseconds since 1970.
    const EPOCH_MICROS: i64 = 946_684_800_000_000;

    /// `timestamptz` and its array in `pg_type`, the same in every database.
    const TIMESTAMPTZ: Oid = Oid(1184);
    const TIMESTAMPTZ_ARRAY: Oid = Oid(1185);

    impl Type<Postgres> for DbTimestamp {
        fn type_info() -> PgTypeInfo {
            PgTypeInfo::with_oid(TIMESTAMPTZ)
        }
    }

    impl PgHasArrayType for DbTimestamp {
        fn array_type_info() -> PgTypeInfo {
            PgTypeInfo::with_oid(TIMESTAMPTZ_ARRAY)
        }
    }

    impl<'q> Encode<'q, Postgres> for DbTimestamp {
        fn encode_by_ref(&self, buffer: &mut PgArgumentBuffer) -> Result<IsNull, BoxDynError> {
            // Both ends of our calendar are far from an overflow.
            let micros = self.0.as_micros() - EPOCH_MICROS;
            <i64 as Encode<'q, Postgres>>::encode_by_ref(&micros, buffer)
        }

        fn size_hint(&self) -> usize {
            size_of::<i64>()
        }
    }

    impl<'r> Decode<'r, Postgres> for DbTimestamp {
        fn decode(value: PgValueRef<'r>) -> Result<Self, BoxDynError> {
            let micros = <i64 as Decode<'r, Postgres>>::decode(value)?;
            of_micros(micros.checked_add(EPOCH_MICROS).unwrap_or(i64::MAX))
        }
    }
}

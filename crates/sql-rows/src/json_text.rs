//! JSON in a column, as text.

use sqlx::encode::IsNull;
use sqlx::error::BoxDynError;
use sqlx::sqlite::{SqliteArgumentsBuffer, SqliteTypeInfo, SqliteValueRef};
use sqlx::{Decode, Encode, Sqlite, Type};

/// A JSON document, `jsonb` on Postgres and TEXT on SQLite. It is read as text, so that a document that
/// we cannot read is reported with the name of its column.
#[derive(Debug, Clone, PartialEq, Eq, serde::Deserialize)]
#[serde(transparent)]
pub struct JsonText(pub String);

impl Type<Sqlite> for JsonText {
    fn type_info() -> SqliteTypeInfo {
        <str as Type<Sqlite>>::type_info()
    }
}

impl<'q> Encode<'q, Sqlite> for JsonText {
    fn encode_by_ref(&self, buffer: &mut SqliteArgumentsBuffer) -> Result<IsNull, BoxDynError> {
        <String as Encode<'q, Sqlite>>::encode_by_ref(&self.0, buffer)
    }
}

impl<'r> Decode<'r, Sqlite> for JsonText {
    fn decode(value: SqliteValueRef<'r>) -> Result<Self, BoxDynError> {
        <String as Decode<'r, Sqlite>>::decode(value).map(Self)
    }
}

#[cfg(feature = "postgres")]
mod postgres {
    use sqlx::encode::IsNull;
    use sqlx::error::BoxDynError;
    use sqlx::postgres::types::Oid;
    use sqlx::postgres::{PgArgumentBuffer, PgTypeInfo, PgValueRef};
    use sqlx::{Decode, Encode, Postgres, Type};

    use super::JsonText;

    /// `jsonb` in `pg_type`, the same in every database.
    const JSONB: Oid = Oid(3802);

    /// The byte that stands before the text on the wire: the version of the format.
    const VERSION: u8 = 1;

    impl Type<Postgres> for JsonText {
        fn type_info() -> PgTypeInfo {
            PgTypeInfo::with_oid(JSONB)
        }
    }

    impl<'q> Encode<'q, Postgres> for JsonText {
        fn encode_by_ref(&self, buffer: &mut PgArgumentBuffer) -> Result<IsNull, BoxDynError> {
            buffer.push(VERSION);
            <String as Encode<'q, Postgres>>::encode_by_ref(&self.0, buffer)
        }
    }

    impl<'r> Decode<'r, Postgres> for JsonText {
        fn decode(value: PgValueRef<'r>) -> Result<Self, BoxDynError> {
            let bytes = value.as_bytes()?;
            let text = bytes
                .strip_prefix(&[VERSION])
                .ok_or("an unknown version of jsonb")?;
            Ok(Self(std::str::from_utf8(text)?.to_owned()))
        }
    }
}

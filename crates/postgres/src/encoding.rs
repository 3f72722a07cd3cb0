//! Whether a database can hold every character.

use sqlx::PgConnection;

use crate::error::OpenError;

/// Refuses every encoding but UTF-8: the others lack most characters, and `SQL_ASCII` knows none beyond ASCII and
/// checks nothing. The first name that does not fit would end an import.
pub(crate) async fn must_be_unicode(
    connection: &mut PgConnection,
    place: &str,
) -> Result<(), OpenError> {
    let encoding =
        sqlx::query_scalar!(r#"SELECT current_setting('server_encoding') AS "encoding!""#)
            .fetch_one(connection)
            .await;
    let place = place.to_owned();
    match encoding {
        Ok(encoding) if encoding == "UTF8" => Ok(()),
        Ok(encoding) => Err(OpenError::Encoding { place, encoding }),
        Err(source) => Err(OpenError::Postgres { place, source }),
    }
}

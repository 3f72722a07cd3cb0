//! Whether a database has the schema of this version, or a newer one on which this version runs.

use fanfare_sql_rows::{SCHEMA_MARK, SchemaMark, SchemaVersion, compare_schema};
use sqlx::migrate::Migrator;
use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions, Connection, PgConnection};

use crate::encoding;
use crate::error::OpenError;
use crate::options::place;
use crate::search_texts;

pub(crate) static MIGRATIONS: Migrator = sqlx::migrate!("../../migrations/postgres");

/// Looks at the database with the login's own rights first: the role may not be there yet.
pub(crate) async fn check(connect: &PgConnectOptions) -> Result<(), OpenError> {
    let place = place(connect);
    let mut connection = match connect.connect().await {
        Ok(connection) => connection,
        Err(source) => return Err(OpenError::Unreachable { place, source }),
    };
    encoding::must_be_unicode(&mut connection, &place).await?;
    let (is_migrated, role) =
        look(&mut connection)
            .await
            .map_err(|source| OpenError::Postgres {
                place: place.clone(),
                source,
            })?;
    let (true, Some(role)) = (is_migrated, role) else {
        return Err(OpenError::NotMigrated { place });
    };
    role.must_isolate(&place)?;
    if !role.is_ours {
        let login = connect.get_username();
        let why = format!(
            "the login {login} may not take the role fanfare_app: run `fanfare migrate` with \
             FANFARE_DATABASE_URL set to this login's address"
        );
        return Err(OpenError::Role { place, why });
    }
    let taken = sqlx::raw_sql("SET ROLE fanfare_app; SET search_path = public")
        .execute(&mut connection)
        .await;
    match taken {
        Ok(_) => must_fit(&mut connection, &place).await?,
        Err(source) => return Err(OpenError::Postgres { place, source }),
    }
    search_texts::must_be_ours(&mut connection, &place).await?;
    connection.close().await.ok();
    Ok(())
}

/// The role that programs take.
pub(crate) struct Role {
    /// It sees the rows of all organizations.
    sees_all: bool,
    /// The login may take it.
    pub(crate) is_ours: bool,
}

impl Role {
    pub(crate) fn must_isolate(&self, place: &str) -> Result<(), OpenError> {
        if !self.sees_all {
            return Ok(());
        }
        Err(OpenError::Role {
            place: place.to_owned(),
            why: "the role fanfare_app is a superuser, bypasses row security or owns tables: run \
                  `ALTER ROLE fanfare_app NOSUPERUSER NOBYPASSRLS`, and give its tables to another \
                  owner"
                .to_owned(),
        })
    }
}

/// Whether the database was migrated at all, and the role, if there is one.
pub(crate) async fn look(
    connection: &mut PgConnection,
) -> Result<(bool, Option<Role>), sqlx::Error> {
    let row = sqlx::query!(
        r#"SELECT to_regclass('public.fanfare_migrations') IS NOT NULL AS "is_migrated!",
            r.oid IS NOT NULL AS "is_there!",
            r.rolsuper OR r.rolbypassrls OR EXISTS (
                SELECT FROM pg_class c
                WHERE c.relowner = r.oid AND c.relnamespace = 'public'::regnamespace
            ) AS sees_all,
            pg_has_role(r.oid, 'MEMBER') AS is_ours
           FROM (SELECT) one LEFT JOIN pg_roles r ON r.rolname = 'fanfare_app'"#
    )
    .fetch_one(connection)
    .await?;
    let role = row.is_there.then(|| Role {
        sees_all: row.sees_all.unwrap_or(true),
        is_ours: row.is_ours.unwrap_or(false),
    });
    Ok((row.is_migrated, role))
}

/// Refuses a schema that is neither this version's nor one on which this version runs.
pub(crate) async fn must_fit(connection: &mut PgConnection, place: &str) -> Result<(), OpenError> {
    let found = version(connection).await;
    let place = place.to_owned();
    match found {
        Ok(SchemaVersion::Ours | SchemaVersion::Successor) => Ok(()),
        Ok(SchemaVersion::Older) => Err(OpenError::Older { place }),
        Ok(SchemaVersion::Newer) => Err(OpenError::Newer { place }),
        Ok(SchemaVersion::Foreign) => Err(OpenError::Foreign { place }),
        // The last thing that `migrate` does is to let the role read it: it did not get that far.
        Err(sqlx::Error::Database(error)) if error.code().as_deref() == Some("42501") => {
            Err(OpenError::NotMigrated { place })
        }
        Err(sqlx::Error::Database(error)) if is_another_table(error.code().as_deref()) => {
            Err(OpenError::Foreign { place })
        }
        Err(source) => Err(OpenError::Postgres { place, source }),
    }
}

/// What the schema of a migrated database is to this version.
pub(crate) async fn version(connection: &mut PgConnection) -> Result<SchemaVersion, sqlx::Error> {
    // sqlx's own table, which no checked query can know.
    let applied: Vec<(i64, Vec<u8>)> = sqlx::query_as(
        "SELECT version, checksum FROM fanfare_migrations WHERE success ORDER BY version",
    )
    .fetch_all(&mut *connection)
    .await?;
    let ours: Vec<(i64, &[u8])> = MIGRATIONS
        .iter()
        .map(|migration| (migration.version, &*migration.checksum))
        .collect();
    let mark = if applied.len() > ours.len() {
        stored_mark(connection).await?
    } else {
        None
    };
    let mark = mark.and_then(|mark| SchemaMark::from_bytes(&mark));
    Ok(compare_schema(&ours, &applied, mark))
}

async fn stored_mark(connection: &mut PgConnection) -> Result<Option<Vec<u8>>, sqlx::Error> {
    sqlx::query_file_scalar!("../sql-rows/sql/meta/get.sql", SCHEMA_MARK)
        .fetch_optional(connection)
        .await
}

/// Writes what this version's schema says of itself.
pub(crate) async fn mark(connection: &mut PgConnection) -> Result<(), sqlx::Error> {
    let texts = MIGRATIONS.iter().map(|one| (one.version, one.sql.as_str()));
    let mark = SchemaMark::of(texts).to_bytes();
    if stored_mark(connection).await?.as_ref() == Some(&mark) {
        return Ok(());
    }
    let put = sqlx::query_file!("../sql-rows/sql/meta/put.sql", SCHEMA_MARK, mark);
    put.execute(connection).await.map(drop)
}

/// No such table or column: it is not the one that sqlx makes.
fn is_another_table(code: Option<&str>) -> bool {
    matches!(code, Some("42P01" | "42703" | "42804"))
}

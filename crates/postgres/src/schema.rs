//! Whether a database has exactly the schema of this version.

use std::cmp::Ordering;

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
        Ok(_) => compare(&mut connection, &place).await?,
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

/// Compares what was applied with what this version would have applied.
pub(crate) async fn compare(connection: &mut PgConnection, place: &str) -> Result<(), OpenError> {
    // sqlx's own table, which no checked query can know.
    let applied: Result<Vec<(i64, Vec<u8>)>, _> = sqlx::query_as(
        "SELECT version, checksum FROM fanfare_migrations WHERE success ORDER BY version",
    )
    .fetch_all(connection)
    .await;
    let place = place.to_owned();
    match applied.map(|applied| compare_versions(&applied)) {
        Ok(SchemaVersion::Ours) => Ok(()),
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

/// No such table or column: it is not the one that sqlx makes.
fn is_another_table(code: Option<&str>) -> bool {
    matches!(code, Some("42P01" | "42703" | "42804"))
}

#[derive(Debug, PartialEq, Eq)]
enum SchemaVersion {
    Ours,
    Older,
    Newer,
    Foreign,
}

fn compare_versions(applied: &[(i64, Vec<u8>)]) -> SchemaVersion {
    let ours: Vec<(i64, &[u8])> = MIGRATIONS
        .iter()
        .map(|migration| (migration.version, &*migration.checksum))
        .collect();
    let same = applied
        .iter()
        .zip(&ours)
        .all(|((version, checksum), ours)| (*version, checksum.as_slice()) == *ours);
    match applied.len().cmp(&ours.len()) {
        _ if !same => SchemaVersion::Foreign,
        Ordering::Less => SchemaVersion::Older,
        Ordering::Equal => SchemaVersion::Ours,
        Ordering::Greater => SchemaVersion::Newer,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ours() -> Vec<(i64, Vec<u8>)> {
        MIGRATIONS
            .iter()
            .map(|migration| (migration.version, migration.checksum.to_vec()))
            .collect()
    }

    #[test]
    fn a_schema_is_ours_older_newer_or_foreign() {
        let mut newer = ours();
        newer.push((99_991_231_000_000, vec![0]));
        let mut foreign = ours();
        foreign[0].1[0] ^= 1;

        assert_eq!(compare_versions(&ours()), SchemaVersion::Ours);
        assert_eq!(compare_versions(&ours()[1..]), SchemaVersion::Foreign);
        assert_eq!(compare_versions(&ours()[..3]), SchemaVersion::Older);
        assert_eq!(compare_versions(&newer), SchemaVersion::Newer);
        assert_eq!(compare_versions(&foreign), SchemaVersion::Foreign);
    }
}

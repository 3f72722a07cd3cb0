//! Makes the schema and the role, and brings them up to date: `fanfare migrate`.

use std::time::Duration;

use fanfare_sql_rows::SchemaVersion;
use secrecy::SecretString;
use sqlx::error::DatabaseError;
use sqlx::migrate::MigrateError;
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, PgConnection};
use tokio::time::timeout;

use crate::encoding;
use crate::error::OpenError;
use crate::job_notifier;
use crate::literal::literal;
use crate::options::{parse, place};
use crate::schema::{self, MIGRATIONS};
use crate::search_texts;
use crate::timeout::ANSWER_TIMEOUT;

/// Held while the schema, the role and its rights are changed: one migrator at a time in a database.
/// sqlx's own lock covers its migrations only.
const LOCK: i64 = 0x0066_616E_6661_7265;

/// Brings the database up to date through `owner`'s login, which comes to own the tables, and lets
/// `programs`' login take the role `fanfare_app`; without one, the owner's. Any number may run at
/// once, and it may be run again at any time.
///
/// The job queue's schema `apalis` is prepared too: its extensions, and the role's rights on what is
/// there and on what the same owner makes there later. So apalis's own migrations may run before or
/// after.
pub async fn migrate(
    owner: &SecretString,
    programs: Option<&SecretString>,
) -> Result<(), OpenError> {
    let connect = parse(owner)?;
    let login = match programs {
        Some(address) => parse(address)?,
        None => connect.clone(),
    };
    let place = place(&connect);
    let mut connection = match timeout(ANSWER_TIMEOUT, connect.connect()).await {
        Ok(Ok(connection)) => connection,
        Ok(Err(source)) => return Err(OpenError::Unreachable { place, source }),
        Err(_) => return Err(OpenError::NoAnswer { place }),
    };
    let migrated = steps(&mut connection, &place, login.get_username()).await;
    // The lock goes with the connection.
    connection.close().await.ok();
    migrated
}

async fn steps(connection: &mut PgConnection, place: &str, login: &str) -> Result<(), OpenError> {
    let refused = |source| OpenError::Postgres {
        place: place.to_owned(),
        source,
    };
    sqlx::query!("SELECT pg_advisory_lock($1)", LOCK)
        .execute(&mut *connection)
        .await
        .map_err(refused)?;
    sqlx::raw_sql("SET search_path = public")
        .execute(&mut *connection)
        .await
        .map_err(refused)?;
    encoding::must_be_unicode(connection, place).await?;
    role_can_be_made(connection, place).await?;
    if !is_successor(connection, place).await? {
        change_tables(connection, place).await?;
        search_texts::write(connection, place).await?;
    }
    let (_, role) = schema::look(connection).await.map_err(refused)?;
    if let Some(role) = role {
        role.must_isolate(place)?;
    }
    job_notifier::prepare(connection, place).await?;
    grant(connection, place, login).await
}

/// Whether the schema is a newer version's on which this one runs: it is left as it is. One on which it does not run is
/// refused, before its mark is touched.
async fn is_successor(connection: &mut PgConnection, place: &str) -> Result<bool, OpenError> {
    let refused = |source| OpenError::Postgres {
        place: place.to_owned(),
        source,
    };
    let (is_migrated, _) = schema::look(connection).await.map_err(refused)?;
    if !is_migrated {
        return Ok(false);
    }
    let place = place.to_owned();
    match schema::version(connection).await {
        Ok(SchemaVersion::Successor) => Ok(true),
        Ok(SchemaVersion::Newer) => Err(OpenError::Newer { place }),
        Ok(SchemaVersion::Foreign) => Err(OpenError::Foreign { place }),
        // What is wrong with the table, applying the migrations tells.
        Ok(SchemaVersion::Ours | SchemaVersion::Older) | Err(_) => Ok(false),
    }
}

/// Applies the migrations, each in a transaction. Programs that do not run on what comes of them know it from the
/// mark before the first one is applied. A table that another program reads for long, as a dump does, is
/// waited for in short tries: behind one that waits, all other statements on the table queue up.
async fn change_tables(connection: &mut PgConnection, place: &str) -> Result<(), OpenError> {
    /// `lock_not_available`.
    const LOCKED: &str = "55P03";
    const TRIES: u32 = 20;
    const PAUSE: Duration = Duration::from_secs(2);
    sqlx::raw_sql("SET lock_timeout = '2s'")
        .execute(&mut *connection)
        .await
        .map_err(|source| OpenError::Postgres {
            place: place.to_owned(),
            source,
        })?;
    let refused = |source| OpenError::Postgres {
        place: place.to_owned(),
        source,
    };
    if has_meta(connection).await.map_err(refused)? {
        schema::mark(connection).await.map_err(refused)?;
    }
    for _ in 0..TRIES {
        // Not `run`: its future cannot move between threads.
        let migrated = MIGRATIONS.run_direct(None, connection, false).await;
        let Err(error) = migrated else {
            return schema::mark(connection).await.map_err(refused);
        };
        let (MigrateError::ExecuteMigration(source, _) | MigrateError::Execute(source)) = &error
        else {
            return Err(migrate_error(place, error));
        };
        let code = source.as_database_error().and_then(DatabaseError::code);
        if code.as_deref() != Some(LOCKED) {
            return Err(migrate_error(place, error));
        }
        tokio::time::sleep(PAUSE).await;
    }
    Err(OpenError::Locked {
        place: place.to_owned(),
    })
}

/// Whether the database has our table of what belongs to the store as a whole.
async fn has_meta(connection: &mut PgConnection) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar!(r#"SELECT to_regclass('public.meta') IS NOT NULL AS "has_meta!""#)
        .fetch_one(connection)
        .await
}

/// The first migration makes the role, for which the owner needs a right that it may lack.
async fn role_can_be_made(connection: &mut PgConnection, place: &str) -> Result<(), OpenError> {
    let can_be_made = sqlx::query_scalar!(
        r#"SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = 'fanfare_app')
            OR (SELECT rolsuper OR rolcreaterole FROM pg_roles WHERE rolname = current_user)
            AS "can_be_made!""#
    )
    .fetch_one(connection)
    .await
    .map_err(|source| OpenError::Postgres {
        place: place.to_owned(),
        source,
    })?;
    if can_be_made {
        return Ok(());
    }
    Err(OpenError::Role {
        place: place.to_owned(),
        why: "the owner's login may not make roles: let a superuser run `CREATE ROLE fanfare_app \
              NOLOGIN` and grant it to the programs' login"
            .to_owned(),
    })
}

/// What is not a table's own affair: where the tables are, which version they have, who may take the
/// role.
async fn grant(connection: &mut PgConnection, place: &str, login: &str) -> Result<(), OpenError> {
    let refused = |source| OpenError::Postgres {
        place: place.to_owned(),
        source,
    };
    let quoted = sqlx::query_scalar!(r#"SELECT quote_ident($1) AS "quoted!""#, login)
        .fetch_one(&mut *connection)
        .await
        .map_err(refused)?;
    let is_there = sqlx::query_scalar!(
        r#"SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = $1) AS "is_there!""#,
        login
    )
    .fetch_one(&mut *connection)
    .await
    .map_err(refused)?;
    if !is_there {
        return Err(OpenError::Role {
            place: place.to_owned(),
            why: format!("there is no login {login}: make it, then run `fanfare migrate` again"),
        });
    }
    // Only where it changes something: a login that may not grant may still migrate. Databases of one
    // cluster share its roles, so another migrator may be granting the same right now.
    let grants = format!(
        "GRANT USAGE ON SCHEMA public TO fanfare_app;
         GRANT SELECT ON fanfare_migrations TO fanfare_app;
         DO $$
         BEGIN
            IF NOT pg_has_role({}, 'fanfare_app', 'MEMBER') THEN
                GRANT fanfare_app TO {quoted};
            END IF;
         EXCEPTION
            WHEN unique_violation THEN NULL;
         END
         $$",
        literal(login)
    );
    sqlx::raw_sql(AssertSqlSafe(grants))
        .execute(connection)
        .await
        .map_err(refused)?;
    Ok(())
}

fn migrate_error(place: &str, error: MigrateError) -> OpenError {
    let place = place.to_owned();
    match error {
        MigrateError::ExecuteMigration(source, _) | MigrateError::Execute(source) => {
            /// `duplicate_table`: another program's table has the name of one of ours.
            const TAKEN: &str = "42P07";
            let code = source.as_database_error().and_then(DatabaseError::code);
            if code.as_deref() == Some(TAKEN) {
                OpenError::Foreign { place }
            } else {
                OpenError::Postgres { place, source }
            }
        }
        MigrateError::VersionMissing(version) => {
            let newest = MIGRATIONS.iter().map(|migration| migration.version).max();
            if newest < Some(version) {
                OpenError::Newer { place }
            } else {
                OpenError::Foreign { place }
            }
        }
        MigrateError::VersionMismatch(_) => OpenError::Foreign { place },
        other => OpenError::Postgres {
            place,
            source: sqlx::Error::Migrate(Box::new(other)),
        },
    }
}

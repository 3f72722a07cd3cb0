//! Makes the store's file and brings its schema up to date, under a file lock.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io;
use std::path::Path;

use fanfare_sql_rows::{SCHEMA_MARK, SchemaMark, SchemaVersion, compare_schema};
use sqlx::migrate::{MigrateError, Migrator};
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{ConnectOptions, Connection, SqlitePool};

use crate::error::{OpenError, sqlite_error};
use crate::search_texts;

static MIGRATIONS: Migrator = sqlx::migrate!("../../migrations/sqlite");

/// Tables of apalis, whose queue may be in the same file and may have been made first.
const NEIGHBOURS: &[&str] = &["Jobs", "Workers", "_sqlx_migrations"];

/// What opening a store would do to its schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Schema {
    /// There is no store yet: it would be made.
    Missing,
    /// An older version's: so many migrations would be applied.
    Behind(usize),
    /// This version's.
    Current,
    /// A newer version's, on which this one runs: it would be left as it is.
    Successor,
}

/// Finds out, changing nothing, what opening the store would do.
pub async fn schema(path: &Path) -> Result<Schema, OpenError> {
    match path.try_exists() {
        Ok(true) => {}
        Ok(false) => return Ok(Schema::Missing),
        Err(source) => {
            let path = path.to_owned();
            return Err(OpenError::NotWritable { path, source });
        }
    }
    let (found, missing) = inspect(path).await?;
    Ok(match found {
        SchemaVersion::Ours => Schema::Current,
        SchemaVersion::Successor => Schema::Successor,
        _ => Schema::Behind(missing),
    })
}

/// Takes the lock that a program must hold while it changes the schema of a store's file: sqlx's migrator for
/// SQLite takes none, and two starters at once would both find the tables missing. The lock is
/// released when the file is dropped.
///
/// Blocks the thread until the lock is free.
pub fn schema_lock(store: &Path) -> io::Result<File> {
    let mut name = store.as_os_str().to_owned();
    name.push(".lock");
    let file = private_file().open(name)?;
    file.lock()?;
    Ok(file)
}

/// Makes the file if it is missing, finds out what is in it before anything is changed, and
/// migrates it through `writer`. Returns the schema lock: while the caller holds it, no other program changes
/// the store's files.
pub(crate) async fn open(path: &Path, writer: &SqlitePool) -> Result<File, OpenError> {
    let file = path.to_owned();
    let lock = tokio::task::spawn_blocking(move || {
        create(&file)?;
        schema_lock(&file)
    });
    let lock = lock
        .await
        .unwrap_or_else(|panic| Err(io::Error::other(panic)));
    // Held until the schema is ours: turning on WAL is not safe against another starter either.
    let lock = lock.map_err(|source| OpenError::NotWritable {
        path: path.to_owned(),
        source,
    })?;
    let (found, _) = inspect(path).await?;
    if found == SchemaVersion::Successor {
        return Ok(lock);
    }
    let migrated = migrate(writer).await;
    migrated.map_err(|error| migrate_error(path, error))?;
    let texts = async { search_texts::write(&mut *writer.acquire().await?).await };
    texts.await.map_err(|source| sqlite_error(path, source))?;
    Ok(lock)
}

/// Applies the migrations. Programs that do not run on what comes of them know it from the mark before the first one
/// is applied.
async fn migrate(writer: &SqlitePool) -> Result<(), MigrateError> {
    const HAS_META: &str = "SELECT count(*) FROM sqlite_schema WHERE name = 'meta'";
    let has_meta: i64 = sqlx::query_scalar(HAS_META).fetch_one(writer).await?;
    if has_meta > 0 {
        mark(writer).await?;
    }
    MIGRATIONS.run(writer).await?;
    Ok(mark(writer).await?)
}

/// Writes what our schema says of itself, if it is not there yet: another program may be writing a page.
async fn mark(writer: &SqlitePool) -> Result<(), sqlx::Error> {
    let texts = MIGRATIONS.iter().map(|one| (one.version, one.sql.as_str()));
    let mark = SchemaMark::of(texts).to_bytes();
    if stored_mark(&mut *writer.acquire().await?).await?.as_ref() == Some(&mark) {
        return Ok(());
    }
    let put = sqlx::query_file!("../sql-rows/sql/meta/put.sql", SCHEMA_MARK, mark);
    put.execute(writer).await.map(drop)
}

/// Whether the schema is ours, or one on which this version runs.
pub(crate) async fn check(pool: &SqlitePool, path: &Path) -> Result<(), OpenError> {
    let found = match pool.acquire().await {
        Ok(mut connection) => look(&mut connection).await,
        Err(error) => Err(error),
    };
    let (found, _) = found.map_err(|source| sqlite_error(path, source))?;
    let is_there = path.exists();
    let path = path.to_owned();
    match found {
        SchemaVersion::Ours | SchemaVersion::Successor if is_there => Ok(()),
        SchemaVersion::Newer => Err(OpenError::Newer { path }),
        _ => Err(OpenError::Replaced { path }),
    }
}

/// Refuses a file that is no store of ours, through a connection that changes nothing. Returns what its schema is, and
/// how many of our migrations it lacks.
async fn inspect(path: &Path) -> Result<(SchemaVersion, usize), OpenError> {
    let connect = SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(false);
    let inspect = async {
        let mut connection = connect.connect().await?;
        let tables: Vec<String> = sqlx::query_scalar(
            "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'",
        )
        .fetch_all(&mut connection)
        .await?;
        let is_migrated = tables.iter().any(|table| table == "fanfare_migrations");
        let found = if is_migrated {
            look(&mut connection).await?
        } else {
            (SchemaVersion::Older, MIGRATIONS.iter().count())
        };
        connection.close().await?;
        Ok((tables, is_migrated, found))
    };
    let (tables, is_migrated, found) =
        inspect.await.map_err(|source| sqlite_error(path, source))?;
    let is_neighbour = |table: &String| NEIGHBOURS.contains(&table.as_str());
    let path = path.to_owned();
    match found.0 {
        _ if !is_migrated && !tables.iter().all(is_neighbour) => Err(OpenError::Foreign { path }),
        SchemaVersion::Foreign => Err(OpenError::Foreign { path }),
        SchemaVersion::Newer => Err(OpenError::Newer { path }),
        _ => Ok(found),
    }
}

/// What the schema of a migrated file is, and how many of our migrations it lacks.
async fn look(connection: &mut SqliteConnection) -> Result<(SchemaVersion, usize), sqlx::Error> {
    let applied = applied_migrations(connection).await?;
    let ours: Vec<(i64, &[u8])> = MIGRATIONS
        .iter()
        .map(|migration| (migration.version, &*migration.checksum))
        .collect();
    let is_missing = |of_ours: &&(i64, &[u8])| !applied.iter().any(|(one, _)| *one == of_ours.0);
    let missing = ours.iter().filter(is_missing).count();
    let mark = if applied.len() > ours.len() {
        stored_mark(connection).await?
    } else {
        None
    };
    let mark = mark.and_then(|mark| SchemaMark::from_bytes(&mark));
    Ok((compare_schema(&ours, &applied, mark), missing))
}

async fn stored_mark(connection: &mut SqliteConnection) -> Result<Option<Vec<u8>>, sqlx::Error> {
    sqlx::query_file_scalar!("../sql-rows/sql/meta/get.sql", SCHEMA_MARK)
        .fetch_optional(connection)
        .await
}

/// sqlx's own table, which no checked query can know.
async fn applied_migrations(
    connection: &mut SqliteConnection,
) -> Result<Vec<(i64, Vec<u8>)>, sqlx::Error> {
    sqlx::query_as(
        "SELECT version, checksum FROM fanfare_migrations WHERE success ORDER BY version",
    )
    .fetch_all(connection)
    .await
}

fn migrate_error(path: &Path, error: MigrateError) -> OpenError {
    match error {
        MigrateError::Execute(source) | MigrateError::ExecuteMigration(source, _) => {
            sqlite_error(path, source)
        }
        // A migration that is not ours, or is not as it was.
        MigrateError::VersionMissing(_) | MigrateError::VersionMismatch(_) => OpenError::Foreign {
            path: path.to_owned(),
        },
        other => sqlite_error(path, sqlx::Error::Migrate(Box::new(other))),
    }
}

/// People's data and sealed keys are in the file: no other user may read it. SQLite gives the files
/// beside it the same mode.
fn create(path: &Path) -> io::Result<()> {
    if let Some(folder) = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
    {
        let mut builder = DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(folder)?;
    }
    private_file().open(path).map(drop)
}

pub(crate) fn private_file() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.create(true).truncate(false).write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

//! Makes the store's file and brings its schema up to date, under a file lock.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io;
use std::path::Path;

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
    let applied = inspect(path).await?;
    let missing = our_versions().filter(|version| !applied.contains(version));
    Ok(match missing.count() {
        0 => Schema::Current,
        behind => Schema::Behind(behind),
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
    inspect(path).await?;
    let migrated = MIGRATIONS.run(writer).await;
    migrated.map_err(|error| migrate_error(path, error))?;
    let texts = async { search_texts::write(&mut *writer.acquire().await?).await };
    texts.await.map_err(|source| sqlite_error(path, source))?;
    Ok(lock)
}

/// Whether the schema is exactly ours.
pub(crate) async fn check(pool: &SqlitePool, path: &Path) -> Result<(), OpenError> {
    let applied = match pool.acquire().await {
        Ok(mut connection) => applied_migrations(&mut connection).await,
        Err(error) => Err(error),
    };
    let applied = applied.map_err(|source| sqlite_error(path, source))?;
    let is_ours = applied.iter().copied().eq(our_versions());
    if is_ours && path.exists() {
        return Ok(());
    }
    let path = path.to_owned();
    Err(if applied.last() > our_versions().last().as_ref() {
        OpenError::Newer { path }
    } else {
        OpenError::Replaced { path }
    })
}

/// Refuses a file that is no store of ours, through a connection that changes nothing. Returns the
/// migrations that it has.
async fn inspect(path: &Path) -> Result<Vec<i64>, OpenError> {
    let connect = SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(false);
    let look = async {
        let mut connection = connect.connect().await?;
        let tables: Vec<String> = sqlx::query_scalar(
            "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'",
        )
        .fetch_all(&mut connection)
        .await?;
        let is_migrated = tables.iter().any(|table| table == "fanfare_migrations");
        let applied = if is_migrated {
            applied_migrations(&mut connection).await?
        } else {
            Vec::new()
        };
        connection.close().await?;
        Ok((tables, is_migrated, applied))
    };
    let (tables, is_migrated, applied) = look.await.map_err(|source| sqlite_error(path, source))?;
    let is_neighbour = |table: &String| NEIGHBOURS.contains(&table.as_str());
    let path = path.to_owned();
    if !is_migrated && !tables.iter().all(is_neighbour) {
        return Err(OpenError::Foreign { path });
    }
    if applied.last() > our_versions().last().as_ref() {
        return Err(OpenError::Newer { path });
    }
    Ok(applied)
}

/// sqlx's own table, which no checked query can know.
async fn applied_migrations(connection: &mut SqliteConnection) -> Result<Vec<i64>, sqlx::Error> {
    sqlx::query_scalar("SELECT version FROM fanfare_migrations WHERE success ORDER BY version")
        .fetch_all(connection)
        .await
}

fn our_versions() -> impl Iterator<Item = i64> {
    MIGRATIONS.iter().map(|migration| migration.version)
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

//! Whether apalis's tables have the schema of this program's version of apalis.

use sqlx::error::DatabaseError;
use sqlx::migrate::{MigrateError, Migrator};

use crate::queue::QueueError;

/// Compares the migrations that were applied with those of this program.
pub(crate) fn compare(ours: &Migrator, applied: &[i64]) -> Result<(), QueueError> {
    match applied
        .iter()
        .find(|version| !ours.version_exists(**version))
    {
        Some(version) => Err(unknown(ours, *version)),
        None if ours
            .iter()
            .any(|of_ours| !applied.contains(&of_ours.version)) =>
        {
            Err(QueueError::Older)
        }
        None => Ok(()),
    }
}

/// The error for migrations that could not be applied.
pub(crate) fn refused(ours: &Migrator, error: MigrateError) -> QueueError {
    match error {
        MigrateError::VersionMissing(version) => unknown(ours, version),
        error => QueueError::Migration(error),
    }
}

fn unknown(ours: &Migrator, version: i64) -> QueueError {
    if ours.iter().all(|of_ours| of_ours.version < version) {
        QueueError::Newer
    } else {
        QueueError::Foreign
    }
}

/// The error for sqlx's table of applied migrations that could not be read.
pub(crate) fn unreadable(error: sqlx::Error) -> QueueError {
    /// The codes for a missing table on Postgres and on SQLite. SQLite's code means only that the statement was
    /// wrong.
    const NOT_MIGRATED: &[&str] = &["42P01", "1"];
    let code = error.as_database_error().and_then(DatabaseError::code);
    match code {
        Some(code) if NOT_MIGRATED.contains(&&*code) => QueueError::Older,
        _ => error.into(),
    }
}

#[cfg(test)]
mod tests {
    use apalis_sqlite::SqliteStorage;

    use super::*;

    #[test]
    fn a_schema_is_current_older_newer_or_foreign() {
        let ours = SqliteStorage::migrations();
        let applied: Vec<i64> = ours.iter().map(|migration| migration.version).collect();
        let with = |version| [&applied[..], &[version]].concat();

        assert!(compare(&ours, &applied).is_ok());
        let older = compare(&ours, &applied[1..]);
        assert!(matches!(older, Err(QueueError::Older)), "{older:?}");
        let newer = compare(&ours, &with(99_991_231_000_000));
        assert!(matches!(newer, Err(QueueError::Newer)), "{newer:?}");
        let foreign = compare(&ours, &with(1));
        assert!(matches!(foreign, Err(QueueError::Foreign)), "{foreign:?}");
    }
}

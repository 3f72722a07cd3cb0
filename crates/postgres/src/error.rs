//! What can go wrong, in the ports' words and when opening.

use std::fmt;

use fanfare_domain::ports::StoreError;
use fanfare_sql_rows::corrupt;
use sqlx::postgres::PgDatabaseError;

/// Why a database cannot be used. Each message names the fault and the remedy, on one line and
/// without the password. `place` is `HOST:PORT/DATABASE`.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The address cannot be read.
    #[error(
        "the database's address cannot be read: postgres://USER:PASSWORD@HOST:PORT/DATABASE is \
         expected"
    )]
    Address,
    /// No server answers, or not to this login.
    #[error("the database {place} cannot be reached: {source}")]
    Unreachable {
        /// The database.
        place: String,
        /// What the system or the server said.
        #[source]
        source: sqlx::Error,
    },
    /// The server takes connections, and does not answer in time.
    #[error("the database {place} does not answer: see whether the server hangs or is cut off")]
    NoAnswer {
        /// The database.
        place: String,
    },
    /// It cannot hold every character.
    #[error(
        "the database {place} is encoded in {encoding}, which cannot hold every character: make another with \
         `CREATE DATABASE … TEMPLATE template0 ENCODING 'UTF8'`"
    )]
    Encoding {
        /// The database.
        place: String,
        /// Its encoding, as Postgres calls it.
        encoding: String,
    },
    /// There is no schema of ours.
    #[error("the database {place} has no schema of this program: run `fanfare migrate`")]
    NotMigrated {
        /// The database.
        place: String,
    },
    /// An older version of this program has migrated it last.
    #[error("the schema of {place} is older than this program: run `fanfare migrate`")]
    Older {
        /// The database.
        place: String,
    },
    /// A newer version of this program has migrated it.
    #[error(
        "the schema of {place} was made by a newer version of this program: run that version, or \
         restore a backup from before"
    )]
    Newer {
        /// The database.
        place: String,
    },
    /// Another program keeps a table locked that has to be changed.
    #[error(
        "a table of {place} has been in use for too long to be changed, by a dump or a report perhaps: \
         run `fanfare migrate` again when that is over"
    )]
    Locked {
        /// The database.
        place: String,
    },
    /// It holds tables of our names that are not ours, or migrations that differ from ours.
    #[error("the schema of {place} was not made by this program: choose another database")]
    Foreign {
        /// The database.
        place: String,
    },
    /// The role that programs take cannot be taken, or would see too much.
    #[error("the database {place} does not isolate organizations: {why}")]
    Role {
        /// The database.
        place: String,
        /// What is wrong and how it is put right.
        why: String,
    },
    /// The server has no files of extensions that the job queue needs.
    #[error(
        "the server of {place} lacks the extensions {missing}: install them (on Debian and Ubuntu \
         the package postgresql-contrib), then run `fanfare migrate` again"
    )]
    Extensions {
        /// The database.
        place: String,
        /// Their names.
        missing: String,
    },
    /// Postgres failed otherwise.
    #[error("the database {place} refused a statement: {source}")]
    Postgres {
        /// The database.
        place: String,
        /// What Postgres said.
        #[source]
        source: sqlx::Error,
    },
}

/// What the server says of a failed statement, without what it quotes of the rows: a detail such as
/// `Key (organization_id, email)=(…) already exists` names people.
#[derive(Debug)]
struct ServerMessage {
    code: String,
    /// Nothing where the message itself quotes a value.
    message: Option<String>,
    table: Option<String>,
    constraint: Option<String>,
}

impl ServerMessage {
    fn redacted(error: &PgDatabaseError) -> Self {
        /// "Data exception": the class of messages such as `invalid input syntax for type date: "…"`.
        const QUOTES_VALUES: &str = "22";
        let code = error.code();
        Self {
            code: code.to_owned(),
            message: (!code.starts_with(QUOTES_VALUES)).then(|| error.message().to_owned()),
            table: error.table().map(str::to_owned),
            constraint: error.constraint().map(str::to_owned),
        }
    }
}

impl fmt::Display for ServerMessage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SQLSTATE {}", self.code)?;
        for (name, part) in [
            ("", &self.message),
            ("table ", &self.table),
            ("constraint ", &self.constraint),
        ] {
            if let Some(part) = part {
                write!(f, ", {name}{part}")?;
            }
        }
        Ok(())
    }
}

impl std::error::Error for ServerMessage {}

/// Whether the same statement can succeed later, by its SQLSTATE
/// (<https://www.postgresql.org/docs/current/errcodes-appendix.html>).
fn is_transient(code: &str) -> bool {
    /// Connections, the login (a password that is being changed), transactions rolled back for
    /// others' sake (deadlock, serialization), resources, operators (shutdown, a statement that took
    /// too long), the system's I/O.
    const CLASSES: &[&str] = &["08", "28", "40", "53", "57", "58"];
    /// No such database; read-only, as a standby is; `lock_timeout`;
    /// `idle_in_transaction_session_timeout`.
    const CODES: &[&str] = &["3D000", "25006", "55P03", "25P03"];
    CODES.contains(&code) || CLASSES.iter().any(|class| code.starts_with(class))
}

/// A failed statement, in the ports' words.
pub(crate) fn store_error(error: sqlx::Error) -> StoreError {
    match error {
        sqlx::Error::Database(error) => {
            let message = ServerMessage::redacted(error.downcast_ref::<PgDatabaseError>());
            if is_transient(&message.code) {
                StoreError::Unavailable(message.into())
            } else {
                StoreError::Refused(message.into())
            }
        }
        // A connection that was cut shows as either of the first three.
        sqlx::Error::Io(_)
        | sqlx::Error::Protocol(_)
        | sqlx::Error::Tls(_)
        | sqlx::Error::PoolTimedOut
        | sqlx::Error::PoolClosed
        | sqlx::Error::WorkerCrashed => StoreError::Unavailable(error.into()),
        sqlx::Error::ColumnDecode { index, .. } => corrupt(&format!("column {index}")),
        error => StoreError::Refused(error.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::is_transient;

    #[track_caller]
    fn check(codes: &[&str], transient: bool) {
        for code in codes {
            assert_eq!(is_transient(code), transient, "{code}");
        }
    }

    #[test]
    fn what_passes_by_itself_is_told_from_faults_of_ours() {
        check(
            &[
                "08006", "28P01", "40001", "40P01", "53300", "57014", "57P01", "57P03", "58030",
                "25006", "25P03", "55P03", "3D000",
            ],
            true,
        );
        check(
            &["23505", "23503", "42501", "42P01", "22021", "25P02"],
            false,
        );
    }
}

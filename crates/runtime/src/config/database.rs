//! Where the store is.

use std::fmt;
use std::path::PathBuf;

use secrecy::{ExposeSecret, SecretString};

/// A store's address.
#[derive(Debug, Clone)]
pub enum Database {
    /// The embedded store: a file of this machine.
    Sqlite(PathBuf),
    /// Postgres, by its URL, which may hold a password.
    Postgres(SecretString),
}

/// Why a text is not a store's address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidDatabase {
    /// Neither of the two kinds.
    #[error("a store is sqlite://PATH or postgres://…")]
    UnknownKind,
    /// `sqlite://` and no file behind it.
    #[error("name a file, such as sqlite://.fanfare/fanfare.db")]
    NoFile,
    /// Parameters, which the embedded store does not take.
    #[error("the embedded store takes no parameters behind a question mark")]
    Parameters,
}

impl Database {
    /// Takes `sqlite://PATH` (relative to the working directory, or absolute with a third slash),
    /// `postgres://…` or `postgresql://…`.
    pub fn parse(text: &str) -> Result<Self, InvalidDatabase> {
        let text = text.trim();
        if let Some(path) = text.strip_prefix("sqlite://") {
            if path.contains('?') {
                return Err(InvalidDatabase::Parameters);
            }
            // What SQLite calls a database in memory could not be shared by two programs.
            if path.is_empty() || path.ends_with('/') || path == ":memory:" {
                return Err(InvalidDatabase::NoFile);
            }
            return Ok(Self::Sqlite(PathBuf::from(path)));
        }
        if text.starts_with("postgres://") || text.starts_with("postgresql://") {
            return Ok(Self::Postgres(SecretString::from(text)));
        }
        Err(InvalidDatabase::UnknownKind)
    }
}

impl fmt::Display for Database {
    /// As it may be shown: of Postgres what stands behind user and password, without parameters.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(path) => write!(f, "sqlite://{}", path.display()),
            Self::Postgres(url) => {
                let url = url.expose_secret();
                let (_, rest) = url.split_once("://").unwrap_or_default();
                let rest = rest.rsplit_once('@').map_or(rest, |(_, rest)| rest);
                let place = rest.split(['?', '#']).next().unwrap_or_default();
                write!(f, "postgres://••••@{place}")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, want: Result<&str, InvalidDatabase>) {
        let got = Database::parse(text).map(|database| database.to_string());
        assert_eq!(got.as_deref().map_err(|error| *error), want, "{text}");
    }

    #[test]
    fn a_store_is_a_file_or_postgres_and_never_shows_a_password() {
        check(
            "sqlite://.fanfare/fanfare.db",
            Ok("sqlite://.fanfare/fanfare.db"),
        );
        check(
            " sqlite:///var/lib/fanfare.db\n",
            Ok("sqlite:///var/lib/fanfare.db"),
        );
        check("sqlite://", Err(InvalidDatabase::NoFile));
        check("sqlite://folder/", Err(InvalidDatabase::NoFile));
        check("sqlite://:memory:", Err(InvalidDatabase::NoFile));
        check("sqlite://a.db?mode=ro", Err(InvalidDatabase::Parameters));
        check("postgres://db/fanfare", Ok("postgres://••••@db/fanfare"));
        check(
            "postgresql://ann:canary@db:5433/fanfare?password=canary",
            Ok("postgres://••••@db:5433/fanfare"),
        );
        check("postgres://a:p@canary@db/x", Ok("postgres://••••@db/x"));
        check("mysql://db/fanfare", Err(InvalidDatabase::UnknownKind));
        check("fanfare.db", Err(InvalidDatabase::UnknownKind));
        check("", Err(InvalidDatabase::UnknownKind));
    }

    #[test]
    fn a_password_never_shows_in_debug() {
        let database = Database::parse("postgres://ann:canary@db/fanfare").unwrap();
        assert!(!format!("{database:?}").contains("canary"));
    }
}

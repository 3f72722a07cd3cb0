//! What a program may choose about a store.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use fanfare_domain::ports::Clock;
use secrecy::{ExposeSecret, SecretString};
use sqlx::postgres::PgConnectOptions;

use crate::error::OpenError;
use fanfare_sql_rows::JobNotifier;

/// Connections by default, for units that read, for units that write and for checks at the door each; half as many for the control
/// tables, and for searches. A page is written in milliseconds, so this is enough for a process with a few dozen readers of Klaviyo; Postgres's own default is 100
/// connections for all processes together.
const CONNECTIONS: u32 = 8;

/// How long a connection is used: half an hour, as sqlx does by default. What its process of Postgres has gathered in
/// memory goes with it, and behind a balancer the new one may lead to another server.
const LIFETIME: Duration = Duration::from_mins(30);

/// Where the store is, and who is told about due runs.
#[derive(Clone)]
pub struct PostgresOptions {
    pub(crate) connect: PgConnectOptions,
    pub(crate) notifier: JobNotifier,
    pub(crate) connections: u32,
    pub(crate) clock: Option<Arc<dyn Clock>>,
    pub(crate) lifetime: Duration,
}

impl PostgresOptions {
    /// The store at this address, `postgres://USER:PASSWORD@HOST:PORT/DATABASE`, with no notifier.
    pub fn at(address: &SecretString) -> Result<Self, OpenError> {
        Ok(Self {
            connect: parse(address)?,
            notifier: JobNotifier::None,
            connections: CONNECTIONS,
            clock: None,
            lifetime: LIFETIME,
        })
    }

    /// With this notifier.
    #[must_use]
    pub fn notifier(mut self, notifier: JobNotifier) -> Self {
        self.notifier = notifier;
        self
    }

    /// With at most so many connections for reading, as many for writing and for checks at the door, and half as many each for the control
    /// tables and for searches.
    #[must_use]
    pub fn connections(mut self, connections: u32) -> Self {
        self.connections = connections;
        self
    }

    /// Replaces connections after this time instead of half an hour.
    #[must_use]
    pub fn connection_lifetime(mut self, lifetime: Duration) -> Self {
        self.lifetime = lifetime;
        self
    }

    /// Measures leases and due times by this clock instead of the database's. For tests, which move
    /// time: real processes share the database's clock, and no other.
    #[must_use]
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = Some(clock);
        self
    }
}

impl fmt::Debug for PostgresOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresOptions")
            .field("place", &place(&self.connect))
            .field("notifier", &self.notifier)
            .field("connections", &self.connections)
            .finish_non_exhaustive()
    }
}

pub(crate) fn parse(address: &SecretString) -> Result<PgConnectOptions, OpenError> {
    let connect: PgConnectOptions = address
        .expose_secret()
        .parse()
        // What it says may quote the address, and with it the password.
        .map_err(|_: sqlx::Error| OpenError::Address)?;
    Ok(connect.application_name("fanfare"))
}

/// `HOST:PORT/DATABASE`, for people.
pub(crate) fn place(connect: &PgConnectOptions) -> String {
    let host = connect.get_socket().map_or_else(
        || connect.get_host().to_owned(),
        |socket| socket.display().to_string(),
    );
    let database = connect.get_database();
    let database = database.unwrap_or_else(|| connect.get_username());
    format!("{host}:{}/{database}", connect.get_port())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_in_neither_debug_nor_an_error() {
        let good = SecretString::from("postgres://ada:canary@db.example.com:6543/fanfare");
        let bad = SecretString::from("postgres://ada:canary@db.example.com:port/fanfare");

        let shown = format!("{:?}", PostgresOptions::at(&good).unwrap());
        let error = format!("{:?}", PostgresOptions::at(&bad).unwrap_err());

        assert!(shown.contains("db.example.com:6543/fanfare"), "{shown}");
        assert!(!shown.contains("canary") && !error.contains("canary"));
    }
}

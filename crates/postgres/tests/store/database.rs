//! A database for one test: made on the cluster that the tests are given, dropped at the end.

use std::env;
use std::thread;

use secrecy::SecretString;
use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions};
use sqlx::{AssertSqlSafe, ConnectOptions};
use ulid::Ulid;

/// A superuser's address of a cluster.
const VARIABLE: &str = "FANFARE_TEST_DATABASE_URL";

#[expect(clippy::disallowed_methods, reason = "where the tests' cluster is")]
fn cluster() -> PgConnectOptions {
    let address = env::var(VARIABLE).unwrap_or_else(|_| {
        panic!("{VARIABLE} is not set: run `cargo xtask test --install`, which provides Postgres")
    });
    address.parse().expect("the address of a cluster")
}

/// An empty database.
pub(crate) struct Database {
    name: String,
}

impl Database {
    pub(crate) async fn create() -> Self {
        let name = format!("fanfare_test_{}", Ulid::generate()).to_lowercase();
        run(&format!("CREATE DATABASE {name}")).await;
        Self { name }
    }

    /// The superuser's way in.
    pub(crate) fn connect_options(&self) -> PgConnectOptions {
        cluster().database(&self.name)
    }

    /// A superuser's connections.
    pub(crate) fn pool(&self) -> PgPool {
        PgPoolOptions::new().connect_lazy_with(self.connect_options())
    }

    /// The superuser's address.
    pub(crate) fn address(&self) -> SecretString {
        self.address_of(&self.connect_options())
    }

    /// Another login's address.
    pub(crate) fn address_as(&self, login: &str, password: &str) -> SecretString {
        let connect = self.connect_options().username(login).password(password);
        self.address_of(&connect)
    }

    #[expect(clippy::unused_self, reason = "the options are this database's")]
    fn address_of(&self, connect: &PgConnectOptions) -> SecretString {
        SecretString::from(connect.to_url_lossy().to_string())
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        let drop = format!("DROP DATABASE {} WITH (FORCE)", self.name);
        // On a thread of its own: this one may be a runtime's.
        let dropped = thread::spawn(move || {
            tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .expect("a runtime")
                .block_on(run(&drop));
        });
        // A test that failed has said why already.
        dropped.join().ok();
    }
}

/// Runs a statement on the cluster.
pub(crate) async fn run(statement: &str) {
    let mut connection = cluster().connect().await.expect("the tests' cluster");
    sqlx::raw_sql(AssertSqlSafe(statement.to_owned()))
        .execute(&mut connection)
        .await
        .expect(statement);
}

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
    server: PgConnectOptions,
    name: String,
}

impl Database {
    pub(crate) async fn create() -> Self {
        Self::create_with("").await
    }

    /// One whose texts are encoded so.
    pub(crate) async fn encoded_in(encoding: &str) -> Self {
        Self::create_with(&format!(
            "TEMPLATE template0 ENCODING '{encoding}' LC_COLLATE 'C' LC_CTYPE 'C'"
        ))
        .await
    }

    async fn create_with(options: &str) -> Self {
        let name = format!("fanfare_test_{}", Ulid::generate()).to_lowercase();
        Self::create_at(cluster(), &name, options).await
    }

    /// The same of this name, on another server.
    pub(crate) async fn create_at(server: PgConnectOptions, name: &str, options: &str) -> Self {
        run_at(&server, &format!("CREATE DATABASE {name} {options}")).await;
        let name = name.to_owned();
        Self { server, name }
    }

    /// The superuser's way in.
    pub(crate) fn connect_options(&self) -> PgConnectOptions {
        self.server.clone().database(&self.name)
    }

    /// A superuser's connections.
    pub(crate) fn pool(&self) -> PgPool {
        PgPoolOptions::new().connect_lazy_with(self.connect_options())
    }

    /// Does what no program of ours does.
    pub(crate) async fn execute(&self, statement: &'static str) {
        sqlx::raw_sql(statement)
            .execute(&self.pool())
            .await
            .unwrap();
    }

    /// The superuser's address.
    pub(crate) fn address(&self) -> SecretString {
        address_of(&self.connect_options())
    }

    /// Another login's address.
    pub(crate) fn address_as(&self, login: &str, password: &str) -> SecretString {
        let connect = self.connect_options().username(login).password(password);
        address_of(&connect)
    }
}

fn address_of(connect: &PgConnectOptions) -> SecretString {
    SecretString::from(connect.to_url_lossy().to_string())
}

impl Drop for Database {
    fn drop(&mut self) {
        let statement = format!("DROP DATABASE {} WITH (FORCE)", self.name);
        run_apart(self.server.clone(), statement);
    }
}

/// Runs a statement on the cluster from a thread of its own: this one may be a runtime's.
fn run_apart(server: PgConnectOptions, statement: String) {
    let run = thread::spawn(move || {
        tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("a runtime")
            .block_on(run_at(&server, &statement));
    });
    // A test that failed has said why already.
    run.join().ok();
}

/// Runs a statement on the cluster.
pub(crate) async fn run(statement: &str) {
    run_at(&cluster(), statement).await;
}

/// The same on another server.
pub(crate) async fn run_at(server: &PgConnectOptions, statement: &str) {
    let mut connection = server.connect().await.expect("the tests' server");
    sqlx::raw_sql(AssertSqlSafe(statement.to_owned()))
        .execute(&mut connection)
        .await
        .expect(statement);
}

/// A login of the cluster, dropped at the end. To be made before the databases in which it has rights,
/// so that they go first.
pub(crate) struct Login {
    pub(crate) name: String,
}

/// Every login's.
const PASSWORD: &str = "test";

impl Login {
    pub(crate) async fn create() -> Self {
        // With a capital, so that it has to be quoted.
        let name = format!("Test_{}", Ulid::generate());
        run(&format!(
            "CREATE ROLE \"{name}\" LOGIN PASSWORD '{PASSWORD}'"
        ))
        .await;
        Self { name }
    }

    pub(crate) fn address(&self, database: &Database) -> SecretString {
        database.address_as(&self.name, PASSWORD)
    }

    /// Makes it the owner of a database.
    pub(crate) async fn own(&self, database: &Database) {
        run(&format!(
            "ALTER DATABASE {} OWNER TO \"{}\"",
            database.name, self.name
        ))
        .await;
    }

    /// Lets it take the role of the programs.
    pub(crate) async fn take_role(&self) {
        run(&format!("GRANT fanfare_app TO \"{}\"", self.name)).await;
    }
}

impl Drop for Login {
    fn drop(&mut self) {
        run_apart(cluster(), format!("DROP ROLE \"{}\"", self.name));
    }
}

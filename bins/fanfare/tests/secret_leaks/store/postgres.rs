//! A database of Postgres, and reading all of it.

use std::env;

use sqlx::postgres::PgConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions};
use tokio::runtime::Builder;

use super::Cell;

/// A superuser's address of a cluster.
const VARIABLE: &str = "FANFARE_TEST_DATABASE_URL";

/// The password of the programs, a canary too.
pub(super) const PASSWORD: &str = "password7f3acanary0a1b2c3d4e5f";

/// An empty database with a login for the programs; both are dropped with it.
pub(super) struct Database {
    name: String,
}

#[expect(clippy::disallowed_methods, reason = "where the tests' cluster is")]
fn cluster() -> PgConnectOptions {
    let address = env::var(VARIABLE).unwrap_or_else(|_| {
        panic!("{VARIABLE} is not set: run `cargo xtask test --install`, which provides Postgres")
    });
    address.parse().expect("the address of a cluster")
}

fn run(statement: String) {
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let mut connection = cluster().connect().await.unwrap();
        let ran = sqlx::raw_sql(AssertSqlSafe(statement)).execute(&mut connection);
        ran.await.unwrap();
    });
}

impl Database {
    pub(super) fn create() -> Self {
        let unique = tempfile::Builder::new().prefix("leaks_").tempdir().unwrap();
        let name = unique.path().file_name().unwrap().to_string_lossy();
        let name = format!("fanfare_test_{}", name.to_lowercase());
        run(format!("CREATE DATABASE {name}"));
        run(format!("CREATE ROLE {name} LOGIN PASSWORD '{PASSWORD}'"));
        Self { name }
    }

    fn owner(&self) -> PgConnectOptions {
        cluster().database(&self.name)
    }

    pub(super) fn settings(&self) -> Vec<(String, String)> {
        let login = self.owner().username(&self.name).password(PASSWORD);
        let settings = [
            ("FANFARE_DATABASE_URL", login),
            ("FANFARE_MIGRATION_DATABASE_URL", self.owner()),
        ];
        let text =
            |(name, url): (&str, PgConnectOptions)| (name.to_owned(), url.to_url_lossy().into());
        settings.into_iter().map(text).collect()
    }

    /// As a superuser, whom row security does not bind. Bytes come in hex, which is a form to look for.
    pub(super) async fn cells(&self) -> Vec<Cell> {
        let mut connection = self.owner().connect().await.unwrap();
        let columns: Vec<(String, String, String)> = sqlx::query_as(
            "SELECT c.table_schema::text, c.table_name::text, c.column_name::text
             FROM information_schema.columns c JOIN information_schema.tables t
                 USING (table_schema, table_name)
             WHERE t.table_type = 'BASE TABLE'
                 AND c.table_schema NOT IN ('pg_catalog', 'information_schema')",
        )
        .fetch_all(&mut connection)
        .await
        .unwrap();
        let mut cells = Vec::new();
        for (schema, table, column) in columns {
            let select = format!("SELECT \"{column}\"::text FROM \"{schema}\".\"{table}\"");
            let values: Vec<Option<String>> = sqlx::query_scalar(AssertSqlSafe(select))
                .fetch_all(&mut connection)
                .await
                .unwrap();
            cells.extend(values.into_iter().flatten().map(|text| Cell {
                table: table.clone(),
                column: column.clone(),
                bytes: text.into_bytes(),
            }));
        }
        cells
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        let name = &self.name;
        run(format!("DROP DATABASE {name} WITH (FORCE)"));
        run(format!("DROP ROLE {name}"));
    }
}

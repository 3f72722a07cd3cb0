//! Everything that a store holds, read past the programs.

use std::fs;
use std::path::{Path, PathBuf};

use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions, SqliteConnection};
use tempfile::TempDir;
use tokio::runtime::Builder;

/// A store that the programs are run on.
pub(crate) enum Store {
    /// A file in a folder of its own, which is the programs' working directory.
    Sqlite(TempDir),
}

/// A value in a row.
pub(crate) struct Cell {
    /// Without a schema's name.
    pub(crate) table: String,
    pub(crate) column: String,
    pub(crate) bytes: Vec<u8>,
}

impl Store {
    pub(crate) fn sqlite() -> Self {
        Self::Sqlite(tempfile::tempdir().unwrap())
    }

    pub(crate) fn folder(&self) -> &Path {
        match self {
            Self::Sqlite(folder) => folder.path(),
        }
    }

    /// What the programs must be told of it.
    pub(crate) fn settings(&self) -> Vec<(String, String)> {
        match self {
            Self::Sqlite(_) => Vec::new(),
        }
    }

    fn file(folder: &TempDir) -> PathBuf {
        folder.path().join(".fanfare/fanfare.db")
    }

    /// All rows of all tables, apalis's too.
    pub(crate) fn cells(&self) -> Vec<Cell> {
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        match self {
            Self::Sqlite(folder) => {
                let options = SqliteConnectOptions::new().filename(Self::file(folder));
                runtime.block_on(async {
                    let mut connection = options.read_only(true).connect().await.unwrap();
                    sqlite_cells(&mut connection).await
                })
            }
        }
    }

    /// Every byte it keeps, with what is left of rows that are gone: the file and its log.
    pub(crate) fn files(&self) -> Vec<(String, Vec<u8>)> {
        match self {
            Self::Sqlite(folder) => {
                let name = Self::file(folder);
                let parts =
                    ["", "-wal"].map(|end| PathBuf::from(format!("{}{end}", name.display())));
                let there = parts.into_iter().filter(|part| part.exists());
                there
                    .map(|part| (part.display().to_string(), fs::read(&part).unwrap()))
                    .collect()
            }
        }
    }
}

async fn sqlite_cells(connection: &mut SqliteConnection) -> Vec<Cell> {
    let columns: Vec<(String, String)> = sqlx::query_as(
        "SELECT m.name, c.name FROM sqlite_master m JOIN pragma_table_info(m.name) c
         WHERE m.type = 'table'",
    )
    .fetch_all(&mut *connection)
    .await
    .unwrap();
    let mut cells = Vec::new();
    for (table, column) in columns {
        let select = format!("SELECT CAST(\"{column}\" AS BLOB) FROM \"{table}\"");
        let values: Vec<Option<Vec<u8>>> = sqlx::query_scalar(AssertSqlSafe(select))
            .fetch_all(&mut *connection)
            .await
            .unwrap();
        cells.extend(values.into_iter().flatten().map(|bytes| Cell {
            table: table.clone(),
            column: column.clone(),
            bytes,
        }));
    }
    cells
}

//! Everything that a store holds, read without the programs.

mod postgres;
mod sqlite;

use std::fs;
use std::path::{Path, PathBuf};

use tempfile::TempDir;
use tokio::runtime::Builder;

use self::postgres::Database;

/// A store that the programs are run on, and the folder they are run in.
pub(crate) struct Store {
    folder: TempDir,
    /// `None`: a file in the folder.
    database: Option<Database>,
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
        Self {
            folder: tempfile::tempdir().unwrap(),
            database: None,
        }
    }

    pub(crate) fn postgres() -> Self {
        Self {
            database: Some(Database::create()),
            ..Self::sqlite()
        }
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The settings by which the programs find it.
    pub(crate) fn settings(&self) -> Vec<(String, String)> {
        let database = self.database.as_ref();
        database.map(Database::settings).unwrap_or_default()
    }

    /// The password in the settings, if there is one.
    pub(crate) fn password(&self) -> Option<&'static str> {
        self.database.as_ref().map(|_| postgres::PASSWORD)
    }

    fn file(&self) -> PathBuf {
        self.folder().join(".fanfare/fanfare.db")
    }

    /// All rows of all tables, apalis's too.
    pub(crate) fn cells(&self) -> Vec<Cell> {
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            match &self.database {
                None => sqlite::cells(&self.file()).await,
                Some(database) => database.cells().await,
            }
        })
    }

    /// Every byte of the file and its log, with what is left of deleted rows. The files of a server
    /// cannot be read.
    pub(crate) fn files(&self) -> Vec<(String, Vec<u8>)> {
        let file = self.file();
        let parts = ["", "-wal"].map(|end| PathBuf::from(format!("{}{end}", file.display())));
        let there = parts.into_iter().filter(|part| part.exists());
        there
            .map(|part| (part.display().to_string(), fs::read(&part).unwrap()))
            .collect()
    }
}

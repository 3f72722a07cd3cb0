//! The files that hold secrets, and whether others than the programs' user may read them.

use std::fmt;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use super::{Config, Database, MasterKeySource, PreviousKeysSource, Source};

/// A file that holds a secret, and that every user of the machine may read or change, or its group may change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExposedFile {
    path: PathBuf,
    /// The permission bits.
    mode: u32,
}

impl fmt::Display for ExposedFile {
    /// What is wrong, and the command that puts it right.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (path, mode) = (self.path.display(), self.mode);
        write!(
            f,
            "{path} holds a secret, and others may read or change it (mode {mode:04o}): `chmod 600 {path}`; \
             and replace the secret if somebody may have"
        )
    }
}

/// Every right of other users, and the group's right to write. The group may read: container platforms give a
/// program its secrets so.
const OF_OTHERS: u32 = 0o027;

impl Config {
    /// The files with secrets that are exposed. A file that is not there exposes nothing.
    pub fn exposed_files(&self) -> Vec<ExposedFile> {
        let exposed = self.secret_files().into_iter().filter_map(|path| {
            let mode = fs::metadata(path).ok()?.permissions().mode() & 0o777;
            let path = path.to_owned();
            (mode & OF_OTHERS != 0).then_some(ExposedFile { path, mode })
        });
        exposed.collect()
    }

    fn secret_files(&self) -> Vec<&Path> {
        let mut files = Vec::new();
        if let MasterKeySource::File(path) | MasterKeySource::BesideStore(path) = &self.master_key {
            files.push(path.as_path());
        }
        if let PreviousKeysSource::File(path) = &self.previous_master_keys {
            files.push(path.as_path());
        }
        let is_in_file = |name| self.sources.get(name) == Some(&Source::File);
        // Postgres's address may hold a password, a path to SQLite's file does not.
        let is_postgres = matches!(self.database, Database::Postgres(_));
        let addresses = ["FANFARE_DATABASE_URL", "FANFARE_MIGRATION_DATABASE_URL"];
        let keys = ["FANFARE_MASTER_KEY", "FANFARE_MASTER_KEY_PREVIOUS"];
        if keys.into_iter().any(is_in_file)
            || (is_postgres && addresses.into_iter().any(is_in_file))
        {
            files.push(&self.file);
        }
        files
    }
}

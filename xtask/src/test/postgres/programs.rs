//! Where Postgres is installed, and how it gets there.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Result, bail};

use crate::test::packages::Packages;

/// The oldest version that the store is made for.
pub(super) const OLDEST: u32 = 15;

/// Folders whose subfolders are versions, and where the programs are in those.
const BY_VERSION: &[(&str, &str)] = &[
    ("/usr/lib/postgresql", "bin"), // Debian, Ubuntu
    ("/usr", "bin"),                // Red Hat's packages by PostgreSQL: pgsql-16
    ("/opt/homebrew/opt", "bin"),   // Homebrew: postgresql@16
    ("/usr/local/opt", "bin"),
];

/// An installation that is new enough and whole.
#[derive(Debug, Clone)]
pub(super) struct Programs(PathBuf);

impl Programs {
    /// The installation on the path, or else the newest in one of the usual places.
    pub(super) fn find() -> Option<Self> {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let on_path = std::env::split_paths(&path).filter(|folder| folder.join("initdb").is_file());
        // A link in a folder of links: the other programs are where it leads to.
        let on_path = on_path.filter_map(|folder| {
            let program = folder.join("initdb").canonicalize().ok()?;
            program.parent().map(Path::to_owned)
        });
        let mut others: Vec<(u32, PathBuf)> = BY_VERSION
            .iter()
            .flat_map(|(root, inner)| folders(Path::new(root), inner))
            .filter_map(|folder| Some((version(&folder)?, folder)))
            .collect();
        others.sort();
        let others = others.into_iter().rev().map(|(_, folder)| folder);
        on_path
            .chain(others)
            .find(|folder| is_usable(folder))
            .map(Self)
    }

    pub(super) fn path(&self, program: &str) -> PathBuf {
        self.0.join(program)
    }
}

fn folders(root: &Path, inner: &str) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(root).into_iter().flatten().flatten();
    let folders = entries.map(|entry| entry.path().join(inner));
    folders
        .filter(|folder| folder.join("initdb").is_file())
        .collect()
}

/// New enough, and with the extensions that the job queue needs.
fn is_usable(folder: &Path) -> bool {
    let has = |program: &str| folder.join(program).is_file();
    let whole = ["initdb", "pg_ctl", "postgres"].into_iter().all(has);
    whole && version(folder) >= Some(OLDEST) && has_extensions(folder)
}

fn version(folder: &Path) -> Option<u32> {
    major(&output(folder, "postgres", "--version")?)
}

/// The major version in `postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)`.
fn major(text: &str) -> Option<u32> {
    let number = text.split_once("(PostgreSQL) ")?.1;
    let digits = number.split(|c: char| !c.is_ascii_digit()).next()?;
    digits.parse().ok()
}

fn has_extensions(folder: &Path) -> bool {
    // Where no program tells the folder, the database's own message will.
    let Some(shared) = output(folder, "pg_config", "--sharedir") else {
        return true;
    };
    let extensions = Path::new(shared.trim()).join("extension");
    ["hstore.control", "pgcrypto.control"]
        .into_iter()
        .all(|file| extensions.join(file).is_file())
}

fn output(folder: &Path, program: &str, argument: &str) -> Option<String> {
    let output = Command::new(folder.join(program)).arg(argument).output();
    let output = output.ok().filter(|output| output.status.success())?;
    String::from_utf8(output.stdout).ok()
}

/// What the package managers call Postgres.
const PACKAGES: Packages = Packages {
    apt: &["postgresql", "postgresql-contrib"],
    dnf: &["postgresql-server", "postgresql-contrib"],
    apk: &["postgresql16", "postgresql16-contrib"],
    brew: &["postgresql@16"],
};

/// Installs Postgres through the system's package manager.
pub(super) fn install() -> Result<()> {
    if PACKAGES.install()? {
        return Ok(());
    }
    bail!(
        "no package manager known here can install Postgres: install version {OLDEST} or later \
         with its contributed extensions, or set {}",
        super::VARIABLE
    );
}

#[cfg(test)]
mod tests {
    use super::major;

    #[track_caller]
    fn check(text: &str, version: Option<u32>) {
        assert_eq!(major(text), version, "{text}");
    }

    #[test]
    fn a_version_is_read_from_what_postgres_says() {
        check(
            "postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)\n",
            Some(15),
        );
        check("postgres (PostgreSQL) 18beta1\n", Some(18));
        check("command not found", None);
    }
}

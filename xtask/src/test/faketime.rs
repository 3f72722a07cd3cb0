//! libfaketime, which gives a program a clock of its own.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use anyhow::Result;

use super::packages::Packages;

/// Folders that hold it, or whose subfolders do: one for each architecture.
const FOLDERS: &[&str] = &["/usr/lib", "/usr/lib64", "/usr/local/lib"];

/// Its form for programs with threads comes first.
const NAMES: &[&str] = &["faketime/libfaketimeMT.so.1", "faketime/libfaketime.so.1"];

const PACKAGES: Packages = Packages {
    apt: &["libfaketime"],
    dnf: &["libfaketime"],
    apk: &["libfaketime"],
    brew: &["libfaketime"],
};

/// Installs it if it is missing and can be had; what needs it is skipped otherwise.
pub(super) fn install() -> Result<()> {
    if find().is_none() {
        PACKAGES.install()?;
    }
    Ok(())
}

/// The library, where it is installed.
pub(crate) fn find() -> Option<PathBuf> {
    let of_architectures = |root: &Path| {
        let entries = std::fs::read_dir(root).into_iter().flatten().flatten();
        entries.map(|entry| entry.path()).collect::<Vec<_>>()
    };
    let roots = FOLDERS.iter().map(PathBuf::from);
    let folders: Vec<PathBuf> = roots
        .flat_map(|root| [vec![root.clone()], of_architectures(&root)].concat())
        .collect();
    let mut candidates = NAMES
        .iter()
        .flat_map(|name| folders.iter().map(move |folder| folder.join(name)));
    candidates.find(|path| path.is_file())
}

/// The variables that give a program the clock whose offset stands in a file, such as `+300s`. It can be written
/// anew while the program runs. How long something takes is not changed.
pub(crate) fn variables(library: &Path, offset: &Path) -> Vec<(&'static str, OsString)> {
    vec![
        ("LD_PRELOAD", library.into()),
        ("FAKETIME_TIMESTAMP_FILE", offset.into()),
        ("FAKETIME_NO_CACHE", "1".into()),
        ("FAKETIME_DONT_FAKE_MONOTONIC", "1".into()),
        ("DONT_FAKE_MONOTONIC", "1".into()),
    ]
}

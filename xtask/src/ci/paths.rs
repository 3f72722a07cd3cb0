//! Every path that the documents for developers name exists.
//!
//! A path stands in backticks or is the target of a link. It is given from the root of the repository, from the
//! folder of the document, or, for a file, by its last parts: `engine/slice.rs`. A part with `*`, `{` or `<` stands
//! for several files; only the folder before it must exist then.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use anyhow::Result;

use super::Faults;
use crate::workspace;

const DOCUMENTS: [&str; 2] = ["docs/ARCHITECTURE.md", "docs/CONTRIBUTING.md"];

/// The folders and files at the root of the repository that paths begin with.
const ROOTS: [&str; 9] = [
    ".cargo",
    ".ci",
    ".config",
    "bins",
    "crates",
    "docs",
    "migrations",
    "xtask",
    "clippy.toml",
];

/// The endings of files that are looked for by their last parts.
const ENDINGS: [&str; 4] = [".md", ".rs", ".sql", ".toml"];

pub(super) fn check() -> Result<Faults> {
    let root = workspace::root();
    let mut files = BTreeSet::new();
    for folder in ROOTS {
        collect(&root.join(folder), &mut files)?;
    }
    let mut faults = Faults::new();
    for document in DOCUMENTS {
        let path = root.join(document);
        // A document that is not written yet names nothing.
        if path.exists() {
            let text = fs::read_to_string(path)?;
            let exists = |named: &str| exists(named, document, &files);
            let missing = missing(&text, exists).into_iter();
            faults.extend(missing.map(|fault| format!("{document}:{fault}")));
        }
    }
    Ok(faults)
}

/// All files and folders below a folder, from the root of the repository.
fn collect(path: &Path, files: &mut BTreeSet<String>) -> Result<()> {
    if !path.exists() {
        return Ok(());
    }
    files.insert(super::relative(path));
    if path.is_dir() {
        for entry in fs::read_dir(path)? {
            collect(&entry?.path(), files)?;
        }
    }
    Ok(())
}

/// The paths in a document that do not exist, with their lines.
fn missing(text: &str, exists: impl Fn(&str) -> bool) -> Vec<String> {
    let mut missing = Vec::new();
    for (number, line) in (1..).zip(text.lines()) {
        let quoted = line.split('`').skip(1).step_by(2);
        let linked = line
            .split("](")
            .skip(1)
            .filter_map(|rest| rest.split([')', '#']).next())
            .filter(|target| !target.is_empty() && !target.contains("://"));
        for named in quoted.filter(|text| is_path(text)).chain(linked) {
            if !exists(named) {
                missing.push(format!("{number}: {named} does not exist"));
            }
        }
    }
    missing
}

/// Whether a text in backticks is a path rather than code.
fn is_path(text: &str) -> bool {
    let first = text.split('/').next().unwrap_or_default();
    let is_rooted = ROOTS.contains(&first);
    let is_file = ENDINGS.iter().any(|ending| text.ends_with(ending));
    text.contains('/') && !text.contains([' ', '(', ':']) && (is_rooted || is_file)
}

fn exists(named: &str, document: &str, files: &BTreeSet<String>) -> bool {
    let fixed: Vec<&str> = named
        .split('/')
        .take_while(|part| !part.contains(['*', '{', '<']))
        .filter(|part| !part.is_empty() && *part != ".")
        .collect();
    let mut from_document: Vec<&str> = document.split('/').collect();
    from_document.pop();
    for part in &fixed {
        if *part == ".." {
            from_document.pop();
        } else {
            from_document.push(part);
        }
    }
    let (fixed, end) = (fixed.join("/"), format!("/{}", fixed.join("/")));
    let from_document = from_document.join("/");
    let is_root = from_document.is_empty() || fixed.is_empty();
    let is_there = |path: &String| *path == fixed || *path == from_document || path.ends_with(&end);
    is_root || files.iter().any(is_there)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<String> {
        let files = ["crates/http/src/routes.rs", "crates/http", "docs/decisions"];
        let files = files.map(str::to_owned).into_iter().collect();
        missing(text, |named| exists(named, "docs/CONTRIBUTING.md", &files))
    }

    #[test]
    fn paths_that_exist_are_no_fault() {
        let text = "`crates/http/src/routes.rs`, `crates/http/`, `http/src/routes.rs`, `crates/http/*.rs`,\n\
                    [decisions](decisions/), [http](../crates/http), `GET /api/lists`, `a/b`, `x::y/z.rs()`,\n\
                    [web](https://example.com/x.rs), [here](#below)";
        assert_eq!(found(text), [""; 0]);
    }

    #[test]
    fn a_path_that_does_not_exist_is_named_with_its_line() {
        assert_eq!(
            found("nothing\n`crates/http/src/route.rs` and `src/other.rs`, [x](gone.md)"),
            [
                "2: crates/http/src/route.rs does not exist",
                "2: src/other.rs does not exist",
                "2: gone.md does not exist"
            ]
        );
    }

    #[test]
    fn code_in_backticks_is_no_path() {
        assert!(!is_path("cargo xtask ci"));
        assert!(!is_path("GET /api/sync-runs/{id}"));
        assert!(is_path("migrations/postgres"));
    }
}

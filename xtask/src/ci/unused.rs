//! Dependencies that no source of their crate names.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use cargo_metadata::{Dependency, DependencyKind};

use super::Faults;
use crate::workspace;

/// Dependencies that do their work without being named, and how.
const UNNAMED: &[(&str, &str)] = &[];

pub(super) fn check() -> Result<Faults> {
    let metadata = workspace::metadata()?;
    let mut faults = Faults::new();
    for package in metadata.workspace_packages() {
        let folder = package
            .manifest_path
            .parent()
            .context("a manifest lies in a folder")?;
        let product = text_of(folder.as_std_path(), &["src"])?;
        let tests = text_of(
            folder.as_std_path(),
            &["src", "tests", "examples", "benches"],
        )?;
        for dependency in &package.dependencies {
            let text = match dependency.kind {
                DependencyKind::Normal => &product,
                DependencyKind::Development => &tests,
                _ => continue,
            };
            let is_unnamed = UNNAMED.contains(&(package.name.as_str(), dependency.name.as_str()));
            if !is_unnamed && !names(text, &crate_name(dependency)) {
                faults.push(format!("{} does not use {}", package.name, dependency.name));
            }
        }
    }
    Ok(faults)
}

fn text_of(folder: &Path, parts: &[&str]) -> Result<String> {
    let mut text = String::new();
    for part in parts {
        for source in workspace::rust_sources(&folder.join(part))? {
            text.push_str(&fs::read_to_string(source)?);
        }
    }
    Ok(text)
}

/// What sources call the dependency.
fn crate_name(dependency: &Dependency) -> String {
    dependency
        .rename
        .as_ref()
        .unwrap_or(&dependency.name)
        .replace('-', "_")
}

/// Whether the crate's name stands in the text as a word of code: `name::…` or `use name`.
fn names(text: &str, name: &str) -> bool {
    text.match_indices(name).any(|(at, _)| {
        let before = text[..at].chars().next_back();
        let after = &text[at + name.len()..];
        let begins = !before.is_some_and(|c| c.is_alphanumeric() || c == '_');
        begins
            && (after.starts_with("::") || (text[..at].ends_with("use ") && after.starts_with(';')))
    })
}

#[cfg(test)]
mod tests {
    use super::names;

    #[track_caller]
    fn check(text: &str, is_named: bool) {
        assert_eq!(names(text, "serde"), is_named, "{text}");
    }

    #[test]
    fn a_crate_is_named_by_a_path_or_a_use_and_not_by_a_longer_word() {
        check("use serde::Serialize;", true);
        check("#[derive(serde::Serialize)]", true);
        check("use serde;", true);
        check("use serde_json::Value;", false);
        check("use my_serde::Value;", false);
        check("// serde is not used", false);
    }
}

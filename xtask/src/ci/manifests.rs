//! One table of dependencies, each with its reason, and members that add nothing to it.

use std::fs;
use std::path::Path;

use anyhow::Result;

use super::{Faults, relative};
use crate::workspace;

pub(super) fn check() -> Result<Faults> {
    let root = workspace::root();
    let manifest = fs::read_to_string(root.join("Cargo.toml"))?;
    let mut faults = table_faults(&manifest);
    for manifest in member_manifests(root)? {
        let shown = relative(&manifest);
        let found = member_faults(&fs::read_to_string(&manifest)?);
        faults.extend(found.into_iter().map(|fault| format!("{shown}: {fault}")));
    }
    Ok(faults)
}

fn member_manifests(root: &Path) -> Result<Vec<std::path::PathBuf>> {
    let mut manifests = vec![root.join("xtask/Cargo.toml")];
    for folder in ["crates", "bins"] {
        for entry in fs::read_dir(root.join(folder))? {
            manifests.push(entry?.path().join("Cargo.toml"));
        }
    }
    manifests.sort();
    Ok(manifests)
}

/// Lines of `[workspace.dependencies]` that do not say what they are for.
fn table_faults(manifest: &str) -> Faults {
    entries(manifest)
        .filter(|(section, line)| *section == "workspace.dependencies" && !line.contains(" # "))
        .map(|(_, line)| format!("Cargo.toml: `{line}` does not say what it is for"))
        .collect()
}

/// What a member's manifest decides by itself.
fn member_faults(manifest: &str) -> Faults {
    let mut faults = Faults::new();
    for (section, line) in entries(manifest) {
        let is_inherited =
            line.contains(".workspace = true") || line.contains("{ workspace = true");
        if section.ends_with("dependencies") && !is_inherited {
            faults.push(format!(
                "`{line}` must be `workspace = true`, its version in the table"
            ));
        }
    }
    if !entries(manifest).any(|entry| entry == ("lints", "workspace = true")) {
        faults.push("`[lints] workspace = true` is missing".to_owned());
    }
    faults
}

/// The manifest's lines, each with its section.
fn entries(manifest: &str) -> impl Iterator<Item = (&str, &str)> {
    let mut section = "";
    manifest.lines().map(str::trim).filter_map(move |line| {
        if let Some(name) = line
            .strip_prefix('[')
            .and_then(|line| line.strip_suffix(']'))
        {
            section = name;
            return None;
        }
        (!line.is_empty() && !line.starts_with('#')).then_some((section, line))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dependency_without_its_reason_is_a_fault() {
        let manifest =
            "[workspace.dependencies]\n# --- a heading\nserde = \"1\" # wire shapes\nurl = \"2\"\n";

        assert_eq!(
            table_faults(manifest),
            ["Cargo.toml: `url = \"2\"` does not say what it is for"]
        );
    }

    #[test]
    fn a_member_takes_versions_and_lints_from_the_workspace() {
        let good = "[lints]\nworkspace = true\n[dependencies]\nurl.workspace = true\n\
                    tokio = { workspace = true, features = [\"test-util\"] }\n";
        let bad = "[dev-dependencies]\nurl = \"2\"\n";

        assert_eq!(member_faults(good), Faults::new());
        assert_eq!(member_faults(bad).len(), 2);
    }
}

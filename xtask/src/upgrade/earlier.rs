//! The programs of an earlier commit.

use std::fs;
use std::process::Command;

use anyhow::{Context, Result, ensure};

use crate::services::Programs;
use crate::workspace;

/// Where migrations are.
const MIGRATIONS: &str = "migrations";

/// The commit of this name.
pub(super) fn commit(name: &str) -> Result<String> {
    git(&["rev-parse", "--verify", &format!("{name}^{{commit}}")])
}

/// The latest commit whose migrations are not those that are here.
pub(super) fn with_another_schema() -> Result<String> {
    let changed = git(&["status", "--porcelain", "--", MIGRATIONS])?;
    if !changed.is_empty() {
        return commit("HEAD");
    }
    let latest = git(&["log", "-1", "--format=%H", "--", MIGRATIONS])?;
    commit(&format!("{latest}^"))
}

/// What programs have that run on a newer schema.
const SCHEMA_RULES: &str = "crates/sql-rows/src/schema.rs";

/// Builds the programs of a commit, in a worktree of its own.
pub(super) fn build(commit: &str) -> Result<Programs> {
    git(&["cat-file", "-e", &format!("{commit}:{SCHEMA_RULES}")]).with_context(|| {
        format!(
            "programs of {commit} refuse every newer schema: name a later commit, such as `--from HEAD`"
        )
    })?;
    let target = workspace::target()?.join("upgrade");
    let source = target.join("source");
    fs::create_dir_all(&target)?;
    let path = source
        .to_str()
        .context("the target folder has an odd name")?;
    if source.exists() {
        git(&["-C", path, "checkout", "--quiet", "--detach", commit])?;
    } else {
        git(&["worktree", "add", "--quiet", "--detach", path, commit])?;
    }
    Programs::build_in(&source, &target.join("build"))
}

fn git(arguments: &[&str]) -> Result<String> {
    let mut git = Command::new("git");
    git.args(arguments).current_dir(workspace::root());
    let shown = workspace::show(&git);
    let output = git
        .output()
        .with_context(|| format!("`{shown}` cannot be started"))?;
    let error = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "`{shown}` failed: {error}");
    Ok(String::from_utf8(output.stdout)?.trim().to_owned())
}

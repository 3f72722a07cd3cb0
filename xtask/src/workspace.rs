//! Where the repository is, and cargo run in it.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use cargo_metadata::{Message, Metadata, MetadataCommand};

/// The repository's root.
pub(crate) fn root() -> &'static Path {
    let xtask = Path::new(env!("CARGO_MANIFEST_DIR"));
    xtask.parent().unwrap_or(xtask)
}

/// The cargo that built this program, about to be run at the root.
pub(crate) fn cargo(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO"));
    command.args(arguments).current_dir(root());
    // What the cargo that runs this program has told it would be passed on: some build scripts (that of
    // ring, whose dependents take half a minute) run again whenever one of these changes.
    for (name, _) in std::env::vars_os() {
        let is_told = name
            .to_str()
            .is_some_and(|name| TOLD.iter().any(|told| name.starts_with(told)));
        if is_told {
            command.env_remove(name);
        }
    }
    command
}

/// How the variables begin that cargo sets for a program it runs.
const TOLD: &[&str] = &[
    "CARGO_BIN_NAME",
    "CARGO_CRATE_NAME",
    "CARGO_MANIFEST_",
    "CARGO_PKG_",
    "CARGO_PRIMARY_PACKAGE",
];

/// Runs a command to its end; a status other than 0 is an error that names it.
pub(crate) fn must_succeed(mut command: Command) -> Result<()> {
    let shown = show(&command);
    let status = command
        .status()
        .with_context(|| format!("`{shown}` cannot be started"))?;
    if status.success() {
        Ok(())
    } else {
        bail!("`{shown}` failed ({status})")
    }
}

/// A command as one would type it.
pub(crate) fn show(command: &Command) -> String {
    let program = Path::new(command.get_program())
        .file_name()
        .unwrap_or(command.get_program());
    let words = std::iter::once(program).chain(command.get_args());
    words
        .map(|word| word.to_string_lossy())
        .collect::<Vec<_>>()
        .join(" ")
}

/// Builds, showing cargo's progress, and returns each program built with its path.
pub(crate) fn build(arguments: &[&str]) -> Result<Vec<(String, PathBuf)>> {
    build_with(arguments, &[])
}

/// The same with these variables.
pub(crate) fn build_with(
    arguments: &[&str],
    environment: &[(&str, OsString)],
) -> Result<Vec<(String, PathBuf)>> {
    let mut command = cargo(BUILD);
    command.args(arguments);
    command.envs(environment.iter().map(|(name, value)| (name, value)));
    run_build(command)
}

/// The same in another checkout of this repository, with another target folder.
pub(crate) fn build_in(
    checkout: &Path,
    target: &Path,
    arguments: &[&str],
) -> Result<Vec<(String, PathBuf)>> {
    let mut command = cargo(BUILD);
    command.args(arguments).current_dir(checkout);
    command.arg("--target-dir").arg(target);
    run_build(command)
}

const BUILD: &[&str] = &["build", "--message-format=json-render-diagnostics"];

fn run_build(mut command: Command) -> Result<Vec<(String, PathBuf)>> {
    command.stdout(Stdio::piped());
    let shown = show(&command);
    let mut child = command
        .spawn()
        .with_context(|| format!("`{shown}` cannot be started"))?;
    let output = child
        .stdout
        .take()
        .context("cargo's output cannot be read")?;
    let mut programs = Vec::new();
    for message in Message::parse_stream(std::io::BufReader::new(output)) {
        if let Message::CompilerArtifact(artifact) = message?
            && let Some(path) = artifact.executable
        {
            programs.push((artifact.target.name, path.into_std_path_buf()));
        }
    }
    let status = child.wait()?;
    if status.success() {
        Ok(programs)
    } else {
        bail!("`{shown}` failed")
    }
}

/// The workspace and what it depends on, on this platform.
pub(crate) fn metadata() -> Result<Metadata> {
    let mut command = MetadataCommand::new();
    command.manifest_path(root().join("Cargo.toml"));
    command.other_options(["--filter-platform".to_owned(), host()?]);
    command.exec().context("cargo metadata failed")
}

/// Cargo's target folder.
pub(crate) fn target() -> Result<PathBuf> {
    let metadata = MetadataCommand::new()
        .current_dir(root())
        .no_deps()
        .exec()?;
    Ok(metadata.target_directory.into_std_path_buf())
}

fn host() -> Result<String> {
    let output = Command::new("rustc")
        .arg("-vV")
        .output()
        .context("rustc cannot be started")?;
    let text = String::from_utf8(output.stdout)?;
    let host = text.lines().find_map(|line| line.strip_prefix("host: "));
    host.map(str::to_owned).context("`rustc -vV` names no host")
}

/// The repository's Rust sources, in order.
pub(crate) fn rust_sources(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        if !folder.is_dir() {
            continue;
        }
        for entry in std::fs::read_dir(&folder)? {
            let path = entry?.path();
            if path.is_dir() && path.file_name().is_some_and(|name| name != "target") {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push(path);
            }
        }
    }
    found.sort();
    Ok(found)
}

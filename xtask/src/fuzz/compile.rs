//! Compiling for the engine: the crates of this workspace tell it which of their code was reached.
//!
//! That takes flags which cargo can give all crates or none. Given to all, every dependency would be compiled a second
//! time, and with the stable toolchain not all can be. So this program stands between cargo and rustc for the crates of the
//! workspace (`RUSTC_WORKSPACE_WRAPPER`), and cargo keeps what comes of it apart from the ordinary builds.

use std::ffi::OsString;
use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::os::unix::fs::symlink;
use std::path::PathBuf;
use std::process::{Command, ExitCode};

use anyhow::{Context, Result};

use crate::workspace;

/// Set for the compilation of the engine: then this program is a compiler.
const MARK: &str = "FANFARE_FUZZ_COMPILE";

/// The crates whose code is explored. The others of the workspace read no bytes of others.
const EXPLORED: [&str; 5] = [
    "fanfare_domain",
    "fanfare_fuzz",
    "fanfare_http",
    "fanfare_klaviyo",
    "fanfare_runtime",
];

/// Lets the targets be compiled, makes them fast without taking their checks away, and lets LLVM count the edges and
/// comparisons that are reached.
const FLAGS: [&str; 8] = [
    "--cfg=fuzzing",
    "-Copt-level=2",
    "-Cdebug-assertions=on",
    "-Cpasses=sancov-module",
    "-Cllvm-args=-sanitizer-coverage-level=4",
    "-Cllvm-args=-sanitizer-coverage-inline-8bit-counters",
    "-Cllvm-args=-sanitizer-coverage-pc-table",
    "-Cllvm-args=-sanitizer-coverage-trace-compares",
];

/// Builds the engine with all targets. Returns its path.
pub(super) fn engine() -> Result<PathBuf> {
    println!("Building the engine (some minutes the first time; it needs a C++ compiler)");
    let arguments = ["--package", "fanfare-fuzz", "--features", "engine"];
    let environment = [
        ("RUSTC_WORKSPACE_WRAPPER", wrapper()?.into_os_string()),
        (MARK, "1".into()),
    ];
    let built = workspace::build_with(&arguments, &environment)?;
    let engine = built.into_iter().find(|(name, _)| name == "fanfare-fuzz");
    let (_, path) = engine.context("cargo built no engine")?;
    Ok(path)
}

/// This program by another name, which depends on the flags: cargo knows compilers by their paths, and would not compile
/// anew when the flags change.
fn wrapper() -> Result<PathBuf> {
    let mut hasher = DefaultHasher::new();
    (EXPLORED, FLAGS).hash(&mut hasher);
    let folder = super::output()?;
    fs::create_dir_all(&folder)?;
    let wrapper = folder.join(format!("rustc-{:016x}", hasher.finish()));
    if wrapper.symlink_metadata().is_ok() {
        fs::remove_file(&wrapper)?;
    }
    symlink(std::env::current_exe()?, &wrapper)?;
    Ok(wrapper)
}

/// Compiles, if cargo has started this program in place of rustc.
pub(crate) fn as_compiler() -> Option<ExitCode> {
    std::env::var_os(MARK)?;
    let mut arguments = std::env::args_os().skip(1);
    let rustc = arguments.next()?;
    let arguments = with_flags(arguments.collect());
    let status = Command::new(rustc).args(arguments).status();
    let code = status.ok().and_then(|status| status.code());
    let code = code.and_then(|code| u8::try_from(code).ok()).unwrap_or(1);
    Some(ExitCode::from(code))
}

/// The arguments of rustc, with those of the engine for a crate that is explored.
fn with_flags(mut arguments: Vec<OsString>) -> Vec<OsString> {
    let mut pairs = arguments.windows(2);
    let is_explored = pairs.any(|pair| {
        let name = pair[1].to_str().unwrap_or_default();
        pair[0] == "--crate-name" && EXPLORED.contains(&name)
    });
    if is_explored {
        arguments.extend(FLAGS.map(OsString::from));
    }
    arguments
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flags(arguments: &[&str]) -> usize {
        let given: Vec<OsString> = arguments.iter().map(OsString::from).collect();
        with_flags(given).len() - arguments.len()
    }

    #[test]
    fn crates_that_are_explored_are_instrumented_and_nothing_else() {
        assert_eq!(
            flags(&["--crate-name", "fanfare_klaviyo", "--edition=2024"]),
            FLAGS.len()
        );
        assert_eq!(
            flags(&["--crate-name", "build_script_build", "build.rs"]),
            0
        );
        assert_eq!(flags(&["--crate-name", "fanfare_sqlite"]), 0);
        assert_eq!(flags(&["-vV"]), 0);
    }
}

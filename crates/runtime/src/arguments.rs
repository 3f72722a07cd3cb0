//! The command line of a program that is configured by its environment alone.

use clap::Command;
use clap::error::ErrorKind;

const SETTINGS: &str = "It is configured by its environment, the variables FANFARE_…: docs/OPERATIONS.md lists \
     them, and `fanfare doctor` shows those in force.";

/// Answers `--help` and `--version`, and refuses everything else with status 2: returns only where there
/// are no arguments. `about` says what the program is.
pub fn no_arguments(program: &'static str, about: &'static str) {
    let mut command = Command::new(program)
        .version(env!("CARGO_PKG_VERSION"))
        .about(about)
        .after_help(SETTINGS);
    let Err(error) = command.try_get_matches_from_mut(std::env::args_os()) else {
        return;
    };
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => error.exit(),
        // Not in clap's words, which repeat the argument: it may be a secret.
        kind => command
            .error(
                kind,
                "the program takes no arguments; its settings are variables",
            )
            .exit(),
    }
}

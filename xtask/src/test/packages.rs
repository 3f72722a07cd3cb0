//! What tests need of the system, installed through its package manager.

use std::process::Command;

use anyhow::Result;

use crate::workspace;

/// What each is told, one command after the other; the last one installs.
type Commands = &'static [&'static [&'static str]];

const APT: Commands = &[
    &["update"],
    &["install", "--yes", "--no-install-recommends"],
];
const DNF: Commands = &[&["install", "-y"]];
const APK: Commands = &[&["add"]];
const BREW: Commands = &[&["install"]];

/// What the package managers call something.
pub(crate) struct Packages {
    pub(crate) apt: &'static [&'static str],
    pub(crate) dnf: &'static [&'static str],
    pub(crate) apk: &'static [&'static str],
    pub(crate) brew: &'static [&'static str],
}

impl Packages {
    /// Installs it. `false` if none of the package managers is here.
    pub(crate) fn install(&self) -> Result<bool> {
        let managers = [
            ("apt-get", APT, self.apt),
            ("dnf", DNF, self.dnf),
            ("apk", APK, self.apk),
            ("brew", BREW, self.brew),
        ];
        let path = std::env::var_os("PATH").unwrap_or_default();
        let is_here = |program: &str| {
            std::env::split_paths(&path).any(|folder| folder.join(program).is_file())
        };
        let Some((manager, commands, packages)) =
            managers.into_iter().find(|(manager, ..)| is_here(manager))
        else {
            return Ok(false);
        };
        let needs_root = manager != "brew" && !rustix::process::getuid().is_root();
        for (number, arguments) in commands.iter().enumerate() {
            let mut command = if needs_root {
                let mut sudo = Command::new("sudo");
                sudo.arg(manager);
                sudo
            } else {
                Command::new(manager)
            };
            command.args(*arguments);
            if number + 1 == commands.len() {
                command.args(packages);
            }
            command.env("DEBIAN_FRONTEND", "noninteractive");
            println!("{}", workspace::show(&command));
            workspace::must_succeed(command)?;
        }
        Ok(true)
    }
}

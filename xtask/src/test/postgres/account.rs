//! Whose cluster it is. Postgres's programs refuse to run as root.

use std::fs;
use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};

/// An account of this machine, by its numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Account {
    user: u32,
    group: u32,
}

impl Account {
    /// An account to take when this program is root's; `None` when it is not.
    pub(super) fn other_than_root() -> Result<Option<Self>> {
        if !rustix::process::getuid().is_root() {
            return Ok(None);
        }
        let accounts = fs::read_to_string("/etc/passwd")?;
        // Where Postgres was installed by a package there is an account for it.
        let found = ["postgres", "nobody"]
            .into_iter()
            .find_map(|name| Self::named(name, &accounts));
        let account = found.context(
            "Postgres does not run as root, and there is no account `postgres` or `nobody` here",
        )?;
        Ok(Some(account))
    }

    fn named(name: &str, accounts: &str) -> Option<Self> {
        accounts.lines().find_map(|line| {
            let fields: Vec<&str> = line.split(':').collect();
            match fields[..] {
                [found, _, user, group, ..] if found == name => Some(Self {
                    user: user.parse().ok()?,
                    group: group.parse().ok()?,
                }),
                _ => None,
            }
        })
    }

    /// Gives it a file or folder.
    pub(super) fn own(self, path: &Path) -> Result<()> {
        chown(path, Some(self.user), Some(self.group))
            .with_context(|| format!("{} cannot be given away", path.display()))
    }

    /// Lets a command run as this account.
    pub(super) fn run(self, command: &mut Command) {
        command.uid(self.user).gid(self.group);
    }
}

#[cfg(test)]
mod tests {
    use super::Account;

    #[test]
    fn an_account_is_found_by_its_whole_name() {
        let accounts =
            "root:x:0:0:root:/root:/bin/sh\nmypostgres:x:7:7::/:\npostgres:x:101:104:P:/:/bin/sh\n";

        let found = Account::named("postgres", accounts);

        let want = Account {
            user: 101,
            group: 104,
        };
        assert_eq!(found, Some(want));
        assert_eq!(Account::named("nobody", accounts), None);
    }
}

//! What every program that serves must do when it starts, ends, or cannot start.

use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};

/// A built program that serves on one address.
#[derive(Debug, Clone, Copy)]
pub struct Program {
    /// Its name.
    pub name: &'static str,
    /// Its file.
    pub path: &'static str,
    /// The setting that says where it listens.
    pub address: &'static str,
}

impl Program {
    /// The command that runs the program in this folder, with an embedded store there.
    pub fn command(&self, folder: &Path) -> Command {
        let mut command = Command::new(self.path);
        command
            .current_dir(folder)
            .env_clear()
            .env(self.address, "127.0.0.1:0")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    /// Fails unless the program prints where it listens, is ready there, and ends when it is asked to.
    pub fn starts_and_ends(&self) {
        self.while_ready(|_| ());
    }

    /// The same, looking at the process of this id while it is ready.
    pub fn while_ready(&self, look: impl FnOnce(u32)) {
        let folder = tempfile::tempdir().unwrap();
        let mut command = self.command(folder.path());
        let mut child = command.stderr(Stdio::null()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let line = lines.next().unwrap().unwrap();
        let address = line.strip_prefix("listening on ").unwrap();

        let ready = ureq::get(format!("{address}/readyz")).call().unwrap();
        assert_eq!(ready.status(), 200);
        look(child.id());
        kill_process(Pid::from_child(&child), Signal::TERM).unwrap();

        assert_eq!(child.wait().unwrap().code(), Some(0));
        assert!(lines.next().is_none(), "logs go to standard error");
        assert!(folder.path().join(".fanfare/fanfare.db").exists());
    }

    /// Fails unless a program that cannot start explains why in one line and ends with status 1.
    pub fn explains_why_it_does_not_start(&self) {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("file"), "").unwrap();
        let taken = TcpListener::bind("127.0.0.1:0").unwrap();
        let taken = taken.local_addr().unwrap().to_string();
        for (setting, value, explanation) in [
            (self.address, &*taken, "is in use by another program"),
            (self.address, "4800", "it must be HOST:PORT"),
            (
                "FANFARE_DATABASE_URL",
                "sqlite://file/a.db",
                "cannot be written",
            ),
            ("FANFARE_MASTER_KEY", "short", "must be 32 bytes in base64"),
        ] {
            let mut command = self.command(folder.path());
            let ended = command.env(setting, value).output().unwrap();

            let errors = String::from_utf8(ended.stderr).unwrap();
            assert_eq!(ended.status.code(), Some(1), "{setting}: {errors}");
            assert!(errors.starts_with(&format!("{}: ", self.name)), "{errors}");
            assert!(errors.contains(explanation), "{errors}");
            assert_eq!(errors.lines().count(), 1, "{errors}");
            assert!(ended.stdout.is_empty());
        }
    }

    /// Fails unless help and version end with status 0, and any other argument with status 2, without being printed:
    /// it may be a secret.
    pub fn takes_no_arguments(&self) {
        let folder = tempfile::tempdir().unwrap();
        let run = |argument: &str| {
            let mut command = self.command(folder.path());
            let ended = command.arg(argument).output().unwrap();
            let [output, errors] = [ended.stdout, ended.stderr];
            let [output, errors] = [output, errors].map(|text| String::from_utf8(text).unwrap());
            (ended.status.code(), output, errors)
        };

        let (status, help, errors) = run("--help");
        assert_eq!((status, &*errors), (Some(0), ""));
        for part in [
            self.name,
            "FANFARE_",
            "docs/OPERATIONS.md",
            "fanfare doctor",
        ] {
            assert!(help.contains(part), "{part}: {help}");
        }
        let version = format!("{} {}\n", self.name, env!("CARGO_PKG_VERSION"));
        assert_eq!(run("--version"), (Some(0), version, String::new()));
        for argument in ["sk_live_canary", "--port=canary", "-x", "help"] {
            let (status, output, errors) = run(argument);
            assert_eq!((status, &*output), (Some(2), ""), "{argument}: {errors}");
            assert!(errors.contains("takes no arguments"), "{errors}");
            assert!(!errors.contains("canary"), "{errors}");
        }
        assert!(!folder.path().join(".fanfare").exists(), "nothing was made");
    }
}

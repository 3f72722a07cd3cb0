//! The built program: how it starts, how it ends, and how it does not start.

use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};

fn program(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_fanfare-worker"));
    command
        .current_dir(folder)
        .env_clear()
        .env("FANFARE_WORKER_ADDR", "127.0.0.1:0")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

#[test]
fn it_says_where_it_listens_is_ready_there_and_ends_when_it_is_told_to() {
    let folder = tempfile::tempdir().unwrap();
    let mut child = program(folder.path())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let line = lines.next().unwrap().unwrap();
    let address = line.strip_prefix("listening on ").unwrap();

    let ready = ureq::get(format!("{address}/readyz")).call().unwrap();
    assert_eq!(ready.status(), 200);
    kill_process(Pid::from_child(&child), Signal::TERM).unwrap();

    assert_eq!(child.wait().unwrap().code(), Some(0));
    assert!(lines.next().is_none(), "logs go to standard error");
    assert!(folder.path().join(".fanfare/fanfare.db").exists());
}

#[test]
fn what_keeps_it_from_starting_is_one_line_and_status_1() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("file"), "").unwrap();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = taken.local_addr().unwrap().to_string();
    for (setting, value, explanation) in [
        (
            "FANFARE_WORKER_ADDR",
            taken.as_str(),
            "is in use by another program",
        ),
        ("FANFARE_WORKER_ADDR", "4800", "it must be HOST:PORT"),
        (
            "FANFARE_DATABASE_URL",
            "sqlite://file/a.db",
            "cannot be written",
        ),
        ("FANFARE_MASTER_KEY", "short", "must be 32 bytes in base64"),
    ] {
        let ended = program(folder.path()).env(setting, value).output().unwrap();

        let errors = String::from_utf8(ended.stderr).unwrap();
        assert_eq!(ended.status.code(), Some(1), "{setting}: {errors}");
        assert!(errors.starts_with("fanfare-worker: "), "{errors}");
        assert!(errors.contains(explanation), "{errors}");
        assert_eq!(errors.lines().count(), 1, "{errors}");
        assert!(ended.stdout.is_empty());
    }
}

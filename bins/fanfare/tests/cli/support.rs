//! An installation: a folder with a store, and the program run in it.

use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};

use fanfare_klaviyo_sim::{AccountPlan, Plan, RunningSimulator, Simulator};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tempfile::TempDir;

/// The key that the simulator's account takes.
pub(crate) const KLAVIYO_KEY: &str = "pk_0123456789abcdefcanary";

/// A folder with a store, and the settings of the programs that run in it.
pub(crate) struct Installation {
    folder: TempDir,
    settings: Vec<(String, String)>,
}

/// The exit status and the output of a program.
#[derive(Debug)]
pub(crate) struct ProgramResult {
    pub(crate) status: i32,
    pub(crate) output: String,
    pub(crate) errors: String,
}

impl ProgramResult {
    /// Its JSON.
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        assert_eq!(self.status, 0, "{self:?}");
        serde_json::from_str(&self.output).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// Fails unless the program printed one line of explanation and nothing else.
    #[track_caller]
    pub(crate) fn assert_refused(&self, status: i32, explanation: &str) {
        assert_eq!(self.status, status, "{self:?}");
        assert_eq!(self.output, "", "{self:?}");
        assert_eq!(self.errors.lines().count(), 1, "{self:?}");
        assert!(self.errors.starts_with("fanfare: "), "{self:?}");
        assert!(self.errors.contains(explanation), "{self:?}");
    }
}

impl Installation {
    pub(crate) fn new() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
            settings: Vec::new(),
        }
        .with("FANFARE_API_ADDR", "127.0.0.1:0")
        .with("FANFARE_WORKER_ADDR", "127.0.0.1:0")
    }

    /// With a setting for every program run here.
    pub(crate) fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.settings.retain(|(known, _)| known != name);
        self.settings.push((name.to_owned(), value.into()));
        self
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The store of a program that is told nothing else.
    pub(crate) fn store(&self) -> PathBuf {
        self.path(".fanfare/fanfare.db")
    }

    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_fanfare"));
        command
            .args(arguments)
            .current_dir(self.folder.path())
            .env_clear()
            .envs(self.settings.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> ProgramResult {
        finish(self.command(arguments).spawn().unwrap())
    }

    /// Runs it with something on its standard input.
    pub(crate) fn run_with(&self, arguments: &[&str], input: &str) -> ProgramResult {
        let mut command = self.command(arguments);
        let mut child = command.stdin(Stdio::piped()).spawn().unwrap();
        let mut pipe = child.stdin.take().unwrap();
        pipe.write_all(input.as_bytes()).unwrap();
        drop(pipe);
        finish(child)
    }

    /// Makes an organization. Returns its id and its secret key.
    #[track_caller]
    pub(crate) fn create_organization(&self) -> (String, String) {
        let made = self
            .run(&["org", "create", "--name", "Shop", "--json"])
            .json();
        (text(&made, "organizationId"), text(&made, "secretKey"))
    }

    /// Starts `fanfare up`, and waits until it listens.
    pub(crate) fn up(&self) -> Up {
        self.up_with(Stdio::null())
    }

    /// The same, with its log in this file.
    pub(crate) fn up_logged(&self, file: &str) -> Up {
        self.up_with(File::create(self.path(file)).unwrap().into())
    }

    /// The same, with its log to be read along.
    pub(crate) fn up_piped(&self) -> (Up, impl Iterator<Item = String>) {
        let mut up = self.up_with(Stdio::piped());
        let log = BufReader::new(up.child.stderr.take().unwrap());
        (up, log.lines().map_while(Result::ok))
    }

    fn up_with(&self, log: Stdio) -> Up {
        let mut command = self.command(&["up"]);
        let mut child = command.stderr(log).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap());
        let api = address(&mut lines);
        let worker = address(&mut lines);
        Up {
            child,
            api,
            worker,
            _lines: lines,
        }
    }
}

/// A field of an answer.
#[track_caller]
pub(crate) fn text(answer: &Value, field: &str) -> String {
    let text = answer[field].as_str();
    text.unwrap_or_else(|| panic!("no {field} in {answer}"))
        .to_owned()
}

fn finish(child: Child) -> ProgramResult {
    let done = child.wait_with_output().unwrap();
    ProgramResult {
        status: done.status.code().unwrap_or(-1),
        output: String::from_utf8(done.stdout).unwrap(),
        errors: String::from_utf8(done.stderr).unwrap(),
    }
}

fn address(lines: &mut BufReader<ChildStdout>) -> String {
    let mut line = String::new();
    lines.read_line(&mut line).unwrap();
    let address = line.trim_end().strip_prefix("listening on ");
    address.unwrap_or_else(|| panic!("{line:?}")).to_owned()
}

/// A running `fanfare up`, killed when it is dropped.
pub(crate) struct Up {
    child: Child,
    /// `http://HOST:PORT` of the API.
    pub(crate) api: String,
    /// The same of the worker.
    pub(crate) worker: String,
    _lines: BufReader<ChildStdout>,
}

impl Up {
    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    /// Waits for its end. Returns its exit status.
    pub(crate) fn wait(&mut self) -> Option<i32> {
        self.child.wait().unwrap().code()
    }
}

impl Drop for Up {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// The status of an answer to a GET, with a secret key or without.
pub(crate) fn get(url: &str, key: Option<&str>) -> u16 {
    let config = ureq::Agent::config_builder().http_status_as_error(false);
    let mut request = ureq::Agent::from(config.build()).get(url);
    if let Some(key) = key {
        request = request.header("authorization", format!("Bearer {key}"));
    }
    request.call().unwrap().status().as_u16()
}

/// A Klaviyo of one account, with two lists and a segment.
pub(crate) fn klaviyo() -> RunningSimulator {
    klaviyo_as(|plan| plan)
}

/// The same with changes to its plan.
pub(crate) fn klaviyo_as(change: impl FnOnce(Plan) -> Plan) -> RunningSimulator {
    let account = AccountPlan::new("AbC123")
        .key(KLAVIYO_KEY)
        .list("RtPqXs", "Newsletter", 230)
        .list("XyZaBc", "VIP", 30)
        .segment("Sg1234", "Berlin", 20);
    Simulator::start(change(Plan::new([account]))).unwrap()
}

/// The bytes of all files in the folder, to search for what must not be in them.
pub(crate) fn all_bytes(folder: &Path) -> Vec<u8> {
    let mut bytes = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            bytes.extend(all_bytes(&path));
        } else {
            bytes.extend(std::fs::read(&path).unwrap());
        }
    }
    bytes
}

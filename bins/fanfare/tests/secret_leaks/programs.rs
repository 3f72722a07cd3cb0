//! The program, run as an operator runs it, with all of its output captured.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::capture::{Allowed, Captured};

/// Runs the program in a folder, with settings.
pub(crate) struct Programs<'a> {
    pub(crate) folder: &'a Path,
    pub(crate) settings: Vec<(String, String)>,
    pub(crate) captured: &'a Captured,
}

impl Programs<'_> {
    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_fanfare"));
        command
            .args(arguments)
            .current_dir(self.folder)
            .env_clear()
            .envs(self.settings.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped());
        command
    }

    /// Runs a command to its end. Returns its exit status and its output, which is not captured yet.
    fn output(&self, arguments: &[&str], input: &str) -> (Option<i32>, String) {
        let mut child = self
            .command(arguments)
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut pipe = child.stdin.take().unwrap();
        // A program that does not read its input closes it.
        pipe.write_all(input.as_bytes()).ok();
        drop(pipe);
        let done = child.wait_with_output().unwrap();
        let name = format!("log of {arguments:?}");
        self.captured.add(name, Allowed::Nothing, done.stderr);
        (done.status.code(), String::from_utf8(done.stdout).unwrap())
    }

    /// Runs a command to its end. Returns its exit status.
    pub(crate) fn run(&self, arguments: &[&str], input: &str) -> Option<i32> {
        let (status, output) = self.output(arguments, input);
        let name = format!("output of {arguments:?}");
        self.captured.add(name, Allowed::Nothing, output);
        status
    }

    /// Runs a command whose one task is to show a secret key that it has made. Returns its answer.
    #[track_caller]
    pub(crate) fn make_secret(&self, arguments: &[&str]) -> Value {
        let (status, output) = self.output(arguments, "");
        assert_eq!(status, Some(0), "{arguments:?}");
        let answer: Value = serde_json::from_str(&output).unwrap();
        let secret = answer["secretKey"].as_str().unwrap();
        self.captured.add_secret(secret);
        let rest = output.replacen(secret, "", 1);
        let name = format!("output of {arguments:?}");
        self.captured.add(name, Allowed::Nothing, rest);
        answer
    }

    /// Starts `fanfare up`, and waits until it listens. Its log goes to the file.
    pub(crate) fn up(&self, log: &str) -> Up<'_> {
        let log = self.folder.join(log);
        let mut command = self.command(&["up"]);
        let mut child = command.stderr(File::create(&log).unwrap()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap());
        let [api, worker] = [(); 2].map(|()| address(&mut lines));
        Up {
            child,
            lines,
            log,
            api,
            worker,
            captured: self.captured,
        }
    }
}

fn address(lines: &mut BufReader<ChildStdout>) -> String {
    let mut line = String::new();
    lines.read_line(&mut line).unwrap();
    let address = line.trim_end().strip_prefix("listening on ");
    address.unwrap_or_else(|| panic!("{line:?}")).to_owned()
}

/// A running `fanfare up`, killed when it is dropped.
pub(crate) struct Up<'a> {
    child: Child,
    lines: BufReader<ChildStdout>,
    log: std::path::PathBuf,
    /// `http://HOST:PORT` of the API.
    pub(crate) api: String,
    /// The same of the worker.
    pub(crate) worker: String,
    captured: &'a Captured,
}

impl Up<'_> {
    /// Stops it with SIGTERM, and captures its output and its log.
    pub(crate) fn stop(mut self) {
        kill_process(Pid::from_child(&self.child), Signal::TERM).unwrap();
        let mut output = Vec::new();
        self.lines.read_to_end(&mut output).unwrap();
        assert_eq!(self.child.wait().unwrap().code(), Some(0));
        let log = fs::read(&self.log).unwrap();
        // Without the most detailed log the test would prove little.
        assert!(log.windows(7).any(|word| word == b"\"TRACE\""));
        self.captured.add("output of up", Allowed::Nothing, output);
        self.captured.add("log of up", Allowed::Nothing, log);
    }
}

impl Drop for Up<'_> {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

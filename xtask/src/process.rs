//! Child processes with their output in a log, ended when they are dropped.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{Read, Seek, SeekFrom};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use rustix::process::Signal;

use crate::interrupt::Interrupt;

/// How a program is started, any number of times.
pub(crate) struct Launch {
    /// The name of the program.
    pub(crate) name: &'static str,
    /// The executable.
    pub(crate) path: PathBuf,
    /// Its arguments.
    pub(crate) arguments: Vec<OsString>,
    /// Variables set for it, on top of those of this process.
    pub(crate) environment: Vec<(&'static str, OsString)>,
    /// Where its output goes.
    pub(crate) log: PathBuf,
}

/// A running program.
pub(crate) struct Program {
    name: &'static str,
    child: Child,
    log: PathBuf,
    log_start: u64,
}

/// How long a program may take to stop after SIGTERM.
const STOP_TIMEOUT: Duration = Duration::from_secs(5);

/// How long a program may take to listen.
const START_TIMEOUT: Duration = Duration::from_secs(30);

/// What every program of ours prints when it listens.
const LISTENING: &str = "listening on ";

impl Launch {
    /// The program as a command, with no output set.
    pub(crate) fn command(&self) -> Command {
        let mut command = Command::new(&self.path);
        command
            .args(&self.arguments)
            .current_dir(crate::workspace::root());
        // Klaviyo's key reaches the API over HTTP and nothing else.
        command.env_remove("KLAVIYO_API_KEY");
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        command
    }

    /// Starts it, with its output at the end of the log.
    pub(crate) fn start(&self) -> Result<Program> {
        let log = OpenOptions::new().create(true).append(true).open(&self.log);
        let log = log.with_context(|| format!("{} cannot be written", self.log.display()))?;
        let log_start = log.metadata()?.len();
        let child = self
            .command()
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()
            .with_context(|| format!("{} cannot be started", self.path.display()))?;
        Ok(Program {
            name: self.name,
            child,
            log: self.log.clone(),
            log_start,
        })
    }
}

impl Program {
    /// The name of the program.
    pub(crate) const fn name(&self) -> &'static str {
        self.name
    }

    /// The process's id.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// The most memory that it has had resident so far, in MB, where the system tells.
    pub(crate) fn peak_memory(&self) -> Option<f64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.pid())).ok()?;
        let mut lines = status.lines();
        let line = lines.find_map(|line| line.strip_prefix("VmHWM:"))?;
        let kilobytes: f64 = line.trim().trim_end_matches(" kB").parse().ok()?;
        Some(kilobytes / 1024.0)
    }

    /// For how many hundredths of a second it has used a core so far, where the system tells.
    pub(crate) fn cpu_ticks(&self) -> Option<u64> {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.pid())).ok()?;
        // After the name, which may hold anything, the fields from the third on.
        let (_, fields) = stat.rsplit_once(')')?;
        let used = fields.split_whitespace().skip(11).take(2);
        used.map(|ticks| ticks.parse::<u64>().ok()).sum()
    }

    /// Forgets that peak: the next one is of the time from now on.
    pub(crate) fn reset_peak_memory(&self) {
        // Where the system cannot, the peak is of the whole time.
        let _ = fs::write(format!("/proc/{}/clear_refs", self.pid()), "5");
    }

    /// How it ended, if it has.
    pub(crate) fn ended(&mut self) -> Result<Option<ExitStatus>> {
        Ok(self.child.try_wait()?)
    }

    /// Waits until it listens, and returns its address, `http://HOST:PORT`.
    pub(crate) fn address(&mut self, interrupt: &Interrupt) -> Result<String> {
        let deadline = Instant::now() + START_TIMEOUT;
        loop {
            // Asked first: what a program prints before it ends is then in the log.
            let ended = self.ended()?;
            let output = self.output()?;
            let address = output.lines().find_map(|line| line.split_once(LISTENING));
            if let Some((_, address)) = address.filter(|_| output.ends_with('\n')) {
                return Ok(address.trim().to_owned());
            }
            if let Some(status) = ended {
                bail!("{} ended ({status}):\n{}", self.name, self.last_output());
            }
            if interrupt.is_requested() {
                bail!("interrupted");
            }
            if Instant::now() > deadline {
                bail!("{} does not listen; see {}", self.name, self.log.display());
            }
            interrupt.sleep(Duration::from_millis(50));
        }
    }

    /// The last lines it has written.
    pub(crate) fn last_output(&self) -> String {
        let output = self.output().unwrap_or_default();
        let lines: Vec<&str> = output.lines().collect();
        lines[lines.len().saturating_sub(12)..].join("\n")
    }

    fn output(&self) -> Result<String> {
        let mut file = File::open(&self.log)?;
        file.seek(SeekFrom::Start(self.log_start))?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    /// Asks it to end, without waiting.
    pub(crate) fn terminate(&mut self) {
        self.signal(Signal::TERM);
    }

    /// Freezes it with SIGSTOP, as if its machine slept.
    pub(crate) fn freeze(&mut self) {
        self.signal(Signal::STOP);
    }

    /// Lets it go on.
    pub(crate) fn thaw(&mut self) {
        self.signal(Signal::CONT);
    }

    /// Kills it with SIGKILL, and waits for its end.
    pub(crate) fn kill(&mut self) -> Result<()> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }

    /// Waits for its end, at most so long.
    pub(crate) fn wait(&mut self, longest: Duration) -> Result<ExitStatus> {
        let deadline = Instant::now() + longest;
        loop {
            if let Some(status) = self.ended()? {
                return Ok(status);
            }
            if Instant::now() > deadline {
                bail!("{} does not end", self.name);
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    fn signal(&mut self, signal: Signal) {
        if matches!(self.child.try_wait(), Ok(None)) {
            let pid = rustix::process::Pid::from_child(&self.child);
            rustix::process::kill_process(pid, signal).ok();
        }
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        self.terminate();
        self.thaw();
        let deadline = Instant::now() + STOP_TIMEOUT;
        while Instant::now() < deadline {
            match self.child.try_wait() {
                Ok(None) => std::thread::sleep(Duration::from_millis(20)),
                _ => return,
            }
        }
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn launch(folder: &std::path::Path, script: &str) -> Launch {
        Launch {
            name: "script",
            path: "/bin/sh".into(),
            arguments: vec!["-c".into(), script.into()],
            environment: Vec::new(),
            log: folder.join("script.log"),
        }
    }

    #[test]
    fn an_address_is_read_from_what_a_program_prints() {
        let folder = tempfile::tempdir().unwrap();
        let script = launch(
            folder.path(),
            "echo hello; echo listening on http://h:1; sleep 60",
        );

        let mut program = script.start().unwrap();

        assert_eq!(
            program.address(&Interrupt::default()).unwrap(),
            "http://h:1"
        );
    }

    #[test]
    fn a_program_that_starts_again_is_not_known_by_its_former_address() {
        let folder = tempfile::tempdir().unwrap();
        let first = launch(folder.path(), "echo listening on http://h:1");
        first
            .start()
            .unwrap()
            .address(&Interrupt::default())
            .unwrap();

        let mut second = launch(folder.path(), "echo listening on http://h:2")
            .start()
            .unwrap();

        assert_eq!(second.address(&Interrupt::default()).unwrap(), "http://h:2");
    }

    #[test]
    fn a_program_that_ends_before_it_listens_is_an_error_with_its_last_words() {
        let folder = tempfile::tempdir().unwrap();
        let mut program = launch(folder.path(), "echo no port >&2; exit 3")
            .start()
            .unwrap();

        let error = program
            .address(&Interrupt::default())
            .unwrap_err()
            .to_string();

        assert!(error.contains("script ended (exit status: 3)"), "{error}");
        assert!(error.contains("no port"), "{error}");
    }

    #[test]
    fn a_dropped_program_is_asked_to_end_first() {
        let folder = tempfile::tempdir().unwrap();
        let script =
            "trap 'echo good night; exit' TERM; echo listening on x; while :; do sleep 0.01; done";
        let mut program = launch(folder.path(), script).start().unwrap();
        program.address(&Interrupt::default()).unwrap();

        drop(program);

        let log = std::fs::read_to_string(folder.path().join("script.log")).unwrap();
        assert!(log.ends_with("good night\n"), "{log}");
    }
}

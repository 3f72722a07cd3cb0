//! The programs of the demo, built, started, and kept running.

use std::ffi::OsString;
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use super::account::Folder;
use super::screen::Screen;
use super::{Klaviyo, unless_stopped};
use crate::process::{Launch, Program};
use crate::stop::Stop;
use crate::workspace;

/// The key that the simulator's demo account takes.
pub(super) const SIMULATOR_KEY: &str = "pk_demo_0123456789abcdef0123456789abcdef";

/// A worker that lives for less than this was not killed by a curious user: it cannot run.
const SHORT_LIFE: Duration = Duration::from_secs(2);

/// Short lives in a row before the demo gives up.
const SHORT_LIVES: u32 = 5;

/// The running programs. Dropping it ends them.
pub(super) struct Programs {
    /// The API's, `http://HOST:PORT`.
    pub(super) address: String,
    // In the order in which they are ended: the worker finishes its page first.
    worker: Program,
    api: Program,
    simulator: Option<Program>,
    operator: Launch,
    worker_launch: Launch,
    worker_started: Instant,
    short_lives: u32,
}

impl Programs {
    /// Builds and starts them.
    pub(super) fn start(
        folder: &Folder,
        klaviyo: &Klaviyo,
        screen: &Screen,
        stop: &Stop,
    ) -> Result<Self> {
        screen.say("Building the programs (some minutes the first time)");
        let built = Built::build()?;
        unless_stopped(stop)?;

        let mut environment = vec![("FANFARE_DATABASE_URL", folder.store_url())];
        let simulator = match klaviyo {
            Klaviyo::Real(_) => None,
            Klaviyo::Simulated => {
                let mut simulator = built.launch("klaviyo-sim", folder)?;
                let arguments = ["--addr", "127.0.0.1:0", "--key", SIMULATOR_KEY];
                simulator.arguments = arguments.map(OsString::from).to_vec();
                let mut simulator = simulator.start()?;
                let address = simulator.address(stop)?;
                screen.say(&format!("Klaviyo simulator at {address}"));
                environment.push(("FANFARE_KLAVIYO_BASE_URL", address.into()));
                Some(simulator)
            }
        };

        let mut api = built.launch("fanfare-api", folder)?;
        api.environment.clone_from(&environment);
        api.environment
            .extend(free_port("FANFARE_API_ADDR", 4800, screen));
        let mut api = api.start()?;
        let address = api.address(stop)?;
        screen.say(&format!("API at {address}"));

        let mut worker_launch = built.launch("fanfare-worker", folder)?;
        worker_launch.environment.clone_from(&environment);
        worker_launch
            .environment
            .extend(free_port("FANFARE_WORKER_ADDR", 4801, screen));
        let mut worker = worker_launch.start()?;
        worker.address(stop)?;
        screen.say(&format!("Worker running as process {}", worker.pid()));

        let mut operator = built.launch("fanfare", folder)?;
        operator.environment = environment;
        Ok(Self {
            address,
            worker,
            api,
            simulator,
            operator,
            worker_launch,
            worker_started: Instant::now(),
            short_lives: 0,
        })
    }

    /// The operator's command line on the demo's store.
    pub(super) fn operator(&self, arguments: &[&str]) -> Command {
        let mut command = self.operator.command();
        command.args(arguments);
        command
    }

    /// The worker's process id.
    pub(super) fn worker_pid(&self) -> u32 {
        self.worker.pid()
    }

    /// Starts the worker again if it has died; an error if that does not help, or if another
    /// program has died.
    pub(super) fn tend(&mut self, screen: &Screen) -> Result<()> {
        for program in [Some(&mut self.api), self.simulator.as_mut()]
            .into_iter()
            .flatten()
        {
            if let Some(status) = program.ended()? {
                bail!(
                    "{} ended ({status}):\n{}",
                    program.name(),
                    program.last_words()
                );
            }
        }
        let Some(status) = self.worker.ended()? else {
            return Ok(());
        };
        self.short_lives = if self.worker_started.elapsed() < SHORT_LIFE {
            self.short_lives + 1
        } else {
            0
        };
        if self.short_lives >= SHORT_LIVES {
            bail!(
                "the worker keeps ending ({status}):\n{}",
                self.worker.last_words()
            );
        }
        let dead = self.worker.pid();
        self.worker = self.worker_launch.start()?;
        self.worker_started = Instant::now();
        let pid = self.worker.pid();
        screen.say(&format!(
            "Worker {dead} ended ({status}); started again as process {pid}"
        ));
        Ok(())
    }
}

impl Drop for Programs {
    fn drop(&mut self) {
        // All at once; each is then waited for in its own drop.
        self.worker.terminate();
        self.api.terminate();
    }
}

/// The executables.
struct Built(Vec<(String, PathBuf)>);

impl Built {
    fn build() -> Result<Self> {
        let packages = [
            "-p",
            "fanfare-api",
            "-p",
            "fanfare-worker",
            "-p",
            "fanfare",
            "-p",
            "klaviyo-sim",
        ];
        workspace::build(&packages).map(Self)
    }

    fn launch(&self, name: &'static str, folder: &Folder) -> Result<Launch> {
        let (_, path) = self
            .0
            .iter()
            .find(|(built, _)| built == name)
            .with_context(|| format!("cargo built no program {name}"))?;
        Ok(Launch {
            name,
            path: path.clone(),
            arguments: Vec::new(),
            environment: Vec::new(),
            log: folder.new_log(name)?,
        })
    }
}

/// The setting that makes a program listen elsewhere if its usual port is taken; none if the port is
/// free, or if the user has chosen an address.
fn free_port(
    variable: &'static str,
    usual: u16,
    screen: &Screen,
) -> Option<(&'static str, OsString)> {
    if std::env::var_os(variable).is_some() || TcpListener::bind(("127.0.0.1", usual)).is_ok() {
        return None;
    }
    screen.say(&format!("Port {usual} is taken; using a free one"));
    Some((variable, "127.0.0.1:0".into()))
}

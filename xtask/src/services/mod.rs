//! The service's programs: built, started together on one store, and kept running.

pub(crate) mod api;
pub(crate) mod simulator;

use std::ffi::OsString;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use serde::Deserialize;

use crate::interrupt::Interrupt;
use crate::process::{Launch, Program};
use crate::workspace;

/// A variable and its value.
pub(crate) type Setting = (&'static str, OsString);

/// What the programs are started with.
pub(crate) struct Setup<'a> {
    /// The store's address.
    pub(crate) store: &'a str,
    /// The folder for their logs.
    pub(crate) logs: &'a Path,
    /// The simulator's arguments but for its address; `None` for the real Klaviyo.
    pub(crate) simulator: Option<Vec<OsString>>,
    /// Settings of all of them.
    pub(crate) environment: Vec<Setting>,
    /// Settings of the API alone.
    pub(crate) api: Option<Setting>,
    /// Settings of the worker alone.
    pub(crate) worker: Option<Setting>,
    /// Whether they are built to be fast rather than built fast.
    pub(crate) is_release: bool,
}

/// A worker that ends within this time after its start cannot run. It was not killed by a user.
const EARLY_EXIT: Duration = Duration::from_secs(2);

/// After this many early exits in a row the worker is not started again.
const MAX_EARLY_EXITS: u32 = 5;

/// The running programs. Dropping it ends them.
pub(crate) struct Services {
    /// The API's address, `http://HOST:PORT`.
    pub(crate) address: String,
    /// The simulator's, if there is one.
    pub(crate) simulator_address: Option<String>,
    // In the order in which they are ended: the worker finishes its page first.
    worker: Program,
    api: Program,
    simulator: Option<Program>,
    operator: Launch,
    worker_launch: Launch,
    worker_started: Instant,
    early_exits: u32,
}

impl Services {
    /// Builds and starts them. `say` prints a line for the user.
    pub(crate) fn start(
        setup: Setup<'_>,
        say: &dyn Fn(&str),
        interrupt: &Interrupt,
    ) -> Result<Self> {
        say("Building the programs (some minutes the first time)");
        let built = Programs::build(setup.is_release)?;
        ensure!(!interrupt.is_requested(), "interrupted");

        let mut environment = setup.environment;
        environment.push(("FANFARE_DATABASE_URL", setup.store.into()));
        let (mut simulator, mut simulator_address) = (None, None);
        if let Some(arguments) = setup.simulator {
            let mut launch = built.launch("klaviyo-sim", setup.logs)?;
            launch.arguments = ["--addr", "127.0.0.1:0"].map(OsString::from).to_vec();
            launch.arguments.extend(arguments);
            let program = simulator.insert(launch.start()?);
            let address = program.address(interrupt)?;
            say(&format!("Klaviyo simulator at {address}"));
            environment.push(("FANFARE_KLAVIYO_BASE_URL", address.clone().into()));
            simulator_address = Some(address);
        }

        let mut operator = built.launch("fanfare", setup.logs)?;
        operator.environment.clone_from(&environment);
        if setup.store.starts_with("postgres") {
            workspace::must_succeed({
                let mut migrate = operator.command();
                migrate.arg("migrate");
                migrate
            })?;
        }

        let mut api = built.launch("fanfare-api", setup.logs)?;
        api.environment.clone_from(&environment);
        api.environment.extend(setup.api);
        let mut api = api.start()?;
        let address = api.address(interrupt)?;
        say(&format!("API at {address}"));

        let mut worker_launch = built.launch("fanfare-worker", setup.logs)?;
        worker_launch.environment.clone_from(&environment);
        worker_launch.environment.extend(setup.worker);
        let mut worker = worker_launch.start()?;
        worker.address(interrupt)?;
        say(&format!("Worker running as process {}", worker.pid()));

        Ok(Self {
            address,
            simulator_address,
            worker,
            api,
            simulator,
            operator,
            worker_launch,
            worker_started: Instant::now(),
            early_exits: 0,
        })
    }

    /// Makes an organization with the operator's command line. Returns its secret key.
    pub(crate) fn create_organization(&self, name: &str) -> Result<String> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Created {
            secret_key: String,
        }
        let mut command: Command = self.operator.command();
        let output = command
            .args(["org", "create", "--name", name, "--json"])
            .output()?;
        if !output.status.success() {
            bail!(
                "the organization was not made:\n{}",
                String::from_utf8_lossy(&output.stderr)
            );
        }
        let created: Created = serde_json::from_slice(&output.stdout)
            .context("`fanfare org create --json` printed something else than a key")?;
        Ok(created.secret_key)
    }

    /// Makes the schema in another database.
    pub(crate) fn migrate(&self, store: &str) -> Result<()> {
        let mut migrate = self.operator.command();
        migrate.arg("migrate").env("FANFARE_DATABASE_URL", store);
        workspace::must_succeed(migrate)
    }

    /// The worker, to be looked at.
    pub(crate) const fn worker(&self) -> &Program {
        &self.worker
    }

    /// The API, to be looked at.
    pub(crate) const fn api(&self) -> &Program {
        &self.api
    }

    /// Starts the worker again if it has died; an error if that does not help, or if another
    /// program has died.
    pub(crate) fn supervise(&mut self, say: &dyn Fn(&str)) -> Result<()> {
        for program in [Some(&mut self.api), self.simulator.as_mut()]
            .into_iter()
            .flatten()
        {
            if let Some(status) = program.ended()? {
                bail!(
                    "{} ended ({status}):\n{}",
                    program.name(),
                    program.last_output()
                );
            }
        }
        let Some(status) = self.worker.ended()? else {
            return Ok(());
        };
        let was_short = self.worker_started.elapsed() < EARLY_EXIT;
        self.early_exits = if was_short { self.early_exits + 1 } else { 0 };
        if self.early_exits >= MAX_EARLY_EXITS {
            bail!(
                "the worker keeps ending ({status}):\n{}",
                self.worker.last_output()
            );
        }
        let dead = self.worker.pid();
        self.worker = self.worker_launch.start()?;
        self.worker_started = Instant::now();
        let pid = self.worker.pid();
        say(&format!(
            "Worker {dead} ended ({status}); started again as process {pid}"
        ));
        Ok(())
    }
}

impl Drop for Services {
    fn drop(&mut self) {
        // Both at once; each is then waited for in its own drop.
        self.worker.terminate();
        self.api.terminate();
    }
}

/// The packages of the programs.
const PACKAGES: [&str; 4] = ["fanfare-api", "fanfare-worker", "fanfare", "klaviyo-sim"];

/// The executables.
pub(crate) struct Programs(Vec<(String, PathBuf)>);

impl Programs {
    /// Builds them.
    pub(crate) fn build(is_release: bool) -> Result<Self> {
        let mut arguments: Vec<&str> = PACKAGES.iter().flat_map(|name| ["-p", name]).collect();
        if is_release {
            arguments.push("--release");
        }
        workspace::build(&arguments).map(Self)
    }

    /// Builds those of another checkout of this repository.
    pub(crate) fn build_in(checkout: &Path, target: &Path) -> Result<Self> {
        let packages = PACKAGES.iter().flat_map(|name| ["-p", name]);
        workspace::build_in(checkout, target, &packages.collect::<Vec<_>>()).map(Self)
    }

    /// How the program is started; its log is emptied.
    pub(crate) fn launch(&self, name: &'static str, logs: &Path) -> Result<Launch> {
        let built = self.0.iter().find(|(built, _)| built == name);
        let (_, path) = built.with_context(|| format!("cargo built no program {name}"))?;
        let log = logs.join(format!("{name}.log"));
        File::create(&log).with_context(|| format!("{} cannot be written", log.display()))?;
        Ok(Launch {
            name,
            path: path.clone(),
            arguments: Vec::new(),
            environment: Vec::new(),
            log,
        })
    }
}

//! The environment of one round: the programs, on a store of their own.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::outcome::Outcome;
use super::request_log::Log;
use crate::abuse::Abuser;
use crate::interrupt::Interrupt;
use crate::journal;
use crate::process::{Launch, Program};
use crate::services::api::{Api, Run};
use crate::services::{Programs, simulator};
use crate::test::faketime;
use crate::test::postgres::Cluster;

pub(super) const LIST: &str = "FaUlTs";
pub(super) const KEY: &str = "pk_faults_0123456789abcdef0123456789abcdef";

/// The key of another account, with the same lists, and the account's id.
const OTHER_KEY: &str = "pk_other_0123456789abcdef0123456789abcdef";
pub(super) const OTHER_ACCOUNT: &str = "Other1";

/// How many small lists there are beside the one that is compared, and the profiles of each.
const SMALL_LISTS: usize = 20;
const SMALL: u32 = 300;

/// Seals a key of the simulator in a store that is deleted at the end: no secret.
const MASTER_KEY: &str = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";

/// Profiles in the list: thirty pages, so that there is a middle.
const PROFILES: u32 = 3_000;

/// The latency of the simulator, in milliseconds. An import takes some seconds.
const LATENCY: &str = "25";

/// The lease of the workers. It is short, so that a round that waits for its end is short too.
pub(super) const LEASE: Duration = Duration::from_secs(3);

/// How long to wait for anything. It is longer than any wait of a good round.
pub(super) const WAIT_TIMEOUT: Duration = Duration::from_secs(90);

/// The kind of store that the rounds run on.
pub(super) enum StoreKind {
    /// The embedded one: each round has its own file.
    Sqlite,
    /// A private cluster: each round has its own database.
    Postgres(Cluster),
}

impl StoreKind {
    pub(super) const fn name(&self) -> &'static str {
        match self {
            Self::Sqlite => "SQLite",
            Self::Postgres(_) => "Postgres",
        }
    }

    /// A new store's address.
    fn store(&self, folder: &Path) -> Result<String> {
        match self {
            Self::Sqlite => Ok(format!("sqlite://{}", folder.join("store.db").display())),
            Self::Postgres(cluster) => {
                let name = folder.file_name().unwrap_or_default().to_string_lossy();
                let name: String = name.chars().filter(char::is_ascii_alphanumeric).collect();
                cluster.database(&format!("faults_{}", name.to_ascii_lowercase()))
            }
        }
    }
}

/// Running programs, and an organization that is connected.
pub(super) struct Environment {
    pub(super) api: Api,
    /// In the order in which they were started; each may have been killed.
    pub(super) workers: Vec<Program>,
    worker_launch: Launch,
    api_launch: Launch,
    operator: Launch,
    interrupt: Interrupt,
    /// The store's address.
    pub(super) store: String,
    /// The simulator's.
    pub(super) klaviyo: String,
    log: PathBuf,
    /// How many requests of the log are ignored, because they were made before the last reset.
    past_requests: usize,
    breaches: Breaches,
    api_program: Program,
    _simulator: Program,
    folder: TempDir,
}

impl Environment {
    pub(super) fn start(
        built: &Programs,
        store_kind: &StoreKind,
        faults: &[&str],
        workers: usize,
        interrupt: &Interrupt,
        breaches: &Breaches,
    ) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let store = store_kind.store(folder.path())?;
        let log = folder.path().join("requests.jsonl");
        let mut simulator = built.launch("klaviyo-sim", folder.path())?;
        let list = format!("{LIST}=Faults:{PROFILES}");
        simulator.arguments = ["--addr", "127.0.0.1:0", "--key", KEY, "--list", &list]
            .map(OsString::from)
            .to_vec();
        for id in small_lists(SMALL_LISTS) {
            let list = format!("{id}={id}:{SMALL}");
            simulator
                .arguments
                .extend(["--list", &list].map(OsString::from));
        }
        let other = [
            "--other-key",
            OTHER_KEY,
            "--latency",
            LATENCY,
            "--at-once",
            "--request-log",
        ];
        simulator.arguments.extend(other.map(OsString::from));
        simulator.arguments.push(log.clone().into());
        for fault in faults {
            simulator
                .arguments
                .extend(["--fault", fault].map(OsString::from));
        }
        let mut simulator = simulator.start()?;
        let klaviyo = simulator.address(interrupt)?;

        let environment: Vec<(&'static str, OsString)> = vec![
            ("FANFARE_DATABASE_URL", store.clone().into()),
            ("FANFARE_MASTER_KEY", MASTER_KEY.into()),
            ("FANFARE_KLAVIYO_BASE_URL", klaviyo.clone().into()),
            ("FANFARE_MIN_REFRESH_SECONDS", "1".into()),
            ("FANFARE_LEASE_SECONDS", LEASE.as_secs().to_string().into()),
            ("FANFARE_LOG_FORMAT", "json".into()),
            ("FANFARE_API_ADDR", "127.0.0.1:0".into()),
            ("FANFARE_WORKER_ADDR", "127.0.0.1:0".into()),
        ];
        let launch = |name| -> Result<Launch> {
            let mut launch = built.launch(name, folder.path())?;
            launch.environment.clone_from(&environment);
            Ok(launch)
        };
        let operator = launch("fanfare")?;
        if matches!(store_kind, StoreKind::Postgres(_)) {
            run_operator(&operator, &["migrate"])?;
        }
        let api_launch = launch("fanfare-api")?;
        let mut api_program = api_launch.start()?;
        let address = api_program.address(interrupt)?;
        let key = create_organization(&operator, "Faults")?;
        let api = Api::new(&address, &key);
        api.put::<Value>("/api/settings", &json!({"klaviyo": {"apiKey": KEY}}))?;
        let mut environment = Self {
            api,
            workers: Vec::new(),
            worker_launch: launch("fanfare-worker")?,
            api_launch,
            operator,
            interrupt: interrupt.clone(),
            store,
            klaviyo,
            log,
            past_requests: 0,
            breaches: breaches.clone(),
            api_program,
            _simulator: simulator,
            folder,
        };
        for _ in 0..workers {
            environment.start_worker()?;
        }
        Ok(environment)
    }

    /// Makes the workers that are started from now on connect to their store at another port.
    pub(super) fn divert_workers(&mut self, port: u16, to: u16) {
        let diverted = self.store.replace(&format!(":{port}/"), &format!(":{to}/"));
        for (name, value) in &mut self.worker_launch.environment {
            if *name == "FANFARE_DATABASE_URL" {
                *value = diverted.clone().into();
            }
        }
    }

    /// Makes another organization, which is connected to another account.
    pub(super) fn abuser(&self) -> Result<Abuser> {
        let key = create_organization(&self.operator, "Abuser")?;
        Abuser::connect(&self.api.address, &key, OTHER_KEY)
    }

    /// Starts one more worker.
    pub(super) fn start_worker(&mut self) -> Result<()> {
        let mut worker = self.worker_launch.start()?;
        worker.address(&self.interrupt)?;
        self.workers.push(worker);
        Ok(())
    }

    /// The most memory that the API has had, in MB, where the system tells.
    pub(super) fn api_memory(&self) -> Option<f64> {
        self.api_program.peak_memory()
    }

    /// Starts one more worker, whose clock differs from the machine's by so much (`+300s`).
    pub(super) fn start_worker_with_clock(&mut self, offset: &str) -> Result<()> {
        let library = faketime::find().context("libfaketime is not installed")?;
        let file = self.clock_of(self.workers.len());
        std::fs::write(&file, offset)?;
        let before = self.worker_launch.environment.len();
        let clock = faketime::variables(&library, &file);
        self.worker_launch.environment.extend(clock);
        let started = self.start_worker();
        self.worker_launch.environment.truncate(before);
        started
    }

    /// Sets the clock of a worker that has one of its own.
    pub(super) fn set_clock(&self, worker: usize, offset: &str) -> Result<()> {
        let file = self.clock_of(worker);
        let new = file.with_extension("new");
        std::fs::write(&new, offset)?;
        // Never half written.
        Ok(std::fs::rename(new, file)?)
    }

    fn clock_of(&self, worker: usize) -> PathBuf {
        self.folder.path().join(format!("clock-{worker}"))
    }

    /// Waits until the run waits for what Klaviyo has asked for.
    pub(super) fn wait_until_waiting(&self) -> Result<()> {
        self.wait("the run never waits for Klaviyo", || {
            let id = self.run()?.id;
            let run: Value = self.api.get(&format!("/api/sync-runs/{id}"))?;
            Ok(run["waitingUntil"]["why"] == "retry_after")
        })
    }

    /// Kills the API with SIGKILL, and starts it again.
    pub(super) fn restart_api(&mut self) -> Result<()> {
        self.api_program.kill()?;
        self.api_program = self.api_launch.start()?;
        let address = self.api_program.address(&self.interrupt)?;
        self.api = Api::new(&address, &self.api.key);
        Ok(())
    }

    /// Gives the simulator an order: `faults` to come, or `changes` at once.
    pub(super) fn order(&self, what: &str, orders: &str) -> Result<()> {
        simulator::order(&self.klaviyo, what, orders)
    }

    /// Imports the list.
    pub(super) fn import(&self) -> Result<()> {
        let answer: Value = self
            .api
            .post("/api/audiences/import/klaviyo", &json!({"listIds": [LIST]}))?;
        ensure!(
            answer["imported"][0]["runId"].is_string(),
            "the list was not imported"
        );
        Ok(())
    }

    /// Syncs it again.
    pub(super) fn sync(&self) -> Result<()> {
        let audience = self.run()?.audience_id;
        let path = format!("/api/audiences/{audience}/sync");
        self.api.post::<Value>(&path, &json!({}))?;
        Ok(())
    }

    /// The latest run of the one audience.
    pub(super) fn run(&self) -> Result<Run> {
        let audiences: Value = self.api.get("/api/audiences")?;
        let audience = audiences["data"][0]["id"]
            .as_str()
            .context("there is no audience")?;
        let runs: Value = self.api.get(&format!("/api/audiences/{audience}/runs"))?;
        serde_json::from_value(runs["data"][0].clone()).context("there is no run")
    }

    /// Waits until this many pages were asked for.
    pub(super) fn wait_for_page(&self, page: usize) -> Result<()> {
        self.wait("that page is never asked for", || {
            Ok(self.log()?.pages() >= page)
        })
    }

    /// Waits for the same while the run is in this attempt. Requests of a dead worker may be logged after its
    /// death.
    pub(super) fn wait_for_page_of(&self, attempt: u32, page: usize) -> Result<()> {
        self.wait("that page is never asked for again", || {
            Ok(self.run()?.attempt == attempt && self.log()?.pages() >= page)
        })
    }

    /// Waits for the end of the run.
    pub(super) fn finish(&self) -> Result<Run> {
        self.wait("the run does not end", || Ok(!self.run()?.is_active()))?;
        self.run()
    }

    pub(super) fn outcome(&self) -> Result<Outcome> {
        Outcome::read(&self.api, &self.run()?)
    }

    /// The requests that the simulator got.
    pub(super) fn log(&self) -> Result<Log> {
        Ok(Log::read(&self.log)?.since(self.past_requests))
    }

    /// Ignores all requests until now.
    pub(super) fn reset_log(&mut self) -> Result<()> {
        self.past_requests += self.log()?.len();
        Ok(())
    }

    /// Waits until one more page is asked for, or the run has ended. Returns how long that took.
    pub(super) fn recover(&self) -> Result<Duration> {
        let (begun, before) = (Instant::now(), self.log()?.pages());
        self.wait("the run is not taken up again", || {
            Ok(self.log()?.pages() > before || !self.run()?.is_active())
        })?;
        Ok(begun.elapsed())
    }

    /// Waits so long, but not through a Ctrl-C.
    pub(super) fn pause(&self, length: Duration) {
        self.interrupt.sleep(length);
    }

    pub(super) fn wait(&self, otherwise: &str, is_so: impl Fn() -> Result<bool>) -> Result<()> {
        let deadline = Instant::now() + WAIT_TIMEOUT;
        while !is_so()? {
            ensure!(!self.interrupt.is_requested(), "interrupted");
            if Instant::now() > deadline {
                let words = self.workers.iter().map(Program::last_output);
                let mut words: Vec<String> = words.collect();
                // Workers may share a log.
                words.dedup();
                bail!(
                    "{otherwise}; the workers' last words:\n{}",
                    words.join("\n")
                );
            }
            self.interrupt.sleep(Duration::from_millis(60));
        }
        Ok(())
    }
}

impl Drop for Environment {
    /// Whatever a round was about: Klaviyo was asked for nothing that raises a consent, and lost no member whom we had not added.
    fn drop(&mut self) {
        if let Err(breach) = journal::must_have_no_breaches(&self.klaviyo) {
            self.breaches.add(format!("{breach:#}"));
        }
    }
}

/// What the journals of simulators hold that they must not hold. Clones are the same.
#[derive(Clone, Default)]
pub(super) struct Breaches(Arc<Mutex<Vec<String>>>);

impl Breaches {
    fn add(&self, breach: String) {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(breach);
    }

    /// Fails if there is one.
    pub(super) fn check(&self) -> Result<()> {
        let found = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        ensure!(found.is_empty(), "{}", found.join("; "));
        Ok(())
    }
}

/// The ids of so many small lists.
pub(super) fn small_lists(count: usize) -> impl Iterator<Item = String> {
    (0..count).map(|number| format!("SmAl{number:02}"))
}

fn create_organization(operator: &Launch, name: &str) -> Result<String> {
    let output = run_operator(operator, &["org", "create", "--name", name, "--json"])?;
    let created: Value = serde_json::from_slice(&output).context("no organization was made")?;
    let key = created["secretKey"].as_str();
    key.map(str::to_owned).context("no secret key was printed")
}

/// Runs the operator's command line. Returns what it printed.
fn run_operator(operator: &Launch, arguments: &[&str]) -> Result<Vec<u8>> {
    let output = operator.command().args(arguments).output()?;
    ensure!(
        output.status.success(),
        "`fanfare {}` failed:\n{}",
        arguments.join(" "),
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(output.stdout)
}

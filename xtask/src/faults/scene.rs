//! The programs of one round, on a store of its own.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::klaviyo::Log;
use super::outcome::Outcome;
use crate::fleet::Built;
use crate::fleet::api::{Api, Run};
use crate::process::{Launch, Program};
use crate::stop::Stop;
use crate::test::postgres::Cluster;

pub(super) const LIST: &str = "FaUlTs";
pub(super) const KEY: &str = "pk_faults_0123456789abcdef0123456789abcdef";

/// Seals a key of the simulator in a store that is deleted at the end: no secret.
const MASTER_KEY: &str = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";

/// Profiles in the list: thirty pages, so that there is a middle.
const PROFILES: u32 = 3_000;

/// What an answer of the simulator takes, in milliseconds: an import takes some seconds.
const LATENCY: &str = "25";

/// The shortest lease there is: what outlasts it need not take long.
pub(super) const LEASE: Duration = Duration::from_secs(3);

/// Longer than anything here takes.
pub(super) const PATIENCE: Duration = Duration::from_secs(90);

/// Which kind of store the rounds are played on.
pub(super) enum Setting {
    /// The embedded one: each round has its own file.
    Sqlite,
    /// A private cluster: each round has its own database.
    Postgres(Cluster),
}

impl Setting {
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
pub(super) struct Scene {
    pub(super) api: Api,
    /// In the order in which they were started; each may have been killed.
    pub(super) workers: Vec<Program>,
    worker_launch: Launch,
    api_launch: Launch,
    stop: Stop,
    /// The store's address.
    pub(super) store: String,
    log: PathBuf,
    /// Requests that belong to what was before.
    past_requests: usize,
    api_program: Program,
    _simulator: Program,
    _folder: TempDir,
}

impl Scene {
    pub(super) fn set(
        built: &Built,
        setting: &Setting,
        faults: &[&str],
        workers: usize,
        stop: &Stop,
    ) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let store = setting.store(folder.path())?;
        let log = folder.path().join("requests.jsonl");
        let mut simulator = built.launch("klaviyo-sim", folder.path())?;
        let list = format!("{LIST}=Faults:{PROFILES}");
        simulator.arguments = ["--addr", "127.0.0.1:0", "--key", KEY, "--list", &list]
            .map(OsString::from)
            .to_vec();
        simulator
            .arguments
            .extend(["--latency", LATENCY, "--request-log"].map(OsString::from));
        simulator.arguments.push(log.clone().into());
        for fault in faults {
            simulator
                .arguments
                .extend(["--fault", fault].map(OsString::from));
        }
        let mut simulator = simulator.start()?;
        let klaviyo = simulator.address(stop)?;

        let environment: Vec<(&'static str, OsString)> = vec![
            ("FANFARE_DATABASE_URL", store.clone().into()),
            ("FANFARE_MASTER_KEY", MASTER_KEY.into()),
            ("FANFARE_KLAVIYO_BASE_URL", klaviyo.into()),
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
        if matches!(setting, Setting::Postgres(_)) {
            operate(&operator, &["migrate"])?;
        }
        let api_launch = launch("fanfare-api")?;
        let mut api_program = api_launch.start()?;
        let address = api_program.address(stop)?;
        let key = create_organization(&operator)?;
        let api = Api::new(&address, &key);
        api.put::<Value>("/api/settings", &json!({"klaviyo": {"apiKey": KEY}}))?;
        let mut scene = Self {
            api,
            workers: Vec::new(),
            worker_launch: launch("fanfare-worker")?,
            api_launch,
            stop: stop.clone(),
            store,
            log,
            past_requests: 0,
            api_program,
            _simulator: simulator,
            _folder: folder,
        };
        for _ in 0..workers {
            scene.hire()?;
        }
        Ok(scene)
    }

    /// Lets the workers that are started from now on reach their store at another port.
    pub(super) fn divert_workers(&mut self, port: u16, to: u16) {
        let diverted = self.store.replace(&format!(":{port}/"), &format!(":{to}/"));
        for (name, value) in &mut self.worker_launch.environment {
            if *name == "FANFARE_DATABASE_URL" {
                *value = diverted.clone().into();
            }
        }
    }

    /// Starts one more worker.
    pub(super) fn hire(&mut self) -> Result<()> {
        let mut worker = self.worker_launch.start()?;
        worker.address(&self.stop)?;
        self.workers.push(worker);
        Ok(())
    }

    /// Ends the API between any two instructions, and starts it again.
    pub(super) fn restart_api(&mut self) -> Result<()> {
        self.api_program.kill()?;
        self.api_program = self.api_launch.start()?;
        let address = self.api_program.address(&self.stop)?;
        self.api = Api::new(&address, &self.api.key);
        Ok(())
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

    /// Waits for the same while the run is in this attempt: what a dead worker had asked for may come into the
    /// log after its death.
    pub(super) fn wait_for_page_of(&self, attempt: u32, page: usize) -> Result<()> {
        self.wait("nobody asks for that page again", || {
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

    /// What the simulator was asked.
    pub(super) fn log(&self) -> Result<Log> {
        Ok(Log::read(&self.log)?.since(self.past_requests))
    }

    /// Counts what is asked from now on, and nothing from before.
    pub(super) fn begin_the_log_anew(&mut self) -> Result<()> {
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

    fn wait(&self, otherwise: &str, is_so: impl Fn() -> Result<bool>) -> Result<()> {
        let deadline = Instant::now() + PATIENCE;
        while !is_so()? {
            ensure!(!self.stop.is_wanted(), "interrupted");
            if Instant::now() > deadline {
                let words: Vec<String> = self.workers.iter().map(Program::last_words).collect();
                bail!(
                    "{otherwise}; the workers' last words:\n{}",
                    words.join("\n")
                );
            }
            self.stop.sleep(Duration::from_millis(60));
        }
        Ok(())
    }
}

fn create_organization(operator: &Launch) -> Result<String> {
    let output = operate(operator, &["org", "create", "--name", "Faults", "--json"])?;
    let created: Value = serde_json::from_slice(&output).context("no organization was made")?;
    let key = created["secretKey"].as_str();
    key.map(str::to_owned).context("no secret key was printed")
}

/// Runs the operator's command line. Returns what it printed.
fn operate(operator: &Launch, arguments: &[&str]) -> Result<Vec<u8>> {
    let output = operator.command().args(arguments).output()?;
    ensure!(
        output.status.success(),
        "`fanfare {}` failed:\n{}",
        arguments.join(" "),
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(output.stdout)
}

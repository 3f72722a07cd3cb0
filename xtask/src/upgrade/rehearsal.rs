//! A deployment, step by step, on one store.

use std::ffi::OsString;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::interrupt::Interrupt;
use crate::process::{Launch, Program};
use crate::services::Programs;
use crate::services::api::{Api, Run};

const LISTS: [&str; 2] = ["UpGrd1", "UpGrd2"];
const KEY: &str = "pk_upgrade_0123456789abcdef0123456789abcde";

/// Seals a key of the simulator in a store that is deleted at the end: no secret.
const MASTER_KEY: &str = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";

/// How long to wait for anything.
const WAIT_TIMEOUT: Duration = Duration::from_secs(90);

/// The programs of one version, as they are started on the store.
struct Version {
    operator: Launch,
    api: Launch,
    worker: Launch,
}

/// The API and a worker of one version, at work.
struct AtWork {
    api: Api,
    _programs: [Program; 2],
}

/// Two versions on one store.
pub(super) struct Rehearsal {
    earlier: Version,
    present: Version,
    is_shared: bool,
    key: String,
    interrupt: Interrupt,
    _simulator: Program,
    _folder: TempDir,
}

impl Rehearsal {
    /// The earlier programs' store, with an organization that is connected. Without an address it is an embedded one.
    pub(super) fn start(
        earlier: &Programs,
        present: &Programs,
        store: Option<String>,
        interrupt: &Interrupt,
    ) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let mut simulator = present.launch("klaviyo-sim", folder.path())?;
        simulator.arguments = ["--addr", "127.0.0.1:0", "--key", KEY, "--latency", "25"]
            .map(OsString::from)
            .to_vec();
        for list in LISTS {
            let list = format!("{list}={list}:3000");
            simulator
                .arguments
                .extend(["--list", &list].map(OsString::from));
        }
        let mut simulator = simulator.start()?;
        let klaviyo = simulator.address(interrupt)?;
        let is_shared = store.is_some();
        let embedded = format!("sqlite://{}", folder.path().join("store.db").display());
        let environment: Vec<(&'static str, OsString)> = vec![
            ("FANFARE_DATABASE_URL", store.unwrap_or(embedded).into()),
            ("FANFARE_MASTER_KEY", MASTER_KEY.into()),
            ("FANFARE_KLAVIYO_BASE_URL", klaviyo.into()),
            ("FANFARE_LEASE_SECONDS", "3".into()),
            ("FANFARE_LOG_FORMAT", "json".into()),
            ("FANFARE_API_ADDR", "127.0.0.1:0".into()),
            ("FANFARE_WORKER_ADDR", "127.0.0.1:0".into()),
        ];
        let version = |programs: &Programs, name: &str| -> Result<Version> {
            let logs = folder.path().join(name);
            std::fs::create_dir(&logs)?;
            let launch = |name| -> Result<Launch> {
                let mut launch = programs.launch(name, &logs)?;
                launch.environment.clone_from(&environment);
                Ok(launch)
            };
            Ok(Version {
                operator: launch("fanfare")?,
                api: launch("fanfare-api")?,
                worker: launch("fanfare-worker")?,
            })
        };
        let (earlier, present) = (version(earlier, "earlier")?, version(present, "present")?);
        earlier.operate(&["migrate"])?;
        let made = earlier.operate(&["org", "create", "--name", "Upgrade", "--json"])?;
        let made: Value = serde_json::from_slice(&made).context("no organization was made")?;
        let key = made["secretKey"]
            .as_str()
            .context("no secret key was printed")?;
        Ok(Self {
            key: key.to_owned(),
            earlier,
            present,
            is_shared,
            interrupt: interrupt.clone(),
            _simulator: simulator,
            _folder: folder,
        })
    }

    /// The deployment, and one that is taken back.
    pub(super) fn play(&self) -> Result<()> {
        let old = self.put_to_work(&self.earlier)?;
        let settings = json!({"klaviyo": {"apiKey": KEY}});
        old.api.put::<Value>("/api/settings", &settings)?;
        let first = import(&old.api, LISTS[0])?;
        self.wait("the import does not begin", || {
            Ok(run(&old.api, &first)?.progress.processed > 0)
        })?;

        // The new schema comes while the earlier programs import.
        self.present.operate(&["migrate"])?;
        is_ready(&old.api)?;
        let new = self.put_to_work(&self.present)?;
        self.finish(&old.api, &first)?;

        // Both versions take requests, and each sees and ends what the other has begun.
        let second = import(&old.api, LISTS[1])?;
        self.finish(&new.api, &second)?;
        for (starts, cancels) in [(&old.api, &new.api), (&new.api, &old.api)] {
            let imported = run(starts, &first)?;
            let audience = imported.audience_id;
            let started: Value =
                starts.post(&format!("/api/audiences/{audience}/sync"), &json!({}))?;
            let id = started["runId"].as_str().context("no sync was started")?;
            let cancel = format!("/api/sync-runs/{id}/cancel");
            cancels.post::<Value>(&cancel, &json!({}))?;
            let again: Value =
                cancels.post(&format!("/api/audiences/{audience}/sync"), &json!({}))?;
            let id = again["runId"].as_str().context("no sync was started")?;
            let done = self.finish(starts, id)?;
            ensure!(
                done.progress.processed == done.progress.unchanged + imported.progress.skipped,
                "a second pass has changed something: {:?}",
                done.progress
            );
        }
        drop(old);
        is_ready(&new.api)?;
        drop(new);

        // The deployment is taken back.
        self.earlier.operate(&["migrate", "--check"])?;
        let back = self.put_to_work(&self.earlier)?;
        let audience = run(&back.api, &first)?.audience_id;
        let started: Value = back
            .api
            .post(&format!("/api/audiences/{audience}/sync"), &json!({}))?;
        let id = started["runId"].as_str().context("no sync was started")?;
        self.finish(&back.api, id)?;
        is_ready(&back.api)?;
        // An earlier `migrate` leaves the newer schema as it is.
        if self.is_shared {
            self.earlier.operate(&["migrate"])?;
        }
        self.present.operate(&["migrate", "--check"])?;
        Ok(())
    }

    fn put_to_work(&self, version: &Version) -> Result<AtWork> {
        let (mut api, mut worker) = (version.api.start()?, version.worker.start()?);
        let address = api.address(&self.interrupt)?;
        worker.address(&self.interrupt)?;
        Ok(AtWork {
            api: Api::new(&address, &self.key),
            _programs: [worker, api],
        })
    }

    /// Waits for a run to succeed.
    fn finish(&self, api: &Api, id: &str) -> Result<Run> {
        self.wait("the run does not end", || Ok(!run(api, id)?.is_active()))?;
        let run = run(api, id)?;
        ensure!(run.has_succeeded(), "the run failed: {:?}", run.error);
        Ok(run)
    }

    fn wait(&self, otherwise: &str, is_so: impl Fn() -> Result<bool>) -> Result<()> {
        let deadline = Instant::now() + WAIT_TIMEOUT;
        while !is_so()? {
            ensure!(!self.interrupt.is_requested(), "interrupted");
            ensure!(Instant::now() < deadline, "{otherwise}");
            self.interrupt.sleep(Duration::from_millis(60));
        }
        Ok(())
    }
}

impl Version {
    /// Runs the operator's command line. Returns what it printed.
    fn operate(&self, arguments: &[&str]) -> Result<Vec<u8>> {
        let output = self.operator.command().args(arguments).output()?;
        let (shown, error) = (arguments.join(" "), String::from_utf8_lossy(&output.stderr));
        ensure!(
            output.status.success(),
            "`fanfare {shown}` failed:\n{error}"
        );
        Ok(output.stdout)
    }
}

fn import(api: &Api, list: &str) -> Result<String> {
    let body = json!({"listIds": [list]});
    let answer: Value = api.post("/api/audiences/import/klaviyo", &body)?;
    let run = answer["imported"][0]["runId"].as_str();
    run.map(str::to_owned).context("the list was not imported")
}

fn run(api: &Api, id: &str) -> Result<Run> {
    api.get(&format!("/api/sync-runs/{id}"))
}

fn is_ready(api: &Api) -> Result<()> {
    let answer = api.send("GET", "/readyz", None)?;
    if answer.status.is_success() {
        return Ok(());
    }
    bail!("/readyz was answered {}", answer.explain())
}

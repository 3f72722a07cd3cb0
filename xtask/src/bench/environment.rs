//! The environment of one case: the programs, on a store that is deleted at the end.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::interrupt::Interrupt;
use crate::services::api::{Api, Run};
use crate::services::{Services, Setup};

/// The list that is imported.
pub(super) const LIST: &str = "BeNcHm";

/// Another list, where a case has one.
pub(super) const SECOND_LIST: &str = "BeNcHn";

/// A third one.
pub(super) const THIRD_LIST: &str = "BeNcHo";

pub(super) const KEY: &str = "pk_bench_0123456789abcdef0123456789abcdef";

/// Seals keys of a simulator in a store that is deleted at the end: no secret.
const MASTER_KEY: &str = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";

/// A program that uses less than so many hundredths of a second in a second does nothing.
const IDLE: u64 = 5;

/// The embedded store's file.
const FILE: &str = "bench.db";

/// Running programs, an organization, and its connection.
pub(super) struct Environment {
    pub(super) api: Api,
    pub(super) services: Services,
    interrupt: Interrupt,
    folder: TempDir,
}

impl Environment {
    /// Starts them on the embedded store, with a list of so many profiles. `simulator` are further
    /// arguments of it.
    pub(super) fn start(profiles: u64, simulator: &[&str], interrupt: &Interrupt) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let store = format!("sqlite://{}", folder.path().join(FILE).display());
        Self::on(&store, folder, profiles, simulator, interrupt)
    }

    /// Starts them on Postgres.
    pub(super) fn start_on_postgres(
        store: &str,
        profiles: u64,
        simulator: &[&str],
        interrupt: &Interrupt,
    ) -> Result<Self> {
        Self::on(store, tempfile::tempdir()?, profiles, simulator, interrupt)
    }

    fn on(
        store: &str,
        folder: TempDir,
        profiles: u64,
        simulator: &[&str],
        interrupt: &Interrupt,
    ) -> Result<Self> {
        let list = format!("{LIST}=Benchmark:{profiles}");
        let mut arguments = ["--key", KEY, "--list", &list].map(OsString::from).to_vec();
        arguments.extend(simulator.iter().map(OsString::from));
        let setup = Setup {
            store,
            logs: folder.path(),
            simulator: Some(arguments),
            environment: vec![("FANFARE_MASTER_KEY", MASTER_KEY.into())],
            api: Some(("FANFARE_API_ADDR", "127.0.0.1:0".into())),
            worker: Some(("FANFARE_WORKER_ADDR", "127.0.0.1:0".into())),
            is_release: true,
        };
        let services = Services::start(setup, &|line| println!("{line}"), interrupt)?;
        let key = services.create_organization("Benchmark")?;
        let api = Api::new(&services.address, &key);
        api.put::<Value>("/api/settings", &json!({"klaviyo": {"apiKey": KEY}}))?;
        Ok(Self {
            api,
            services,
            interrupt: interrupt.clone(),
            folder,
        })
    }

    /// Starts the import of a list. Returns its run.
    pub(super) fn import(&self, list: &str) -> Result<String> {
        let body = json!({"listIds": [list]});
        let answer: Value = self.api.post("/api/audiences/import/klaviyo", &body)?;
        let run = answer["imported"][0]["runId"].as_str();
        run.map(str::to_owned).context("the list was not imported")
    }

    /// Starts the imports of several lists at once. Returns their runs.
    pub(super) fn import_all(&self, lists: &[&str]) -> Result<Vec<String>> {
        let body = json!({"listIds": lists});
        let answer: Value = self.api.post("/api/audiences/import/klaviyo", &body)?;
        let imported = answer["imported"].as_array().context("an answer")?.iter();
        let runs = imported.filter_map(|one| Some(one["runId"].as_str()?.to_owned()));
        let runs: Vec<String> = runs.collect();
        ensure!(runs.len() == lists.len(), "not every list was imported");
        Ok(runs)
    }

    /// Starts a sync of an audience. Returns its run.
    pub(super) fn sync(&self, audience: &str) -> Result<String> {
        let answer: Value = self
            .api
            .post(&format!("/api/audiences/{audience}/sync"), &json!({}))?;
        answer["runId"]
            .as_str()
            .map(str::to_owned)
            .context("no sync was started")
    }

    pub(super) fn run(&self, id: &str) -> Result<Run> {
        self.api.get(&format!("/api/sync-runs/{id}"))
    }

    /// Waits for a run to succeed.
    pub(super) fn finish(&self, id: &str) -> Result<Run> {
        loop {
            let run = self.run(id)?;
            if run.has_succeeded() {
                return Ok(run);
            }
            if let Some(error) = &run.error {
                bail!("the run failed: {} ({})", error.message, error.code);
            }
            ensure!(!self.interrupt.is_requested(), "interrupted");
            self.interrupt.sleep(Duration::from_millis(500));
        }
    }

    /// Imports a list, and waits until the worker has done what it does after an import. Returns the audience.
    pub(super) fn members_of(&self, list: &str) -> Result<String> {
        let run = self.finish(&self.import(list)?)?;
        let worker = self.services.worker();
        while let Some(before) = worker.cpu_ticks() {
            self.interrupt.sleep(Duration::from_secs(1));
            ensure!(!self.interrupt.is_requested(), "interrupted");
            let ticks = worker.cpu_ticks().unwrap_or(before) - before;
            if ticks < IDLE {
                break;
            }
        }
        Ok(run.audience_id)
    }

    /// The embedded store's file.
    pub(super) fn store_file(&self) -> PathBuf {
        self.folder.path().join(FILE)
    }

    /// Stops the programs and keeps the store.
    pub(super) fn stop_and_keep_store(self) -> (TempDir, PathBuf) {
        drop(self.services);
        let store = self.folder.path().join(FILE);
        (self.folder, store)
    }
}

//! The running API against its own document, by schemathesis: no answer is a fault of the service, and each is one that the
//! document promises.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use serde_json::{Value, json};

use super::output;
use crate::interrupt::Interrupt;
use crate::services::api::{Api, Run};
use crate::services::{Services, Setup};
use crate::workspace;

/// What is installed, if it may be.
const PACKAGE: &str = "schemathesis>=4.32,<5";

/// Organizations that ask in turn: each may make 1,000 requests a minute.
const ORGANIZATIONS: usize = 40;

/// The simulator's key, and the list that each organization imports.
const KLAVIYO_KEY: &str = "pk_demo_0123456789abcdef0123456789abcdef";
const LIST: &str = "Pr2VwN";

/// Seals the simulator's key in a store that is deleted at the end: no secret.
const MASTER_KEY: &str = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";

/// What is checked of each answer.
const CHECKS: &str = "not_a_server_error,status_code_conformance,content_type_conformance,\
                      response_headers_conformance,response_schema_conformance";

/// The path of event streams, which have no end to wait for.
const STREAMS: &str = "/api/sync-runs/{id}/events";

/// What came of it.
pub(super) enum Outcome {
    /// What is wrong, one line each.
    Done(Vec<String>),
    /// Why nothing was sent.
    Skipped(String),
}

/// Sends the API at least so many requests.
pub(super) fn run(requests: u64, install: bool, interrupt: &Interrupt) -> Result<Outcome> {
    let folder = output()?;
    fs::create_dir_all(&folder)?;
    let Some(program) = schemathesis(&folder.join("venv"), install)? else {
        return Ok(Outcome::Skipped(
            "schemathesis is not there; `cargo xtask fuzz --target api --install` installs it, with python3"
                .to_owned(),
        ));
    };
    let logs = folder.join("api");
    fs::create_dir_all(&logs)?;
    let private = tempfile::tempdir()?;
    let store = format!("sqlite://{}", private.path().join("store.db").display());
    let setup = Setup {
        store: &store,
        logs: &logs,
        simulator: Some(["--no-quota", "--latency", "0"].map(Into::into).to_vec()),
        environment: vec![("FANFARE_MASTER_KEY", MASTER_KEY.into())],
        api: Some(("FANFARE_API_ADDR", "127.0.0.1:0".into())),
        worker: Some(("FANFARE_WORKER_ADDR", "127.0.0.1:0".into())),
        is_release: false,
    };
    let services = Services::start(setup, &|line| println!("{line}"), interrupt)?;
    let organizations = logs.join("organizations.json");
    fs::write(
        &organizations,
        serde_json::to_vec(&organize(&services, interrupt)?)?,
    )?;

    let document = workspace::root().join("docs/openapi.json");
    let operations = operations(&serde_json::from_slice(&fs::read(&document)?)?);
    println!(
        "Sending {requests} requests; schemathesis-1-1.log and its successors in {} tell how far they are",
        logs.display()
    );
    let asker = Asker {
        program: &program,
        organizations: &organizations,
        document: &document,
        address: &services.address,
        logs: &logs,
        operations,
    };
    let (mut sent, mut found) = (0, Vec::new());
    for pass in 1.. {
        let rest = requests.saturating_sub(sent);
        if rest == 0 || !found.is_empty() {
            break;
        }
        // An operation with few different requests is done before it has had its share: the next pass, of another seed,
        // makes up for it.
        sent += asker.pass(pass, rest, &mut found)?;
        ensure!(!interrupt.is_requested(), "interrupted");
    }
    println!("{sent} requests were sent");
    Ok(Outcome::Done(found))
}

/// Asks the API by schemathesis.
struct Asker<'a> {
    program: &'a Path,
    organizations: &'a Path,
    document: &'a Path,
    address: &'a str,
    logs: &'a Path,
    /// How many operations the document has.
    operations: u64,
}

impl Asker<'_> {
    /// Sends up to so many requests, by a process for each core: threads of one process share one core, and what generates
    /// requests is not safe with threads. Returns how many were sent.
    fn pass(&self, pass: u32, requests: u64, found: &mut Vec<String>) -> Result<u64> {
        let processes = thread::available_parallelism()?.get() as u64;
        let examples = requests.div_ceil(processes).div_ceil(self.operations);
        let started = (1..=processes).map(|process| {
            let name = format!("schemathesis-{pass}-{process}");
            let log = self.logs.join(format!("{name}.log"));
            let mut command = self.command(examples);
            command
                .stdout(File::create(&log)?)
                .stderr(File::create(self.logs.join(format!("{name}.err")))?);
            let child = command.spawn().context("schemathesis cannot be started")?;
            Ok((log, child))
        });
        let started: Vec<(PathBuf, Child)> = started.collect::<Result<_>>()?;
        let mut sent = 0;
        for (log, mut child) in started {
            let status = child.wait()?;
            let told = fs::read_to_string(&log)?;
            let end = told.rfind("SUMMARY").unwrap_or_default();
            println!("{}", &told[end..]);
            if !status.success() {
                found.push(format!(
                    "api: not every answer is as the document says ({status}); {} has each with a command that repeats it",
                    log.display()
                ));
            }
            sent += generated(&told).context("schemathesis does not say what it has sent")?;
        }
        ensure!(sent > 0, "schemathesis has sent nothing");
        Ok(sent)
    }

    fn command(&self, examples: u64) -> Command {
        let mut command = Command::new(self.program);
        command
            .env("SCHEMATHESIS_HOOKS", "api_hooks")
            .env("PYTHONPATH", workspace::root().join("crates/fuzz"))
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .env("FANFARE_FUZZ_ORGANIZATIONS", self.organizations)
            .env("NO_PROXY", "127.0.0.1")
            .current_dir(self.logs)
            .args(["--no-color", "run", "--url", self.address])
            .args(["--checks", CHECKS, "--exclude-path", STREAMS])
            .args(["--phases", "examples,coverage,fuzzing", "--workers", "1"])
            .args(["--max-examples", &examples.to_string()])
            .args(["--continue-on-failure", "--suppress-health-check", "all"])
            .arg(self.document);
        command
    }
}

/// How many requests a pass of schemathesis says that it has made.
fn generated(told: &str) -> Option<u64> {
    let line = told
        .lines()
        .rev()
        .find(|line| line.contains(" generated"))?;
    line.split_whitespace().next()?.parse().ok()
}

/// The program: the installed one, or one that is installed now, if it may be.
fn schemathesis(venv: &Path, install: bool) -> Result<Option<PathBuf>> {
    let program = venv.join("bin/schemathesis");
    if program.exists() || !install {
        return Ok(program.exists().then_some(program));
    }
    let mut make = Command::new("python3");
    make.args(["-m", "venv"]).arg(venv);
    workspace::must_succeed(make)?;
    let mut pip = Command::new(venv.join("bin/pip"));
    pip.args(["install", "--quiet", PACKAGE]);
    workspace::must_succeed(pip)?;
    ensure!(program.exists(), "pip installed no {}", program.display());
    Ok(Some(program))
}

/// Organizations with an audience each, for the hooks of schemathesis.
fn organize(services: &Services, interrupt: &Interrupt) -> Result<Value> {
    let mut organizations = Vec::new();
    for number in 0..ORGANIZATIONS {
        let key = services.create_organization(&format!("Fuzz {number}"))?;
        let api = Api::new(&services.address, &key);
        let connect = json!({"klaviyo": {"apiKey": KLAVIYO_KEY}});
        api.put::<Value>("/api/settings", &connect)?;
        let import = json!({"listIds": [LIST]});
        let answer: Value = api.post("/api/audiences/import/klaviyo", &import)?;
        let imported = &answer["imported"][0];
        let id = |name: &str| imported[name].as_str().context("nothing was imported");
        let run = id("runId")?;
        while api
            .get::<Run>(&format!("/api/sync-runs/{run}"))?
            .is_active()
        {
            if interrupt.is_requested() {
                bail!("interrupted");
            }
            interrupt.sleep(Duration::from_millis(100));
        }
        let consumers: Value = api.get("/api/consumers?first=1")?;
        organizations.push(json!({
            "key": key,
            "run": run,
            "audience": id("audienceId")?,
            "source": id("syncSourceId")?,
            "consumer": consumers["data"][0]["id"],
        }));
    }
    Ok(json!({"klaviyo": KLAVIYO_KEY, "organizations": organizations}))
}

/// How many operations the document has.
fn operations(document: &Value) -> u64 {
    let paths = document["paths"].as_object().into_iter().flatten();
    let methods = paths.filter_map(|(_, item)| item.as_object());
    methods.map(|item| item.len() as u64).sum::<u64>().max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_sent_is_read_from_the_summary() {
        let told = "Test cases:\n  48530 generated, 48530 passed\n\nSeed: 15\n";
        assert_eq!(generated(told), Some(48_530));
        assert_eq!(generated("no summary"), None);
    }
}

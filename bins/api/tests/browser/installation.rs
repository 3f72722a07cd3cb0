//! An installation of the real programs on a store of its own, and a Klaviyo simulator that tests give orders to.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use fanfare_klaviyo_sim::RunningSimulator;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use tempfile::TempDir;
use ureq::Agent;
use ureq::http::Request;

use crate::KLAVIYO_KEY;
use crate::browser::until;

/// A running program.
pub(crate) struct Running {
    child: Child,
    /// `http://HOST:PORT`
    pub(crate) address: String,
    // A program whose output nobody can read any more would end when it writes.
    _output: BufReader<std::process::ChildStdout>,
}

impl Running {
    /// Freezes it, or lets it go on.
    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).expect("a process");
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

pub(crate) struct Installation {
    folder: TempDir,
    settings: Vec<(&'static str, String)>,
    /// Where Klaviyo is, `http://HOST:PORT`.
    klaviyo: String,
    /// Klaviyo, where it is a program of its own.
    _simulator: Option<Running>,
    pub(crate) api: Running,
    pub(crate) worker: Running,
    organization: String,
    /// The owner's secret key.
    pub(crate) owner: String,
}

impl Installation {
    /// Starts all of it, with an organization.
    pub(crate) fn start(klaviyo: &[&str]) -> Self {
        Self::start_with(klaviyo, Vec::new())
    }

    /// The same on a database of Postgres.
    pub(crate) fn start_with(klaviyo: &[&str], store: Vec<(&'static str, String)>) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let mut simulator = vec!["--addr", "127.0.0.1:0", "--latency", "20", "--no-quota"];
        simulator.extend(klaviyo);
        let simulator = run(folder.path(), "klaviyo-sim", &simulator, &[]);
        let klaviyo = simulator.address.clone();
        Self::start_in(folder, klaviyo, Some(simulator), store)
    }

    /// The same beside a Klaviyo that the test itself runs.
    pub(crate) fn start_beside(klaviyo: &RunningSimulator) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        Self::start_in(folder, klaviyo.url(), None, Vec::new())
    }

    fn start_in(
        folder: TempDir,
        klaviyo: String,
        simulator: Option<Running>,
        store: Vec<(&'static str, String)>,
    ) -> Self {
        let mut settings = vec![
            ("FANFARE_API_ADDR", "127.0.0.1:0".to_owned()),
            ("FANFARE_WORKER_ADDR", "127.0.0.1:0".to_owned()),
            ("FANFARE_KLAVIYO_BASE_URL", klaviyo.clone()),
            ("FANFARE_MIN_REFRESH_SECONDS", "2".to_owned()),
        ];
        if !store.is_empty() {
            settings.extend(store);
            operate(folder.path(), &settings, &["migrate"]);
        }
        let api = run(folder.path(), "fanfare-api", &[], &settings);
        let worker = run(folder.path(), "fanfare-worker", &[], &settings);
        let made = operate(
            folder.path(),
            &settings,
            &["org", "create", "--name", "Nordlicht", "--json"],
        );
        Self {
            organization: text(&made, "organizationId"),
            owner: text(&made, "secretKey"),
            folder,
            settings,
            klaviyo,
            _simulator: simulator,
            api,
            worker,
        }
    }

    /// Makes a secret key of another role.
    pub(crate) fn key(&self, role: &str) -> String {
        text(&self.make_key(role), "secretKey")
    }

    /// The same with its id.
    pub(crate) fn make_key(&self, role: &str) -> Value {
        self.operate(&[
            "key",
            "create",
            "--org",
            &self.organization,
            "--role",
            role,
            "--json",
        ])
    }

    /// Runs an operator's command that answers with JSON.
    pub(crate) fn operate(&self, arguments: &[&str]) -> Value {
        operate(self.folder.path(), &self.settings, arguments)
    }

    /// Revokes a key by its id.
    pub(crate) fn revoke(&self, key: &str) {
        self.operate(&["key", "revoke", "--org", &self.organization, key, "--json"]);
    }

    /// Asks the API, as the owner.
    pub(crate) fn ask(&self, method: &str, path: &str, body: Option<&Value>) -> Value {
        let request = Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.api.address))
            .header("authorization", format!("Bearer {}", self.owner))
            .header("content-type", "application/json");
        let body = body.map(Value::to_string).unwrap_or_default();
        let answer = agent().run(request.body(body).expect("a request"));
        let mut answer = answer.expect("an answer");
        let body: Value = answer.body_mut().read_json().expect("JSON");
        assert!(answer.status().is_success(), "{method} {path}: {body}");
        body
    }

    /// Connects the organization to Klaviyo.
    pub(crate) fn connect(&self) {
        let body = json!({"klaviyo": {"apiKey": KLAVIYO_KEY}});
        self.ask("PUT", "/api/settings", Some(&body));
    }

    /// Imports these, and waits until all have been.
    pub(crate) fn import(&self, lists: &[&str], segments: &[&str]) {
        let body = json!({"listIds": lists, "segmentIds": segments});
        self.ask("POST", "/api/audiences/import/klaviyo", Some(&body));
        until("the imports' success", || {
            let sources = self.ask("GET", "/api/sync-sources/search?syncStatus=SUCCESS", None);
            let done = sources.as_array().map_or(0, Vec::len);
            (done >= lists.len() + segments.len()).then_some(())
        });
    }

    /// Switches events to Klaviyo on.
    pub(crate) fn switch_events_on(&self) {
        self.ask("POST", "/api/settings/fanfare-webhook", None);
        let body = json!({"klaviyo": {"events": {"enabled": true}}});
        self.ask("PUT", "/api/settings", Some(&body));
    }

    /// Tells of an event of a consumer, as Fanfare's webhooks do.
    pub(crate) fn tell(&self, event_type: &str, consumer: &str, data: &Value) {
        self.operate(&[
            "events",
            "send",
            "--json",
            "--type",
            event_type,
            "--consumer",
            consumer,
            "--data",
            &data.to_string(),
        ]);
    }

    /// The id of the audience with this name.
    pub(crate) fn audience(&self, name: &str) -> String {
        let audiences = self.ask("GET", "/api/audiences?first=100", None);
        let mut all = audiences["data"].as_array().into_iter().flatten();
        let found = all.find(|audience| audience["name"] == name);
        text(found.expect("an audience of this name"), "id")
    }

    /// Changes the account in Klaviyo at once: a change a line, as the simulator's help has them.
    pub(crate) fn change(&self, changes: &str) {
        self.order("changes", changes);
    }

    /// Plans faults of Klaviyo, one a line.
    pub(crate) fn plan_faults(&self, faults: &str) {
        self.order("faults", faults);
    }

    /// Forgets all planned faults.
    pub(crate) fn forget_faults(&self) {
        let address = format!("{}/control/faults", self.klaviyo);
        agent()
            .delete(address)
            .call()
            .expect("an order that is taken");
    }

    fn order(&self, what: &str, orders: &str) {
        let address = format!("{}/control/{what}", self.klaviyo);
        let mut answer = agent().post(address).send(orders).expect("an answer");
        let told = answer.body_mut().read_to_string().unwrap_or_default();
        assert!(answer.status().is_success(), "{orders}: {told}");
    }
}

fn agent() -> Agent {
    let config = Agent::config_builder()
        .http_status_as_error(false)
        .timeout_global(Some(Duration::from_secs(30)));
    config.build().into()
}

/// Another program of the workspace: it lies where the API does.
fn program(name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_BIN_EXE_fanfare-api")).with_file_name(name);
    assert!(
        path.exists(),
        "{name} is not built: `cargo build --workspace --bins` does it"
    );
    path
}

/// Starts a program, and waits until it says where it listens. Its log is kept in the folder.
fn run(folder: &Path, name: &str, arguments: &[&str], settings: &[(&str, String)]) -> Running {
    let log = File::create(folder.join(format!("{name}.log"))).expect("a log");
    let mut child = Command::new(program(name))
        .args(arguments)
        .current_dir(folder)
        .env_clear()
        .envs(settings.iter().map(|(name, value)| (name, value)))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(log)
        .spawn()
        .unwrap_or_else(|error| panic!("{name} starts: {error}"));
    let mut output = BufReader::new(child.stdout.take().expect("its output"));
    let mut line = String::new();
    output.read_line(&mut line).expect("a line");
    let address = line.trim_end().strip_prefix("listening on ");
    let address = address.unwrap_or_else(|| panic!("{name} said {line:?}"));
    Running {
        address: address.to_owned(),
        child,
        _output: output,
    }
}

fn operate(folder: &Path, settings: &[(&str, String)], arguments: &[&str]) -> Value {
    let done = Command::new(program("fanfare"))
        .args(arguments)
        .current_dir(folder)
        .env_clear()
        .envs(settings.iter().map(|(name, value)| (name, value)))
        .stdin(Stdio::null())
        .output()
        .expect("the operator's command runs");
    let errors = String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success(), "{arguments:?}: {errors}");
    serde_json::from_slice(&done.stdout).unwrap_or_default()
}

/// A field of a document.
fn text(document: &Value, field: &str) -> String {
    let text = document[field].as_str();
    text.unwrap_or_else(|| panic!("no {field} in {document}"))
        .to_owned()
}

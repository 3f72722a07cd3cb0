//! The scenario: everything that the programs do with keys and profiles.

mod bad_requests;
mod connecting;
mod disconnecting;
mod failures;
mod hostile_answers;
mod imports;

use serde_json::{Value, json};

use crate::client::{Client, text};
use crate::environment::Environment;
use crate::programs::Up;

/// Runs the whole scenario. The store is checked in the middle too, when it holds the most.
pub(crate) fn run(environment: &Environment) {
    let programs = environment.programs(environment.klaviyo.url());
    assert_eq!(programs.run(&["migrate"], ""), Some(0));
    let owner = connecting::from_the_command_line(environment, &programs);
    let up = programs.up("first.log");
    let client = Client::new(&up.api, &owner, &environment.captured);
    connecting::over_http(environment, &client);
    bad_requests::send_all(&client);
    let audiences = imports::import(&client);
    imports::read_profiles(&client, &audiences);
    failures::sync_through_faults(environment, &client, &audiences);
    failures::sync_with_keys_that_fail(environment, &client, &audiences[0]);
    disconnecting::cancel(environment, &client, &audiences[1]);
    measure(&up, environment);
    up.stop();
    environment.assert_store_holds_the_imported_values();
    environment.assert_store_is_clean();

    hostile_answers::sync(environment, &owner, &audiences);

    let up = programs.up("last.log");
    let client = Client::new(&up.api, &owner, &environment.captured);
    disconnecting::archive(&client, &audiences[1]);
    disconnecting::disconnect(environment, &client, &audiences[0]);
    assert_eq!(client.get("/api/settings").status, 200);
    measure(&up, environment);
    up.stop();
    assert_eq!(programs.run(&["doctor"], ""), Some(0));
}

/// Captures the metrics of the API and of the worker.
fn measure(up: &Up<'_>, environment: &Environment) {
    for address in [&up.api, &up.worker] {
        let client = Client::new(address, "", &environment.captured);
        assert_eq!(client.get("/metrics").status, 200);
    }
}

/// Connects with a key. Returns the answer's status.
fn connect(client: &Client<'_>, key: &str, is_confirmed: bool) -> u16 {
    let mut klaviyo = json!({"apiKey": key});
    if is_confirmed {
        klaviyo["confirmAccountChange"] = true.into();
    }
    let body = json!({"klaviyo": klaviyo}).to_string();
    client.put("/api/settings", &body).status
}

/// Starts a sync of an audience. Returns the run's id.
#[track_caller]
fn start_sync(client: &Client<'_>, audience: &str) -> String {
    let path = format!("/api/audiences/{audience}/sync");
    let body = json!({"confirmRemovals": true}).to_string();
    let answer = client.post(&path, &body).json(200);
    text(&answer, "runId").to_owned()
}

/// Follows a run to its end, and reads its issues. Returns the run.
#[track_caller]
fn await_end(client: &Client<'_>, run: &str) -> Value {
    let answer = client.follow(run);
    let issues = client.get(&format!("/api/sync-runs/{run}/issues?first=100"));
    assert_eq!(issues.status, 200, "{issues:?}");
    answer
}

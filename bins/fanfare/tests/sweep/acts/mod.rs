//! Everything that the programs do, in which canaries take part.

mod connecting;
mod importing;
mod leaving;
mod mistakes;
mod spiteful;
mod trouble;

use serde_json::{Value, json};

use crate::client::{Client, text};
use crate::programs::Up;
use crate::stage::Stage;

/// Plays all of it. The store is swept in between, while it holds the most.
pub(crate) fn play(stage: &Stage) {
    let place = stage.place(stage.klaviyo.url());
    assert_eq!(place.run(&["migrate"], ""), Some(0));
    let owner = connecting::from_the_command_line(stage, &place);
    let up = place.up("first.log");
    let client = Client::new(&up.api, &owner, &stage.evidence);
    connecting::over_http(stage, &client);
    mistakes::make(&client);
    let audiences = importing::import(&client);
    importing::look_at_people(&client, &audiences);
    trouble::sync_through_faults(stage, &client, &audiences);
    trouble::sync_with_keys_that_fail(stage, &client, &audiences[0]);
    leaving::cancel(stage, &client, &audiences[1]);
    measure(&up, stage);
    up.end();
    stage.assert_store_is_read();
    stage.sweep_store();

    spiteful::sync(stage, &owner, &audiences);

    let up = place.up("last.log");
    let client = Client::new(&up.api, &owner, &stage.evidence);
    leaving::archive(&client, &audiences[1]);
    leaving::disconnect(stage, &client, &audiences[0]);
    assert_eq!(client.get("/api/settings").status, 200);
    measure(&up, stage);
    up.end();
    assert_eq!(place.run(&["doctor"], ""), Some(0));
}

/// Takes down the metrics of both.
fn measure(up: &Up<'_>, stage: &Stage) {
    for address in [&up.api, &up.worker] {
        let client = Client::new(address, "", &stage.evidence);
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

/// Everything that a run can be asked for, at its end.
#[track_caller]
fn ended(client: &Client<'_>, run: &str) -> Value {
    let answer = client.follow(run);
    let issues = client.get(&format!("/api/sync-runs/{run}/issues?first=100"));
    assert_eq!(issues.status, 200, "{issues:?}");
    answer
}

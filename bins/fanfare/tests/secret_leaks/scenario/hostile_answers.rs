//! Syncs with a Klaviyo that quotes keys and personal values in all of its answers.

use super::{connect, start_sync};
use crate::client::Client;
use crate::environment::Environment;
use crate::fixture::{LISTS, ROTATED, UNTOUCHED};
use crate::hostile_klaviyo::HostileKlaviyo;

/// Sends every request once for each answer of the hostile Klaviyo, and waits until workers got all of
/// them.
pub(super) fn sync(environment: &Environment, owner: &str, audiences: &[String]) {
    let hostile = HostileKlaviyo::start();
    let programs = environment.programs(hostile.url());
    let up = programs.up("hostile.log");
    let client = Client::new(&up.api, owner, &environment.captured);

    // Only workers ask for members: each of their requests gets the next answer.
    let mut runs: Vec<String> = audiences.iter().map(|id| start_sync(&client, id)).collect();
    hostile.wait_until_workers_got_all(|| {
        for audience in audiences {
            let answer = client.post(&format!("/api/audiences/{audience}/sync"), "");
            // An audience whose run has not ended starts no other run.
            if answer.status == 200 {
                runs.push(super::text(&answer.json(200), "runId").to_owned());
            }
        }
    });
    for run in runs {
        // Some runs have ended by themselves.
        client.post(&format!("/api/sync-runs/{run}/cancel"), "");
        client.follow(&run);
        client.get(&format!("/api/sync-runs/{run}/issues"));
    }

    for answer in hostile.answers() {
        hostile.answer_all_requests_with(answer);
        for path in ["/api/klaviyo", "/api/klaviyo/segments", "/api/settings"] {
            client.get(path);
        }
        client.get(&format!("/api/klaviyo/lists/{}/estimate", LISTS[0]));
        let body = format!(r#"{{"listIds":["{UNTOUCHED}"]}}"#);
        client.post("/api/audiences/import/klaviyo", &body);
        // Some answers are pages without an account's id, which a key does not need to be connected.
        connect(&client, ROTATED, false);
    }
    programs.run(&["doctor"], "");
    super::measure(&up, environment);
    up.stop();
}

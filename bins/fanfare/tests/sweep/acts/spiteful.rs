//! Everything is asked of a Klaviyo that quotes keys and people wherever it can.

use super::{connect, start_sync};
use crate::cast::{LISTS, ROTATED, UNTOUCHED};
use crate::client::Client;
use crate::spite::Spite;
use crate::stage::Stage;

/// Asks everything once for each of its answers, and lets a worker meet all of them.
pub(super) fn sync(stage: &Stage, owner: &str, audiences: &[String]) {
    let spite = Spite::start();
    let place = stage.place(spite.url());
    let up = place.up("spiteful.log");
    let client = Client::new(&up.api, owner, &stage.evidence);

    // Members are asked for by workers alone: each request meets the next answer.
    let mut runs: Vec<String> = audiences.iter().map(|id| start_sync(&client, id)).collect();
    spite.let_workers_meet_all(|| {
        for audience in audiences {
            let answer = client.post(&format!("/api/audiences/{audience}/sync"), "");
            // Where its run has not ended, there is no new one.
            if answer.status == 200 {
                runs.push(super::text(&answer.json(200), "runId").to_owned());
            }
        }
    });
    for run in runs {
        // Some have ended by themselves.
        client.post(&format!("/api/sync-runs/{run}/cancel"), "");
        client.follow(&run);
        client.get(&format!("/api/sync-runs/{run}/issues"));
    }

    for answer in spite.answers() {
        spite.answer_everything_with(answer);
        for path in ["/api/klaviyo", "/api/klaviyo/segments", "/api/settings"] {
            client.get(path);
        }
        client.get(&format!("/api/klaviyo/lists/{}/estimate", LISTS[0]));
        let body = format!(r#"{{"listIds":["{UNTOUCHED}"]}}"#);
        client.post("/api/audiences/import/klaviyo", &body);
        assert_ne!(connect(&client, ROTATED, false), 200);
    }
    place.run(&["doctor"], "");
    super::measure(&up, stage);
    up.end();
}

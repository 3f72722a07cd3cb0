//! Cancels a run, archives an audience, and disconnects Klaviyo.

use fanfare_klaviyo_sim::{Effect, Fault, RetryAfter};

use super::{await_end, start_sync};
use crate::client::Client;
use crate::environment::Environment;
use crate::fixture::{LISTS, ROTATED};

/// Cancels a run that is under way.
pub(super) fn cancel(environment: &Environment, client: &Client<'_>, audience: &str) {
    // The run waits for ten minutes, so that it cannot end by itself.
    let throttle = Effect::Throttle(RetryAfter::Seconds(600));
    environment
        .klaviyo
        .add_fault(Fault::new(throttle).of(LISTS[1]).forever());
    let run = start_sync(client, audience);
    let cancelled = client.post(&format!("/api/sync-runs/{run}/cancel"), "");
    assert_eq!(cancelled.status, 200, "{cancelled:?}");
    assert_eq!(await_end(client, &run)["error"]["code"], "cancelled");
}

/// Archives an audience.
pub(super) fn archive(client: &Client<'_>, audience: &str) {
    let archived = client.delete(&format!("/api/audiences/{audience}"));
    assert_eq!(archived.status, 200, "{archived:?}");
}

/// Disconnects with a run under way. The key is gone at once, even as it was sealed.
pub(super) fn disconnect(environment: &Environment, client: &Client<'_>, audience: &str) {
    let run = start_sync(client, audience);
    let sealed = |cells: Vec<crate::store::Cell>| {
        let mut keys = cells.into_iter().filter(|cell| cell.column == "sealed_key");
        keys.next().map(|cell| cell.bytes)
    };
    let before = sealed(environment.store.cells()).expect("a key is connected");
    assert!(before.len() > ROTATED.len());

    let answer = client.put("/api/settings", r#"{"klaviyo":null}"#);

    assert_eq!(answer.json(200)["klaviyo"]["status"], "NOT_CONNECTED");
    assert_eq!(sealed(environment.store.cells()), None);
    for (name, bytes) in environment.store.files() {
        let is_left = bytes.windows(before.len()).any(|part| part == before);
        assert!(!is_left, "the sealed key is left in {name}");
    }
    assert_eq!(await_end(client, &run)["error"]["code"], "cancelled");
}

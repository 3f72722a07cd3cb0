//! A run is cancelled, and Klaviyo disconnected.

use fanfare_klaviyo_sim::{Effect, Fault, RetryAfter};

use super::{ended, start_sync};
use crate::cast::{LISTS, ROTATED};
use crate::client::Client;
use crate::stage::Stage;

/// Cancels a run that is under way.
pub(super) fn cancel(stage: &Stage, client: &Client<'_>, audience: &str) {
    // It cannot end by itself.
    let throttle = Effect::Throttle(RetryAfter::Seconds(600));
    stage
        .klaviyo
        .add_fault(Fault::new(throttle).of(LISTS[1]).forever());
    let run = start_sync(client, audience);
    let cancelled = client.post(&format!("/api/sync-runs/{run}/cancel"), "");
    assert_eq!(cancelled.status, 200, "{cancelled:?}");
    assert_eq!(ended(client, &run)["error"]["code"], "cancelled");
}

/// Archives an audience.
pub(super) fn archive(client: &Client<'_>, audience: &str) {
    let archived = client.delete(&format!("/api/audiences/{audience}"));
    assert_eq!(archived.status, 200, "{archived:?}");
}

/// Disconnects with a run under way. The key is gone at once, even as it was sealed.
pub(super) fn disconnect(stage: &Stage, client: &Client<'_>, audience: &str) {
    let run = start_sync(client, audience);
    let sealed = |cells: Vec<crate::store::Cell>| {
        let mut keys = cells.into_iter().filter(|cell| cell.column == "sealed_key");
        keys.next().map(|cell| cell.bytes)
    };
    let before = sealed(stage.store.cells()).expect("a key is connected");
    assert!(before.len() > ROTATED.len());

    let answer = client.put("/api/settings", r#"{"klaviyo":null}"#);

    assert_eq!(answer.json(200)["klaviyo"]["status"], "NOT_CONNECTED");
    assert_eq!(sealed(stage.store.cells()), None);
    for (name, bytes) in stage.store.files() {
        let is_left = bytes.windows(before.len()).any(|part| part == before);
        assert!(!is_left, "the sealed key is left in {name}");
    }
    assert_eq!(ended(client, &run)["error"]["code"], "cancelled");
}

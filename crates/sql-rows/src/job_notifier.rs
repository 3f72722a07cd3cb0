//! Job notifications: who gets them, and what is in them.

use fanfare_domain::work::WorkItem;
use serde::Serialize;

use crate::columns::json;

/// The queue in apalis whose jobs tell workers of due work. A job's payload is
/// `{"organizationId":"…","kind":"…","id":"…"}`.
pub const QUEUE: &str = "klaviyo/work";

/// Who is notified of due work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JobNotifier {
    /// apalis's workers on the same database. Its tables must be there.
    Apalis,
    /// No worker: the program that embeds the store looks for due work itself.
    None,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Payload<'a> {
    organization_id: &'a str,
    kind: &'a str,
    id: &'a str,
}

/// The payload of the job for this work, as JSON.
pub fn job_payload(work: &WorkItem) -> String {
    json(&Payload {
        organization_id: work.organization.as_str(),
        kind: work.key.kind.as_str(),
        id: work.key.id.as_str(),
    })
}

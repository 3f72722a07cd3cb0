//! Import jobs.

use serde_json::{Map, Value, json};

use crate::instant;
use crate::query::Fields;
use crate::state::Job;

/// An import job as a resource.
pub(crate) fn import_job(id: &str, job: &Job, fields: &Fields, base: &str) -> Value {
    let all = [
        ("status", json!(job.state)),
        ("created_at", json!(instant::show(job.created))),
        ("total_count", json!(job.rows.len())),
        ("completed_count", json!(job.completed)),
        ("failed_count", json!(job.errors.len())),
        ("completed_at", Value::Null),
        ("expires_at", json!(instant::show(job.created + 7 * 86_400))),
        ("started_at", Value::Null),
    ];
    let mut attributes = Map::new();
    for (name, value) in all {
        if fields.has(name) {
            attributes.insert(name.to_owned(), value);
        }
    }
    let own = format!("{base}/api/profile-bulk-import-jobs/{id}/");
    json!({
        "type": "profile-bulk-import-job",
        "id": id,
        "attributes": attributes,
        "relationships": {
            "lists": {"data": [], "links": {"related": format!("{own}lists/")}},
            "profiles": {"links": {"related": format!("{own}profiles/")}},
            "import-errors": {"links": {"related": format!("{own}import-errors/")}},
        },
        "links": {"self": own},
    })
}

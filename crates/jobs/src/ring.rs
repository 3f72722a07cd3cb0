//! What a job holds.

use fanfare_domain::ids::{OrganizationId, RunId};
use fanfare_domain::ports::DueRun;
use serde::{Deserialize, Serialize};

/// A job's payload, `{"organizationId":"…","runId":"…"}`: which run may be due. Nothing else, so that
/// a queue can be looked into without meeting a key or a person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Ring {
    organization_id: String,
    run_id: String,
}

impl Ring {
    /// The run it is for; `None` if these cannot be ids.
    pub fn due(self) -> Option<DueRun> {
        Some(DueRun {
            organization: OrganizationId::parse(self.organization_id).ok()?,
            run: RunId::parse(self.run_id).ok()?,
        })
    }
}

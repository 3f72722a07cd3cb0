//! What a job holds.

use fanfare_domain::ids::{OrganizationId, RunId};
use fanfare_domain::ports::DueRun;
use serde::Deserialize;

/// A job's payload, `{"organizationId":"…","runId":"…"}`: which run may be due. Nothing else, so that
/// a queue can be looked into without meeting a key or a person.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Ring {
    organization_id: String,
    run_id: String,
}

/// The run that a payload names; `None` if it is not one of ours. Why it is not stays unsaid: the
/// reason would quote what somebody put there.
pub(crate) fn due_run(payload: &[u8]) -> Option<DueRun> {
    let ring: Ring = serde_json::from_slice(payload).ok()?;
    Some(DueRun {
        organization: OrganizationId::parse(ring.organization_id).ok()?,
        run: RunId::parse(ring.run_id).ok()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_payload_is_two_ids_and_nothing_else() {
        let due = due_run(br#"{"organizationId":"org_1","runId":"run_2"}"#).unwrap();
        assert_eq!(due.organization.as_str(), "org_1");
        assert_eq!(due.run.as_str(), "run_2");

        for foreign in [
            "",
            "null",
            r#"["org_1","run_2"]x"#,
            r#"{"organizationId":"org_1"}"#,
            r#"{"organizationId":"org_1","runId":2}"#,
            r#"{"organizationId":"","runId":"run_2"}"#,
            r#"{"organizationId":"org_1","runId":"run_2","email":"a@b.example"}"#,
        ] {
            assert_eq!(due_run(foreign.as_bytes()), None, "{foreign}");
        }
        assert_eq!(due_run(b"\xff\xfe{"), None);
    }
}

//! The payload of a job.

use fanfare_domain::ids::{OrganizationId, WorkId};
use fanfare_domain::work::{WorkItem, WorkKey, WorkKind};
use serde::Deserialize;

/// A job's payload, `{"organizationId":"…","kind":"…","id":"…"}`: which work may be due. It holds nothing
/// else, so that an operator who reads the queue sees no key and no personal data.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Payload {
    organization_id: String,
    kind: String,
    id: String,
}

/// The work that a payload names; `None` if this program did not write the payload. The reason is not returned,
/// because it would quote the payload.
pub(crate) fn work_item(payload: &[u8]) -> Option<WorkItem> {
    let payload: Payload = serde_json::from_slice(payload).ok()?;
    Some(WorkItem {
        organization: OrganizationId::parse(payload.organization_id).ok()?,
        key: WorkKey {
            kind: WorkKind::parse(&payload.kind)?,
            id: WorkId::parse(payload.id).ok()?,
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_payload_is_an_organization_a_kind_and_an_id_and_nothing_else() {
        let work = work_item(br#"{"organizationId":"org_1","kind":"PULL","id":"run_2"}"#).unwrap();
        assert_eq!(work.organization.as_str(), "org_1");
        assert_eq!(work.key.kind, WorkKind::Pull);
        assert_eq!(work.key.id.as_str(), "run_2");

        for foreign in [
            "",
            "null",
            r#"["org_1","PULL","run_2"]x"#,
            r#"{"organizationId":"org_1"}"#,
            r#"{"organizationId":"org_1","runId":"run_2"}"#,
            r#"{"organizationId":"org_1","kind":"PULL","id":2}"#,
            r#"{"organizationId":"org_1","kind":"UNKNOWN","id":"run_2"}"#,
            r#"{"organizationId":"","kind":"PULL","id":"run_2"}"#,
            r#"{"organizationId":"org_1","kind":"PULL","id":"run_2","email":"a@b.example"}"#,
        ] {
            assert_eq!(work_item(foreign.as_bytes()), None, "{foreign}");
        }
        assert_eq!(work_item(b"\xff\xfe{"), None);
    }
}

//! The history of an audience.

use deserr::Deserr;
use fanfare_domain::history;
use fanfare_domain::history::MAX_SNAPSHOT_NAME_CHARS;
use fanfare_domain::ids::AudienceId;
use fanfare_domain::time::Timestamp;
use serde::Serialize;
use utoipa::{IntoParams, ToSchema};

use super::words::ChangeKind;
use super::{SearchText, Time};
use crate::decode::{DecodeError, InBody, InQuery, InSecret, Request, Text};

/// Which members are asked for, and of when.
#[derive(Deserr, IntoParams)]
#[deserr(error = DecodeError<InQuery>, deny_unknown_fields, rename_all = camelCase)]
#[into_params(parameter_in = Query, rename_all = "camelCase")]
pub(crate) struct MembersQuery {
    /// Part of an e-mail, phone number or name
    #[deserr(default, error = DecodeError<InSecret>)]
    #[param(value_type = Option<String>, min_length = 2, max_length = 255)]
    pub(crate) search: Option<SearchText>,
    /// Who was a member then; not in the future, and not before the history that is kept
    #[deserr(default)]
    #[param(value_type = Option<Time>)]
    pub(crate) as_of: Option<Timestamp>,
}

impl Request for MembersQuery {}

/// Which changes are asked for.
#[derive(Deserr, IntoParams)]
#[deserr(error = DecodeError<InQuery>, deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ChangesQuery {
    /// Changes at this time or later; left out, all that are kept
    #[deserr(default)]
    #[param(value_type = Option<Time>)]
    pub(crate) since: Option<Timestamp>,
    /// Changes before this time
    #[deserr(default)]
    #[param(value_type = Option<Time>)]
    pub(crate) until: Option<Timestamp>,
}

impl Request for ChangesQuery {}

/// Which times are compared.
#[derive(Deserr, IntoParams)]
#[deserr(error = DecodeError<InQuery>, deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct DifferenceQuery {
    /// The first time
    #[param(value_type = Time)]
    pub(crate) from: Timestamp,
    /// The second time
    #[param(value_type = Time)]
    pub(crate) to: Timestamp,
}

impl Request for DifferenceQuery {}

/// Somebody joined or left an audience.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Change {
    #[serde(rename = "type")]
    kind: ChangeKind,
    #[schema(example = "cons_01KB1Q3ZQ6V2N8P4R5S7T9W0XY")]
    consumer_id: String,
    at: Time,
    /// The run that did it; null if it was done by hand.
    run_id: Option<String>,
}

impl From<history::Change> for Change {
    fn from(change: history::Change) -> Self {
        Self {
            kind: change.kind.into(),
            consumer_id: change.consumer.to_string(),
            at: Time(change.at),
            run_id: change.run.map(|run| run.to_string()),
        }
    }
}

/// How the members of two times differ.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Difference {
    audience_id: String,
    from: Time,
    to: Time,
    members_at_from: u64,
    members_at_to: u64,
    /// Members at `to` who were none at `from`.
    joined: u64,
    /// Members at `from` who were none at `to`.
    left: u64,
}

impl Difference {
    pub(crate) fn of(
        audience: &AudienceId,
        (from, to): (Timestamp, Timestamp),
        difference: history::Difference,
    ) -> Self {
        Self {
            audience_id: audience.to_string(),
            from: Time(from),
            to: Time(to),
            members_at_from: difference.members_at_from,
            members_at_to: difference.members_at_to,
            joined: difference.joined,
            left: difference.left,
        }
    }
}

/// The snapshot to take.
#[derive(Deserr, ToSchema)]
#[deserr(error = DecodeError<InBody>, deny_unknown_fields)]
#[schema(as = SnapshotCreate)]
pub(crate) struct SnapshotBody {
    #[schema(value_type = String, min_length = 1, max_length = 255)]
    pub(crate) name: Text<1, MAX_SNAPSHOT_NAME_CHARS>,
}

impl Request for SnapshotBody {}

/// A moment of an audience, kept by name.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Snapshot {
    #[schema(example = "snap_01KB1Q3ZQ6V2N8P4R5S7T9W0XY")]
    id: String,
    name: String,
    at: Time,
    /// How many members there were, as it was taken.
    members: u64,
}

impl From<history::Snapshot> for Snapshot {
    fn from(snapshot: history::Snapshot) -> Self {
        Self {
            id: snapshot.id.to_string(),
            name: snapshot.name,
            at: Time(snapshot.at),
            members: snapshot.members,
        }
    }
}

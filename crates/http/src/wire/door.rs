//! Checks at the door.

use deserr::Deserr;
use fanfare_domain::door::{Asked, MOST_ASKED};
use fanfare_domain::ids::{AudienceId, ConsumerId};
use fanfare_sync as sync;
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::Time;
use crate::decode::{DecodeError, InBody, InSecret, OneTo, Request};
use crate::error::{Key, Violation};

/// Whom to check: exactly one of the two.
#[derive(Deserr, ToSchema)]
#[deserr(error = DecodeError<InBody>, deny_unknown_fields, rename_all = camelCase)]
#[schema(as = AudienceCheckRequest, rename_all = "camelCase")]
pub(crate) struct CheckBody {
    /// 1 to 100 e-mails. One that is no address is no member.
    #[deserr(default, error = DecodeError<InSecret>)]
    #[schema(value_type = Vec<String>, required = false, min_items = 1, max_items = 100, example = json!(["ada@example.com"]))]
    emails: Option<OneTo<String, MOST_ASKED>>,
    /// 1 to 100 ids of consumers. One that is not known is no member.
    #[deserr(default, error = DecodeError<InSecret>)]
    #[schema(value_type = Vec<String>, required = false, min_items = 1, max_items = 100)]
    consumer_ids: Option<OneTo<String, MOST_ASKED>>,
}

impl Request for CheckBody {
    fn check_together(sent: &mut Map<String, Value>) -> Vec<Violation> {
        let is_there = |name: &str| sent.get(name).is_some_and(|value| !value.is_null());
        let (field, received) = match (is_there("emails"), is_there("consumerIds")) {
            (true, true) => ("consumerIds", "Array"),
            (false, false) => ("emails", "undefined"),
            _ => return Vec::new(),
        };
        vec![Violation::new(
            vec![Key::Name(field.to_owned())],
            "check",
            "emails or consumerIds",
            received,
            "give exactly one of emails and consumerIds",
        )]
    }
}

impl CheckBody {
    /// Whom the request asks for.
    pub(crate) fn into_asked(self) -> Asked {
        match (self.emails, self.consumer_ids) {
            (Some(emails), _) => Asked::Emails(emails.0),
            (None, ids) => Asked::Consumers(ids.map(|ids| ids.0).unwrap_or_default()),
        }
    }
}

/// Who of the people asked for is a member.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = AudienceCheck)]
pub(crate) struct Check {
    audience_id: String,
    /// When a sync last succeeded; null if none has.
    as_of: Option<Time>,
    /// Whether the members may be behind Klaviyo: never synced, the latest run failed, or a refresh is overdue.
    stale: bool,
    /// In the order asked.
    results: Vec<CheckResult>,
}

/// The answer for one of them.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = AudienceCheckResult)]
pub(crate) struct CheckResult {
    /// The e-mail as it was asked for; null where ids were.
    email: Option<String>,
    is_member: bool,
    /// Where e-mails were asked for, the member's id, or null; else the id as it was asked for.
    consumer_id: Option<String>,
}

impl Check {
    pub(crate) fn of(audience: &AudienceId, asked: Asked, checked: sync::Check) -> Self {
        let members = checked.members.into_iter();
        let results = match asked {
            Asked::Emails(emails) => {
                let result = |(email, member): (String, Option<ConsumerId>)| CheckResult {
                    email: Some(email),
                    is_member: member.is_some(),
                    consumer_id: member.map(|id| id.to_string()),
                };
                emails.into_iter().zip(members).map(result).collect()
            }
            Asked::Consumers(ids) => {
                let result = |(id, member): (String, Option<ConsumerId>)| CheckResult {
                    email: None,
                    is_member: member.is_some(),
                    consumer_id: Some(id),
                };
                ids.into_iter().zip(members).map(result).collect()
            }
        };
        Self {
            audience_id: audience.to_string(),
            as_of: Time::maybe(checked.as_of),
            stale: checked.is_stale,
            results,
        }
    }
}

/// Whether a consumer is a member of an audience.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = AudienceMembership)]
pub(crate) struct Membership {
    is_member: bool,
    /// Always empty: the members come from Klaviyo.
    #[schema(value_type = Vec<Object>)]
    matched_rules: [(); 0],
}

impl Membership {
    pub(crate) const fn of(is_member: bool) -> Self {
        Self {
            is_member,
            matched_rules: [],
        }
    }
}

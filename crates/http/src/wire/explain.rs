//! Why somebody is, or is not, a member.

use deserr::Deserr;
use fanfare_domain::explain::{Live, LiveMember, ProfileFacts, Reason, ReasonCode};
use fanfare_domain::ids::{AudienceId, ConsumerId, ProfileId};
use fanfare_domain::value::Email;
use fanfare_sync::{Entity, Error, Explanation as Explained, Whom};
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::{IntoParams, ToSchema};

use super::Time;
use super::words::ReasonCode as Code;
use crate::decode::{DecodeError, InQuery, InSecret, Request, parsed};
use crate::error::{Key, Violation};

/// Whom to explain, by exactly one of the first three.
#[derive(Deserr, IntoParams)]
#[deserr(error = DecodeError<InQuery>, deny_unknown_fields, rename_all = camelCase)]
#[into_params(parameter_in = Query, rename_all = "camelCase")]
pub(crate) struct ExplainQuery {
    /// An e-mail
    #[deserr(default, error = DecodeError<InSecret>)]
    #[param(value_type = Option<String>)]
    email: Option<AskedEmail>,
    /// The id of a consumer
    #[deserr(default, error = DecodeError<InSecret>)]
    #[param(value_type = Option<String>)]
    consumer_id: Option<String>,
    /// Klaviyo's id of a profile
    #[deserr(default, error = DecodeError<InSecret>)]
    #[param(value_type = Option<String>)]
    profile_id: Option<ProfileId>,
    /// `true` to ask Klaviyo, too
    #[deserr(default)]
    #[param(value_type = Option<bool>)]
    live: Flag,
}

/// A text that may be an e-mail; a `+` may have been lost on the way.
struct AskedEmail(Option<Email>);

/// `true` or `false`.
#[derive(Default)]
struct Flag(bool);

/// The parameters of which exactly one is given.
const SELECTORS: [&str; 3] = ["email", "consumerId", "profileId"];

impl Request for ExplainQuery {
    fn check_together(sent: &mut Map<String, Value>) -> Vec<Violation> {
        let mut given = SELECTORS.iter().filter(|name| sent.contains_key(**name));
        let field = match (given.next(), given.next()) {
            (Some(_), None) => return Vec::new(),
            (None, _) => SELECTORS[0],
            (Some(_), Some(second)) => second,
        };
        vec![Violation::new(
            vec![Key::Name(field.to_owned())],
            "check",
            "one of email, consumerId and profileId",
            if sent.contains_key(field) {
                "string"
            } else {
                "undefined"
            },
            "give exactly one of email, consumerId and profileId",
        )]
    }
}

impl ExplainQuery {
    /// Whom the request asks about, and whether Klaviyo is asked. An id that cannot be one was never given.
    pub(crate) fn into_whom(self) -> Result<(Whom, bool), Error> {
        let whom = match (self.email, self.profile_id, self.consumer_id) {
            (Some(email), ..) => Whom::Email(email.0),
            (None, Some(profile), _) => Whom::Profile(profile),
            (None, None, id) => {
                let id = ConsumerId::parse(id.unwrap_or_default());
                Whom::Consumer(id.map_err(|_| Error::NotFound(Entity::Consumer))?)
            }
        };
        Ok((whom, self.live.0))
    }
}

parsed! {
    AskedEmail: "email", "e-mail", |text: &str| {
        // A blank within an address can only be a `+` that was not escaped.
        let email = Email::parse(&text.trim().replace(' ', "+"));
        if text.trim().is_empty() { Err("must not be blank") } else { Ok(Self(email.ok())) }
    };
    Flag: "boolean", "true | false", |text: &str| match text {
        "true" => Ok(Self(true)),
        "false" => Ok(Self(false)),
        _ => Err("must be true or false"),
    };
}

/// Why somebody is, or is not, a member.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = AudienceExplanation)]
pub(crate) struct Explanation {
    audience_id: String,
    is_member: bool,
    /// Null if nobody is known by what was asked.
    consumer_id: Option<String>,
    /// When a sync last succeeded; null if none has.
    as_of: Option<Time>,
    profiles: Vec<ExplainedProfile>,
    /// The strongest first.
    reasons: Vec<ExplainedReason>,
    /// Null unless Klaviyo was asked, and answered.
    live: Option<LiveAnswer>,
}

/// A profile of the person.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ExplainedProfile {
    profile_id: String,
    /// Whether it is in the list: as Klaviyo says, or else as the last complete pass saw; null if that is not known.
    in_list: Option<bool>,
    /// When it joined, if Klaviyo was asked.
    joined_at: Option<Time>,
    /// The last time at which a sync is known to have read it, in this list or in another.
    last_seen_at: Option<Time>,
}

/// A reason.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ExplainedReason {
    code: Code,
    /// What it means, and what to do.
    message: String,
    profile_id: Option<String>,
    run_id: Option<String>,
    at: Option<Time>,
}

/// What Klaviyo says now.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = ExplainedLive)]
pub(crate) struct LiveAnswer {
    in_list: bool,
    /// The profile that is in the list.
    profile_id: Option<String>,
    joined_at: Option<Time>,
}

impl Explanation {
    pub(crate) fn of(audience: &AudienceId, explained: Explained) -> Self {
        Self {
            audience_id: audience.to_string(),
            is_member: explained.is_member,
            consumer_id: explained.consumer.map(|id| id.to_string()),
            as_of: Time::maybe(explained.as_of),
            profiles: explained.profiles.into_iter().map(Into::into).collect(),
            reasons: explained.reasons.into_iter().map(Into::into).collect(),
            live: match explained.live {
                Live::Members(members) => Some(members.into_iter().next().into()),
                Live::NotAsked | Live::Unavailable => None,
            },
        }
    }
}

impl From<ProfileFacts> for ExplainedProfile {
    fn from(facts: ProfileFacts) -> Self {
        Self {
            profile_id: facts.profile.to_string(),
            in_list: facts.in_list,
            joined_at: Time::maybe(facts.joined_at),
            last_seen_at: Time::maybe(facts.last_seen_at),
        }
    }
}

impl From<Reason> for ExplainedReason {
    fn from(reason: Reason) -> Self {
        let code: ReasonCode = reason.code;
        Self {
            code: code.into(),
            message: reason.message,
            profile_id: reason.profile.map(|id| id.to_string()),
            run_id: reason.run.map(|id| id.to_string()),
            at: Time::maybe(reason.at),
        }
    }
}

impl From<Option<LiveMember>> for LiveAnswer {
    fn from(member: Option<LiveMember>) -> Self {
        let joined_at = member.as_ref().and_then(|member| member.joined_at);
        Self {
            in_list: member.is_some(),
            profile_id: member.map(|member| member.profile.to_string()),
            joined_at: Time::maybe(joined_at),
        }
    }
}

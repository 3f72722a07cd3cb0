//! The Klaviyo list that an audience is kept in, and pushes into it.

use deserr::Deserr;
use fanfare_domain::audience::MAX_NAME_CHARS;
use fanfare_domain::ids::{AudienceId, CollectionId, RunId};
use fanfare_domain::push::{KeptList, MustConfirm, PREVIEW_LASTS};
use fanfare_domain::writing::Flow;
use fanfare_sync::{ListChoice, PushPreview};
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::Time;
use crate::decode::{DecodeError, InBody, Request, Text};
use crate::error::{Key, Violation};

/// The list to keep an audience in: one that there is, or a new one.
#[derive(Deserr, ToSchema)]
#[deserr(error = DecodeError<InBody>, deny_unknown_fields, rename_all = camelCase)]
#[schema(as = KlaviyoListChoice, rename_all = "camelCase")]
pub(crate) struct ListChoiceBody {
    /// Klaviyo's id of a list that there is.
    #[deserr(default)]
    #[schema(value_type = String, required = false, nullable = false, example = "RtPqXs")]
    list_id: Option<CollectionId>,
    /// A list to be made in Klaviyo, with the account's own opt-in process.
    #[deserr(default)]
    #[schema(value_type = NewListBody, required = false, nullable = false)]
    create: Option<NewListBody>,
}

/// A list to be made.
#[derive(Deserr, ToSchema)]
#[deserr(error = DecodeError<InBody>, deny_unknown_fields)]
#[schema(as = KlaviyoListCreation)]
pub(crate) struct NewListBody {
    #[schema(value_type = String, min_length = 1, max_length = 255)]
    name: Text<1, MAX_NAME_CHARS>,
}

impl Request for ListChoiceBody {
    fn check_together(sent: &mut Map<String, Value>) -> Vec<Violation> {
        let is_there = |name: &str| sent.get(name).is_some_and(|value| !value.is_null());
        let (field, received) = match (is_there("listId"), is_there("create")) {
            (true, true) => ("create", "Object"),
            (false, false) => ("listId", "undefined"),
            _ => return Vec::new(),
        };
        vec![Violation::new(
            vec![Key::Name(field.to_owned())],
            "check",
            "listId or create",
            received,
            "give exactly one of listId and create, or null as the whole body",
        )]
    }
}

/// What a body chooses.
pub(crate) fn choice_of(body: Option<ListChoiceBody>) -> ListChoice {
    match body {
        None => ListChoice::None,
        Some(ListChoiceBody {
            list_id: Some(list),
            ..
        }) => ListChoice::Existing(list),
        Some(ListChoiceBody { create, .. }) => {
            create.map_or(ListChoice::None, |new| ListChoice::New(new.name.into()))
        }
    }
}

/// The list that an audience is kept in.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = AudienceKlaviyoList)]
pub(crate) struct KeptListAnswer {
    audience_id: String,
    /// Null if it is kept in none.
    klaviyo_list: Option<KlaviyoListState>,
}

/// A list that an audience is kept in, and how far that is.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct KlaviyoListState {
    #[schema(example = "RtPqXs")]
    list_id: String,
    /// Its name when it was chosen.
    name: Option<String>,
    chosen_at: Time,
    chosen_by: String,
    /// Whether changes of the audience are pushed by themselves now.
    following: bool,
    /// What has to be confirmed before changes are followed again.
    waits_for: Option<WaitsFor>,
    /// When a push last ended.
    last_pushed_at: Option<Time>,
    /// When the reading of all members that was last completed began: it finds whom somebody took off by hand.
    last_scanned_at: Option<Time>,
}

/// Why a push needs a confirmation.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PushConfirmationReason)]
pub(crate) struct WaitsFor {
    #[schema(example = "first_push")]
    code: &'static str,
    message: String,
}

impl From<MustConfirm> for WaitsFor {
    fn from(why: MustConfirm) -> Self {
        Self {
            code: why.as_str(),
            message: message_of(why),
        }
    }
}

/// The reason in words.
pub(crate) fn message_of(why: MustConfirm) -> String {
    match why {
        MustConfirm::First => "It is the first push into this list.".to_owned(),
        MustConfirm::TooMany => {
            "It would change more people than the connection's pushLimit.".to_owned()
        }
        MustConfirm::Mails(people) => {
            format!("Live flows start when somebody joins the list: {people} people may be mailed.")
        }
        MustConfirm::FlowsUnknown => {
            "The key may not read flows (flows:read), so nobody knows whom they would mail."
                .to_owned()
        }
    }
}

impl From<KeptList> for KlaviyoListState {
    fn from(kept: KeptList) -> Self {
        Self {
            following: kept.is_followed(),
            list_id: kept.list.to_string(),
            name: kept.name,
            chosen_at: Time(kept.chosen_at),
            chosen_by: kept.chosen_by,
            waits_for: kept.waits_for.map(WaitsFor::from),
            last_pushed_at: Time::maybe(kept.last_pushed_at),
            last_scanned_at: Time::maybe(kept.last_scanned_at),
        }
    }
}

impl KeptListAnswer {
    /// The answer for an audience.
    pub(crate) fn of(audience: &AudienceId, kept: Option<KeptList>) -> Self {
        Self {
            audience_id: audience.to_string(),
            klaviyo_list: kept.map(KlaviyoListState::from),
        }
    }
}

/// What a push would do.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = PushPreview)]
pub(crate) struct PreviewAnswer {
    audience_id: String,
    list_id: String,
    /// Whom it would add, the suppressed included.
    adds: u64,
    /// Whom it would remove. Only people whom Fanfare added are ever removed.
    removes: u64,
    /// Members of the audience of whom Klaviyo knows no profile, and gets none. They are not added.
    unknown_in_klaviyo: u64,
    /// For how many of `adds` Klaviyo gets a profile, because it knows none (`klaviyo.contacts.createProfiles`).
    new_profiles: u64,
    /// Whom of `adds` Klaviyo does not mail.
    suppressed: u64,
    /// Whether the numbers are exact. Of long lists `adds` is at most so many, and `suppressed` was counted among 2,000 of them.
    exact: bool,
    /// The flows that joining the list starts; null if the key may not read them.
    flows: Option<Vec<PreviewedFlow>>,
    /// Why the push needs a confirmation; null if it needs none.
    must_confirm: Option<WaitsFor>,
    /// What to send with the push to confirm this preview.
    confirmation: String,
    /// Until when it may be confirmed.
    confirmation_expires_at: Time,
}

/// A flow that joining the list starts.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = PushPreviewFlow)]
struct PreviewedFlow {
    id: String,
    name: Option<String>,
    /// Klaviyo's word: `live`, `manual`, `draft`.
    status: String,
    trigger_type: Option<String>,
    archived: bool,
    /// Whether people may be mailed because of it.
    mails: bool,
}

impl From<Flow> for PreviewedFlow {
    fn from(flow: Flow) -> Self {
        Self {
            mails: flow.may_mail(),
            status: flow.status.as_str().to_owned(),
            id: flow.id,
            name: flow.name,
            trigger_type: flow.trigger_type,
            archived: flow.archived,
        }
    }
}

impl From<PushPreview> for PreviewAnswer {
    fn from(shown: PushPreview) -> Self {
        let expires_at = shown.confirmation.shown_at.plus(PREVIEW_LASTS);
        let preview = shown.confirmation.preview;
        let flows = preview.flows;
        Self {
            audience_id: preview.audience.to_string(),
            list_id: preview.list.to_string(),
            adds: preview.adds,
            removes: preview.removes,
            unknown_in_klaviyo: preview.unknown,
            new_profiles: preview.new_profiles,
            suppressed: preview.suppressed,
            exact: shown.is_exact,
            flows: flows.map(|flows| flows.into_iter().map(PreviewedFlow::from).collect()),
            must_confirm: shown.must_confirm.map(WaitsFor::from),
            confirmation: shown.confirmation.text,
            confirmation_expires_at: Time(expires_at),
        }
    }
}

/// A push to be started.
#[derive(Deserr, ToSchema)]
#[deserr(error = DecodeError<InBody>, deny_unknown_fields)]
#[schema(as = PushRequest)]
pub(crate) struct PushBody {
    /// The confirmation of a preview that is younger than 15 minutes. A push that needs none may leave it out.
    #[deserr(default)]
    #[schema(value_type = Option<String>, max_length = 255)]
    pub(crate) confirmation: Option<Text<0, 255>>,
}

impl Request for PushBody {}

/// A push that was started.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = StartedPush)]
pub(crate) struct StartedPush {
    run_id: String,
}

impl From<RunId> for StartedPush {
    fn from(run: RunId) -> Self {
        Self {
            run_id: run.to_string(),
        }
    }
}

//! The answer to each error of a use case.

use std::time::Duration;

use fanfare_domain::history::MAX_SNAPSHOTS;
use fanfare_domain::ports::StoreError;
use fanfare_domain::push::ConfirmationRefused;
use fanfare_sync::{Error, FieldViolation, NotConfirmed};

use super::ApiError;
use super::{Key, Violation};
use crate::wire::message_of;

impl From<Error> for ApiError {
    fn from(error: Error) -> Self {
        match error {
            Error::NotFound(entity) => {
                let code = entity.to_string().to_uppercase().replace(' ', "_");
                Self::new(404, format!("{entity} not found"),
                    format!("{code}_NOT_FOUND"),
                )
            }
            Error::Invalid(violations) => {
                Self::invalid(&violations.into_iter().map(Violation::from).collect())
            }
            Error::KeyNotFound
            | Error::KeyRejected
            | Error::ScopeMissing(_)
            | Error::AccountDiffers { .. }
            | Error::KlaviyoUnreachable(_)
            | Error::EndlessCollections { .. }
            | Error::KlaviyoThrottled(_) => of_klaviyo(error),
            Error::SyncInProgress
            | Error::NoSyncSource
            | Error::NotSynced
            | Error::Synced
            | Error::Archived
            | Error::TooManySnapshots
            | Error::NoKeptList
            | Error::ListTaken(_)
            | Error::CircularSync(_)
            | Error::ConfirmationRequired(_) => of_audiences(error),
            Error::RunFinished => Self::new(409, "Sync run already finished",
                "SYNC_RUN_FINISHED",
            ),
            Error::SignatureInvalid
            | Error::NoEnvelope(_)
            | Error::NoWebhookSecret
            | Error::IntakeBusy
            | Error::EmailExists
            | Error::PersonErased
            | Error::NotInList
            | Error::NotRetriable => of_events(error),
            Error::Store(StoreError::Unavailable(_)) => Self::unavailable().with_cause(error),
            Error::Store(StoreError::TooManySearches) => Self::new(429, "Too many searches",
                "TOO_MANY_SEARCHES",
            )
            .with_message("The organization has as many searches under way as it may have. Try again in a moment.")
            .with_retry_after(Duration::from_secs(1)),
            Error::Store(StoreError::SearchTooLong) => Self::new(503, "Search took too long",
                "SEARCH_TOO_LONG",
            )
            .with_message("The search did not end within two seconds. Search for a longer text, or try again in a minute.")
            .with_retry_after(Duration::from_mins(1)),
            Error::Seal(_) => Self::new(500, "Klaviyo API key cannot be read",
                "KLAVIYO_KEY_UNREADABLE",
            )
            .with_message(
                "The stored Klaviyo API key does not open with this service's master key. Connect \
                 Klaviyo again with PUT /api/settings, or restore the master key.",
            )
            .with_cause(error),
            Error::ErasureKey(_) => Self::new(500, "Key of erasures cannot be read",
                "ERASURE_KEY_UNREADABLE",
            )
            .with_message(
                "The key by which erased people are recognized does not open with this service's master key. Restore \
                 the master key that sealed it (FANFARE_MASTER_KEY_PREVIOUS).",
            )
            .with_cause(error),
            Error::Store(_) | Error::Transition(_) => Self::internal(error),
        }
    }
}

/// The errors of the connection to Klaviyo.
fn of_klaviyo(error: Error) -> ApiError {
    match error {
        Error::KeyNotFound => ApiError::new(400, KEY_NOT_FOUND,
            "KLAVIYO_KEY_NOT_FOUND",
        )
        .with_message("No Klaviyo API key is stored. Connect Klaviyo with PUT /api/settings."),
        Error::KeyRejected => ApiError::new(400, KEY_NOT_FOUND,
            "KLAVIYO_KEY_REJECTED",
        )
        .with_message(
            "Klaviyo does not take this API key. Make a private key in Klaviyo under Settings, \
             API keys, and connect it with PUT /api/settings.",
        ),
        Error::ScopeMissing(scopes) => ApiError::new(400, "Klaviyo scope missing",
            "KLAVIYO_SCOPE_MISSING",
        )
        .with_message(missing(&scopes)),
        Error::AccountDiffers { connected, offered } => ApiError::new(409, "Klaviyo account differs",
            "KLAVIYO_ACCOUNT_DIFFERS",
        )
        .with_message(format!(
            "The key is of the Klaviyo account {offered}, but {connected} is connected. \
             Send \"confirmAccountChange\":true beside apiKey to change to it."
        )),
        Error::KlaviyoUnreachable(_) => ApiError::new(502, "Klaviyo is unreachable",
            "KLAVIYO_UNREACHABLE",
        )
        .with_message("Klaviyo gave no usable answer. Try again later.")
        .with_cause(error),
        Error::EndlessCollections { .. } => ApiError::new(502, "Klaviyo is unreachable",
            "KLAVIYO_UNREACHABLE",
        )
        .with_message(format!("{error}. Try again later, and tell support if it happens again.")),
        Error::KlaviyoThrottled(wait) => ApiError::new(503, "Klaviyo is busy",
            "KLAVIYO_THROTTLED",
        )
        .with_message(
            "The quota that Klaviyo grants the account is used up for the moment, or Klaviyo asks to wait.",
        )
        .with_retry_after(wait),
        other => ApiError::internal(other),
    }
}

/// The errors of audiences, of their syncs and of the Klaviyo lists that they are kept in.
fn of_audiences(error: Error) -> ApiError {
    match error {
        Error::SyncInProgress => ApiError::new(409, "Sync already in progress",
            "SYNC_IN_PROGRESS",
        ),
        Error::NoSyncSource => ApiError::new(400, "Audience has no sync source",
            "NO_SYNC_SOURCE",
        ),
        Error::NotSynced => ApiError::new(400, "Audience is not a synced list",
            "AUDIENCE_NOT_SYNCED",
        )
        .with_message("It is filled by hand, with POST and DELETE /api/audiences/{id}/members."),
        Error::Synced => ApiError::new(400, "Audience is a synced list",
            "AUDIENCE_IS_SYNCED",
        )
        .with_message("Its members are those of its Klaviyo list or segment. Change them there."),
        Error::Archived => ApiError::new(409, "Audience is archived",
            "AUDIENCE_ARCHIVED",
        ),
        Error::TooManySnapshots => ApiError::new(409, "Too many snapshots",
            "TOO_MANY_SNAPSHOTS",
        )
        .with_message(format!(
            "The audience has {MAX_SNAPSHOTS} snapshots, and can have no more. Delete one that is not needed."
        )),
        Error::NoKeptList => ApiError::new(400, "Audience has no Klaviyo list", "NO_KLAVIYO_LIST")
            .with_message("Choose one with PUT /api/audiences/{id}/klaviyo-list."),
        Error::ListTaken(audience) => {
            ApiError::new(409, "Klaviyo list is taken", "KLAVIYO_LIST_TAKEN").with_message(format!(
                "The audience {audience} is kept in this list. A list keeps one audience."
            ))
        }
        Error::CircularSync(chain) => ApiError::new(409, "Circular sync", "CIRCULAR_SYNC")
            .with_message(format!(
                "The list feeds the audience that it would keep: {}. Choose another list.",
                chain.join(" → ")
            )),
        Error::ConfirmationRequired(why) => {
            ApiError::new(409, "Confirmation required", "CONFIRMATION_REQUIRED")
                .with_message(not_confirmed(why))
        }
        other => ApiError::internal(other),
    }
}

fn not_confirmed(why: NotConfirmed) -> String {
    let what = match why {
        NotConfirmed::Missing(why) => message_of(why),
        NotConfirmed::Refused(ConfirmationRefused::Unknown) => {
            "The confirmation is of no preview of this audience and list.".to_owned()
        }
        NotConfirmed::Refused(ConfirmationRefused::Old) => {
            "The preview that was confirmed is older than 15 minutes.".to_owned()
        }
        NotConfirmed::Refused(ConfirmationRefused::More) => {
            "The push would do more now than the preview has shown.".to_owned()
        }
    };
    format!(
        "{what} Look at GET /api/audiences/{{id}}/klaviyo-list/preview, and send its confirmation."
    )
}

/// The errors of webhooks, deliveries and consumers.
fn of_events(error: Error) -> ApiError {
    match error {
        Error::SignatureInvalid => ApiError::new(401, "Invalid signature",
            "INVALID_SIGNATURE",
        )
        .with_message(
            "The webhook is not signed by a secret of this organization's, or was not signed within the last five \
             minutes.",
        ),
        Error::NoEnvelope(fault) => ApiError::invalid(
            &Violation::new(Vec::new(), "envelope", "Fanfare's envelope", "unknown", fault.to_string()).into(),
        ),
        Error::NoWebhookSecret => ApiError::new(409, "No webhook secret",
            "NO_WEBHOOK_SECRET",
        )
        .with_message("Make one with POST /api/settings/fanfare-webhook."),
        Error::IntakeBusy => ApiError::unavailable()
            .with_message("Too many webhooks of this organization wait to be written. Send it again."),
        Error::EmailExists => ApiError::new(409, "Email already exists",
            "EMAIL_ALREADY_EXISTS",
        )
        .with_message("Another consumer has this e-mail."),
        Error::PersonErased => ApiError::new(409, "Person was erased",
            "PERSON_ERASED",
        )
        .with_message("This person was erased on request, and is not taken in again."),
        Error::NotInList => ApiError::new(409, "Not in list",
            "NOT_IN_LIST",
        )
        .with_message(
            "The person is not in this list. Klaviyo would unsubscribe them from everything; ask for the scope ALL if that \
             is what they want.",
        ),
        Error::NotRetriable => ApiError::new(409, "Delivery cannot be retried",
            "DELIVERY_NOT_RETRIABLE",
        )
        .with_message("It was sent, or was never meant for Klaviyo. Only failed deliveries can be retried."),
        other => ApiError::internal(other),
    }
}

/// One text for a key that is not there and for one that Klaviyo does not know.
const KEY_NOT_FOUND: &str = "Klaviyo API key not found";

fn missing(scopes: &[String]) -> String {
    let which = match scopes {
        [] => "a scope that this needs".to_owned(),
        [scope] => format!("the scope {scope}"),
        scopes => format!("the scopes {}", scopes.join(", ")),
    };
    format!(
        "The Klaviyo API key lacks {which}. Make a key with it in Klaviyo under Settings, API keys, \
         and connect it with PUT /api/settings."
    )
}

impl From<FieldViolation> for Violation {
    fn from(violation: FieldViolation) -> Self {
        let path = violation
            .field
            .split('.')
            .map(|name| Key::Name(name.to_owned()));
        Self {
            path: path.collect(),
            rule: "check",
            expected: "valid".to_owned(),
            received: "unknown".to_owned(),
            message: violation.message,
        }
    }
}

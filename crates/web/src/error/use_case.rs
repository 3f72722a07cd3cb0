//! The errors of use cases in words for people at the dashboard.

use actix_web::http::StatusCode;
use fanfare_domain::history::MAX_SNAPSHOTS;
use fanfare_domain::ports::StoreError;
use fanfare_sync::Error;

use super::{AGAIN, TO_AUDIENCES, TO_INTEGRATIONS, Told};
use crate::texts;

/// What happened, and what to do.
pub(super) fn told(error: &Error) -> Told<'static> {
    match error {
        Error::NotFound(entity) => super::told(
            StatusCode::NOT_FOUND,
            &format!("{entity} not found"),
            "It is not there, or no longer.",
            TO_AUDIENCES,
        ),
        Error::Invalid(violations) => {
            let texts: Vec<String> = violations
                .iter()
                .map(|violation| format!("{}: {}.", violation.field, violation.message))
                .collect();
            super::told(
                StatusCode::BAD_REQUEST,
                "Something in the form is not valid",
                &texts.join(" "),
                AGAIN,
            )
        }
        Error::SyncInProgress => super::told(
            StatusCode::CONFLICT,
            "A sync is under way already",
            "Wait until it has ended, or cancel it on the audience's page.",
            TO_AUDIENCES,
        ),
        Error::NoSyncSource => super::told(
            StatusCode::BAD_REQUEST,
            "This audience no longer syncs",
            "It was deleted. Import its list again to sync it.",
            TO_AUDIENCES,
        ),
        Error::NotSynced => super::told(
            StatusCode::BAD_REQUEST,
            "This audience is filled by hand",
            "No Klaviyo list fills it, so there is nothing to sync.",
            TO_AUDIENCES,
        ),
        Error::Synced => super::told(
            StatusCode::BAD_REQUEST,
            "Klaviyo fills this audience",
            "Its members are those of its Klaviyo list or segment. Change them there.",
            TO_AUDIENCES,
        ),
        Error::NoKeptList
        | Error::ListTaken(_)
        | Error::CircularSync(_)
        | Error::ConfirmationRequired(_) => of_kept_lists(error),
        Error::Archived => super::told(
            StatusCode::CONFLICT,
            "This audience was deleted",
            "Its members are kept as they were.",
            TO_AUDIENCES,
        ),
        Error::RunFinished => super::told(
            StatusCode::CONFLICT,
            "The sync has ended already",
            "There is nothing to cancel.",
            TO_AUDIENCES,
        ),
        Error::TooManySnapshots => super::told(
            StatusCode::CONFLICT,
            "Too many snapshots",
            &format!(
                "An audience has {MAX_SNAPSHOTS} snapshots at most. Delete one that is not needed."
            ),
            AGAIN,
        ),
        Error::NotRetriable | Error::EmailExists | Error::PersonErased | Error::NotInList => {
            of_people(error)
        }
        Error::Store(error) => of_store(error),
        Error::ErasureKey(_)
        | Error::Transition(_)
        | Error::SignatureInvalid
        | Error::NoEnvelope(_)
        | Error::NoWebhookSecret
        | Error::IntakeBusy => fault(),
        Error::KeyNotFound
        | Error::KeyRejected
        | Error::ScopeMissing(_)
        | Error::AccountDiffers { .. }
        | Error::KlaviyoUnreachable(_)
        | Error::EndlessCollections { .. }
        | Error::KlaviyoThrottled(_)
        | Error::Seal(_) => of_klaviyo(error),
    }
}

/// The errors of the lists that audiences are kept in.
fn of_kept_lists(error: &Error) -> Told<'static> {
    match error {
        Error::NoKeptList => super::told(
            StatusCode::CONFLICT,
            "The audience is kept in no Klaviyo list",
            "Choose a list first.",
            TO_AUDIENCES,
        ),
        Error::ListTaken(_) => super::told(
            StatusCode::CONFLICT,
            "Another audience is kept in this list",
            "A list keeps one audience. Choose another list, or make a new one.",
            TO_AUDIENCES,
        ),
        Error::CircularSync(chain) => super::told(
            StatusCode::CONFLICT,
            "This list feeds the audience",
            &format!(
                "What is pushed into it would come back: {}. Choose another list.",
                chain.join(" → ")
            ),
            TO_AUDIENCES,
        ),
        Error::ConfirmationRequired(_) => super::told(
            StatusCode::CONFLICT,
            "The push needs a confirmation",
            "Look at what it would do, and confirm it.",
            AGAIN,
        ),
        _ => fault(),
    }
}

/// The errors of people and of what Klaviyo is told of them.
fn of_people(error: &Error) -> Told<'static> {
    match error {
        Error::NotRetriable => super::told(
            StatusCode::CONFLICT,
            "This cannot be retried",
            "It was sent, or was never meant for Klaviyo. Only what has failed can be retried.",
            AGAIN,
        ),
        Error::EmailExists => super::told(
            StatusCode::CONFLICT,
            "Another consumer has this e-mail",
            "Find them by it, and change that consumer instead.",
            AGAIN,
        ),
        Error::PersonErased => super::told(
            StatusCode::CONFLICT,
            "This person was erased",
            "They asked for it, and are not taken in again.",
            AGAIN,
        ),
        Error::NotInList => super::told(
            StatusCode::CONFLICT,
            "The person is not in this list",
            "Klaviyo would unsubscribe them from everything.",
            AGAIN,
        ),
        _ => fault(),
    }
}

/// The errors of the connection to Klaviyo.
fn of_klaviyo(error: &Error) -> Told<'static> {
    match error {
        Error::KeyNotFound => super::told(
            StatusCode::BAD_REQUEST,
            "Klaviyo is not connected",
            "Connect it with a private API key of your Klaviyo account.",
            TO_INTEGRATIONS,
        ),
        Error::KeyRejected => super::told(
            StatusCode::BAD_REQUEST,
            "Klaviyo does not take the API key",
            "First check for a typing error: copy the whole key once more. If it is right, it may have been deleted in \
             Klaviyo: make a private key there under Settings, API keys, and save it under Integrations.",
            TO_INTEGRATIONS,
        ),
        Error::ScopeMissing(scopes) => super::told(
            StatusCode::BAD_REQUEST,
            "The Klaviyo key may not read this",
            &texts::missing_scopes(scopes, &[]),
            TO_INTEGRATIONS,
        ),
        Error::AccountDiffers { connected, offered } => super::told(
            StatusCode::CONFLICT,
            "The key is of another Klaviyo account",
            &format!("The account {connected} is connected, and the key belongs to {offered}."),
            TO_INTEGRATIONS,
        ),
        Error::KlaviyoThrottled(wait) => super::told(
            StatusCode::SERVICE_UNAVAILABLE,
            "Klaviyo is busy",
            &format!(
                "The requests that Klaviyo grants your account are used up for the moment. Try again in {}.",
                texts::duration(wait.as_secs().max(1)),
            ),
            AGAIN,
        ),
        Error::Seal(_) => super::told(
            StatusCode::INTERNAL_SERVER_ERROR,
            "The stored Klaviyo key cannot be read",
            "It does not open with this installation's master key. Save the Klaviyo key again, or have the master key \
             restored.",
            TO_INTEGRATIONS,
        ),
        _ => super::told(
            StatusCode::BAD_GATEWAY,
            "Klaviyo cannot be reached",
            "Klaviyo gave no usable answer. Your audiences are as they were. Try again in a minute, and look at \
             status.klaviyo.com if it stays like this.",
            AGAIN,
        ),
    }
}

fn of_store(error: &StoreError) -> Told<'static> {
    match error {
        StoreError::TooManySearches => super::told(
            StatusCode::TOO_MANY_REQUESTS,
            "Too many searches at once",
            "Your organization has as many searches under way as it may have. Try again in a moment.",
            AGAIN,
        ),
        StoreError::SearchTooLong => super::told(
            StatusCode::SERVICE_UNAVAILABLE,
            "The search took too long",
            "Search for a longer text, or try again in a minute.",
            AGAIN,
        ),
        StoreError::Unavailable(_) => super::told(
            StatusCode::SERVICE_UNAVAILABLE,
            "Fanfare cannot reach its database",
            "Nothing is lost: syncs go on when it is back. Try again in a moment.",
            AGAIN,
        ),
        _ => fault(),
    }
}

fn fault() -> Told<'static> {
    super::told(
        StatusCode::INTERNAL_SERVER_ERROR,
        "Something went wrong",
        "This is a fault of the service, and its logs tell more. Try again in a moment.",
        AGAIN,
    )
}

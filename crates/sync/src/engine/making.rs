//! Making a profile of somebody whom Klaviyo does not know, whoever needs it.

use fanfare_domain::connection::OpenConnection;
use fanfare_domain::delivery::DeliveryCode;
use fanfare_domain::writing::{ProfileUpsert, WriteError, WrittenProfile};

use crate::klaviyo::{CallError, KlaviyoClient};

/// What came of it.
pub(super) struct Made {
    pub(super) answer: Result<WrittenProfile, CallError<WriteError>>,
    /// Whether the phone number was left out, and why.
    pub(super) without_phone: Option<DeliveryCode>,
    /// Whether nothing was left by which Klaviyo would know them.
    pub(super) is_empty: bool,
}

/// Makes a profile, or changes the one that has its identifiers. A phone number that belongs to another profile, or that Klaviyo
/// refuses, costs itself alone, and so does our id.
pub(super) async fn make_profile(
    klaviyo: &KlaviyoClient,
    connection: &OpenConnection,
    upsert: &ProfileUpsert,
) -> Made {
    let first = klaviyo.upsert_profile(connection, upsert).await;
    let Some(code) = blamed(&first) else {
        return Made {
            answer: first,
            without_phone: None,
            is_empty: false,
        };
    };
    let mut without = upsert.clone();
    without.person.phone = None;
    if without.person.email.is_none() {
        return Made {
            answer: first,
            without_phone: Some(code),
            is_empty: true,
        };
    }
    let mut answer = klaviyo.upsert_profile(connection, &without).await;
    if is_conflict(&answer) {
        without.person.external_id = None;
        answer = klaviyo.upsert_profile(connection, &without).await;
    }
    Made {
        answer,
        without_phone: Some(code),
        is_empty: false,
    }
}

/// Why the phone number is left out of the next try, if it is.
pub(super) fn blamed(
    answer: &Result<WrittenProfile, CallError<WriteError>>,
) -> Option<DeliveryCode> {
    match answer {
        Err(CallError::Klaviyo(WriteError::IdentifierConflict { .. })) => {
            Some(DeliveryCode::IdentifierConflict)
        }
        Err(CallError::Klaviyo(WriteError::ContentRefused(refusal)))
            if refusal.is_about("phone_number") =>
        {
            Some(DeliveryCode::Refused)
        }
        _ => None,
    }
}

/// Whether an identifier belongs to another profile.
pub(super) const fn is_conflict(answer: &Result<WrittenProfile, CallError<WriteError>>) -> bool {
    matches!(
        answer,
        Err(CallError::Klaviyo(WriteError::IdentifierConflict { .. }))
    )
}

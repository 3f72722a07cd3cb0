//! Consent and predictions: attributes that are only shown when they are asked for.

use serde_json::{Value, json};

use crate::journal::ConsentLevel;
use crate::profiles::{Consent, Profile};

/// `additional-fields[profile]=subscriptions`
pub(super) fn subscriptions(profile: &Profile) -> Value {
    let tracking = json!({
        "consent": "NEVER_SUBSCRIBED",
        "consent_timestamp": null,
        "last_updated": null,
        "created_timestamp": null,
        "metadata": null,
        "can_receive": false,
        "valid_until": null,
    });
    json!({
        "email": {
            "marketing": {
                "can_receive_email_marketing":
                    profile.email.is_some()
                        && profile.suppressions.is_empty()
                        && profile.email_consent.level != ConsentLevel::Unsubscribed,
                "consent": profile.email_consent.level.as_str(),
                "consent_timestamp": profile.email_consent.at,
                "last_updated": profile.updated,
                "method": null,
                "method_detail": null,
                "custom_method_detail": null,
                "double_optin": null,
                "suppression": profile.suppressions,
                "list_suppressions": profile.list_suppressions,
            },
            "open_tracking": tracking,
            "click_tracking": tracking,
        },
        "sms": {
            "marketing": sms("can_receive_sms_marketing", &profile.sms_consent),
            "transactional": sms("can_receive_sms_transactional", &Consent::default()),
        },
        "mobile_push": {
            "marketing": {
                "can_receive_push_marketing": false,
                "consent": "NEVER_SUBSCRIBED",
                "consent_timestamp": null,
            },
        },
        // Seen so, although it is described as an object.
        "whatsapp": null,
    })
}

fn sms(may: &str, consent: &Consent) -> Value {
    json!({
        may: consent.level == ConsentLevel::Subscribed,
        "consent": consent.level.as_str(),
        "consent_timestamp": consent.at,
        "method": null,
        "method_detail": null,
        "last_updated": null,
    })
}

/// `additional-fields[profile]=predictive_analytics`, of a profile that has bought nothing.
pub(super) fn predictive_analytics() -> Value {
    json!({
        "historic_clv": null,
        "predicted_clv": null,
        "total_clv": null,
        "historic_number_of_orders": null,
        "predicted_number_of_orders": null,
        "average_days_between_orders": null,
        "average_order_value": null,
        "churn_probability": null,
        "expected_date_of_next_order": null,
        "ranked_channel_affinity": null,
    })
}

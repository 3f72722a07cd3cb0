//! Consents: the attribute `subscriptions` of a profile.
//!
//! What cannot be read is no consent, and never a suppression that is not there.

use fanfare_domain::consent::{Consent, Consents};
use fanfare_domain::time::Timestamp;

use crate::lenient::{Object, Raw, object, time, value};

/// What asks for it, at no further cost.
pub(crate) const ADDITIONAL: (&str, &str) = ("additional-fields[profile]", "subscriptions");

/// The parts of `subscriptions` that are read, behind other names of `fields[profile]`: a tenth of the whole.
macro_rules! and_consents {
    ($fields:literal) => {
        concat!(
            $fields,
            ",subscriptions.email.marketing.consent,subscriptions.email.marketing.consent_timestamp",
            ",subscriptions.email.marketing.suppression",
            ",subscriptions.sms.marketing.consent,subscriptions.sms.marketing.consent_timestamp"
        )
    };
}
pub(crate) use and_consents;

object! {
    struct Subscriptions<'a> {
        email: Object<Channel<'a>>,
        sms: Object<Channel<'a>>,
    }
}

object! {
    struct Channel<'a> {
        marketing: Object<Marketing<'a>>,
    }
}

object! {
    struct Marketing<'a> {
        consent: Raw<'a>,
        consent_timestamp: Raw<'a>,
        suppression: Raw<'a>,
    }
}

object! {
    struct Suppression<'a> {
        reason: Raw<'a>,
        timestamp: Raw<'a>,
    }
}

/// The consents of a profile.
pub(crate) fn read(subscriptions: Raw<'_>) -> Consents {
    let subscriptions: Object<Subscriptions<'_>> = value(subscriptions).unwrap_or_default();
    Consents {
        email: consent(&subscriptions.0.email.0.marketing.0),
        sms: consent(&subscriptions.0.sms.0.marketing.0),
    }
}

fn consent(marketing: &Marketing<'_>) -> Consent {
    let stated: Option<String> = value(marketing.consent);
    let suppressions: Vec<Object<Suppression<'_>>> =
        value(marketing.suppression).unwrap_or_default();
    let suppressions: Vec<(String, Option<Timestamp>)> = suppressions
        .iter()
        .map(|Object(one)| {
            let at = time(one.timestamp).unwrap_or_default();
            (value(one.reason).unwrap_or_default(), at)
        })
        .collect();
    let at = time(marketing.consent_timestamp).unwrap_or_default();
    let reasons = suppressions
        .iter()
        .map(|(reason, at)| (reason.as_str(), *at));
    Consent::of(stated.as_deref(), at, reasons)
}

#[cfg(test)]
mod tests {
    use fanfare_domain::consent::ConsentLevel;
    use serde_json::value::RawValue;
    use serde_json::{Value, json};

    use super::*;

    fn check(subscriptions: &Value, email: ConsentLevel, sms: ConsentLevel) {
        let raw = RawValue::from_string(subscriptions.to_string()).unwrap();
        let read = read(Some(&raw));
        assert_eq!(
            (read.email.level, read.sms.level),
            (email, sms),
            "{subscriptions}"
        );
    }

    #[test]
    fn consents_are_read_and_what_is_broken_is_none() {
        use ConsentLevel::{NeverSubscribed, Subscribed, Suppressed, Unsubscribed};
        let of = |email: Value, sms: Value| json!({"email": {"marketing": email}, "sms": {"marketing": sms}});
        let yes = || json!({"consent": "SUBSCRIBED", "consent_timestamp": "2026-11-29T12:00:00+00:00", "suppression": []});
        check(&of(yes(), yes()), Subscribed, Subscribed);
        let bounced = json!({"consent": "SUBSCRIBED", "suppression": [{"reason": "HARD_BOUNCE", "timestamp": "x"}]});
        check(
            &of(bounced, json!({"consent": "UNSUBSCRIBED"})),
            Suppressed,
            Unsubscribed,
        );
        for broken in [
            json!(null),
            json!([]),
            json!({"email": 7, "sms": null}),
            of(json!({"consent": 1, "suppression": "x"}), json!([])),
        ] {
            check(&broken, NeverSubscribed, NeverSubscribed);
        }
        assert_eq!(super::read(None), Consents::UNKNOWN);
    }
}

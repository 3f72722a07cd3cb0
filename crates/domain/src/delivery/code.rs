//! Why a delivery did not reach Klaviyo.

use crate::text_enum::text_enum;

text_enum! {
    /// Why a delivery is not `SENT`, or what was left out of it.
    DeliveryCode {
        /// Nothing is known by which Klaviyo would know the person.
        NoIdentifier = "no_identifier",
        /// Events to Klaviyo are switched off.
        EventsOff = "events_off",
        /// This type of event has no metric.
        NotForwarded = "not_forwarded",
        /// This version does not know the type.
        UnknownType = "unknown_type",
        /// Another event has told of the same purchase.
        SamePurchase = "same_purchase",
        /// Contacts to Klaviyo are switched off.
        ContactsOff = "contacts_off",
        /// Klaviyo has the same values already.
        AlreadyEqual = "already_equal",
        /// Klaviyo has no such profile, and none may be made.
        UnknownInKlaviyo = "unknown_in_klaviyo" | "not_in_klaviyo",
        /// Both sides keep writing a field, which is left alone for a while.
        WrittenByBoth = "written_by_both",
        /// The person is not in the list.
        NotInList = "not_in_list",
        /// It was for another Klaviyo account than the one connected now.
        AccountChanged = "account_changed",
        /// Somebody took them off the list by hand.
        TakenOff = "taken_off",
        /// Klaviyo refuses what it says.
        Refused = "refused",
        /// Klaviyo knows one of its identifiers as another person's; it was sent without.
        IdentifierConflict = "identifier_conflict",
        /// Klaviyo has taken it, and did not show it an hour later.
        Missing = "missing",
        /// What it is about is gone in Klaviyo.
        Gone = "gone",
        /// Klaviyo gave no answer for two days.
        UpstreamUnavailable = "upstream_unavailable",
        /// Klaviyo's answers could not be used for two days.
        UpstreamInvalid = "upstream_invalid",
        /// A defect of this program.
        Internal = "internal",
    }
}

impl DeliveryCode {
    /// What it means and what to do, for the merchant.
    pub const fn message(self) -> &'static str {
        match self {
            Self::NoIdentifier => {
                "Fanfare knows no Klaviyo profile, e-mail or phone number of this consumer, or no such consumer."
            }
            Self::EventsOff => "Events to Klaviyo were switched off when this came.",
            Self::NotForwarded => {
                "This type of event has no Klaviyo metric. Choose one in the settings."
            }
            Self::UnknownType => {
                "This type of event is not known here, so Klaviyo was not told of it."
            }
            Self::SamePurchase => {
                "Another event has told of the same purchase, which Klaviyo hears of once."
            }
            Self::ContactsOff => "Contacts to Klaviyo were switched off before it was sent.",
            Self::AlreadyEqual => "Klaviyo has the same values, so there was nothing to send.",
            Self::UnknownInKlaviyo => {
                "Klaviyo has no profile of this person. Profiles are made once \"createProfiles\" is switched on."
            }
            Self::WrittenByBoth => {
                "Both sides keep changing the same field. It is left alone for an hour; look for another integration that writes it."
            }
            Self::NotInList => {
                "The person is not in the list any more. Klaviyo would have unsubscribed them from everything."
            }
            Self::AccountChanged => {
                "It was meant for the Klaviyo account that was connected before."
            }
            Self::TakenOff => {
                "Somebody took this person off the Klaviyo list. They are not added again."
            }
            Self::Refused => "Klaviyo refuses what it says. It is not sent again by itself.",
            Self::IdentifierConflict => {
                "Klaviyo knows one of its identifiers as another person's. It was sent without that one."
            }
            Self::Missing => {
                "Klaviyo has taken it, and did not show it an hour later. It is not sent again by itself: nobody knows whether it would be the first."
            }
            Self::Gone => "What it is about is gone in Klaviyo, or belongs to another account.",
            Self::UpstreamUnavailable => {
                "Klaviyo gave no answer for two days. Retry it when Klaviyo is back."
            }
            Self::UpstreamInvalid => {
                "Klaviyo's answers could not be used for two days. Retry it, and tell support if it happens again."
            }
            Self::Internal => "A fault of ours stopped it. Tell support.",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_that_earlier_versions_wrote_is_read_as_what_it_is_called_now() {
        let code = DeliveryCode::parse("not_in_klaviyo");
        assert_eq!(code, Some(DeliveryCode::UnknownInKlaviyo));
        assert_eq!(code.unwrap().as_str(), "unknown_in_klaviyo");
    }
}

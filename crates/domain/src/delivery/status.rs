//! What kinds of deliveries there are, and how far one is.

use crate::text_enum::text_enum;

text_enum! {
    /// What a delivery tells Klaviyo.
    DeliveryKind {
        /// That something happened.
        Event = "EVENT",
        /// That a contact has changed.
        Contact = "CONTACT",
        /// That somebody is in a list, or is not.
        Membership = "MEMBERSHIP",
        /// That somebody has taken a consent back.
        Consent = "CONSENT",
    }
}

text_enum! {
    /// How far a delivery is.
    DeliveryStatus {
        /// It is still to be sent, or its answer is still to come.
        Pending = "PENDING",
        /// Klaviyo has taken it.
        Sent = "SENT",
        /// It was given up. Somebody may have it tried again.
        Failed = "FAILED",
        /// It was never meant for Klaviyo, or is not any more.
        Dropped = "DROPPED",
    }
}

impl DeliveryStatus {
    /// Whether a delivery of this status can become one of that.
    pub const fn can_become(self, next: Self) -> bool {
        matches!(
            (self, next),
            (Self::Pending, Self::Sent | Self::Failed | Self::Dropped)
                | (Self::Failed, Self::Pending)
        )
    }
}

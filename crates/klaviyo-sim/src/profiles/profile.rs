//! A profile as Klaviyo keeps it.

use serde::Serialize;
use serde_json::{Map, Value};

use crate::journal::{Channel, ConsentLevel};

/// A profile with all its values, as they stand in answers. Every one may be missing.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Profile {
    /// Klaviyo's id; empty lets the simulator choose one.
    pub id: String,
    /// As it was given: neither trimmed nor lower-cased, and not checked.
    pub email: Option<String>,
    /// Should be E.164, and is not always.
    pub phone_number: Option<String>,
    /// The customer's own id.
    pub external_id: Option<String>,
    /// Given name.
    pub first_name: Option<String>,
    /// Family name.
    pub last_name: Option<String>,
    /// Company.
    pub organization: Option<String>,
    /// `en-US`
    pub locale: Option<String>,
    /// Job.
    pub title: Option<String>,
    /// Address of a picture.
    pub image: Option<String>,
    /// When it was made, as written in answers: usually RFC 3339.
    pub created: Option<String>,
    /// When a value last changed, as written in answers: usually RFC 3339.
    pub updated: Option<String>,
    /// When the last event of the profile happened, as written in answers.
    pub last_event_date: Option<String>,
    /// The address.
    pub location: Location,
    /// Free data.
    pub properties: Map<String, Value>,
    /// Why no mail is sent to the profile from this account.
    pub suppressions: Vec<Suppression>,
    /// Why no mail is sent to the profile for some list.
    pub list_suppressions: Vec<ListSuppression>,
    /// Whether the person lets themselves be mailed.
    pub email_consent: Consent,
    /// Whether the person lets themselves be sent SMS.
    pub sms_consent: Consent,
}

/// A consent.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Consent {
    /// What it is.
    pub level: ConsentLevel,
    /// Since when, RFC 3339.
    pub at: Option<String>,
}

/// An address. Klaviyo writes coordinates as numbers or as texts.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Location {
    /// First line.
    pub address1: Option<String>,
    /// Second line.
    pub address2: Option<String>,
    /// Town.
    pub city: Option<String>,
    /// Country, in words.
    pub country: Option<String>,
    /// A number or a text.
    pub latitude: Option<Value>,
    /// A number or a text.
    pub longitude: Option<Value>,
    /// State or province.
    pub region: Option<String>,
    /// Postal code.
    pub zip: Option<String>,
    /// `Europe/Berlin`
    pub timezone: Option<String>,
    /// Last address seen on the network.
    pub ip: Option<String>,
}

/// Why no mail is sent to a profile.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Suppression {
    /// `USER_SUPPRESSED`, `UNSUBSCRIBE`, `HARD_BOUNCE`, ...
    pub reason: String,
    /// Since when, RFC 3339.
    pub timestamp: String,
}

/// Why no mail is sent to a profile for one list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ListSuppression {
    /// Which list.
    pub list_id: String,
    /// As of a suppression.
    pub reason: String,
    /// Since when, RFC 3339.
    pub timestamp: String,
}

impl Profile {
    /// A profile with an e-mail and an id of the simulator's choice.
    pub fn with_email(email: &str) -> Self {
        Self {
            email: Some(email.to_owned()),
            ..Self::default()
        }
    }

    /// The same with this id.
    #[must_use]
    pub fn id(mut self, id: &str) -> Self {
        id.clone_into(&mut self.id);
        self
    }

    /// The same with these names.
    #[must_use]
    pub fn named(mut self, first: &str, last: &str) -> Self {
        self.first_name = Some(first.to_owned());
        self.last_name = Some(last.to_owned());
        self
    }

    /// The same with this phone number.
    #[must_use]
    pub fn phone(mut self, number: &str) -> Self {
        self.phone_number = Some(number.to_owned());
        self
    }

    /// The consent in a channel.
    pub const fn consent(&self, channel: Channel) -> &Consent {
        match channel {
            Channel::Email => &self.email_consent,
            Channel::Sms => &self.sms_consent,
        }
    }

    pub(crate) const fn consent_mut(&mut self, channel: Channel) -> &mut Consent {
        match channel {
            Channel::Email => &mut self.email_consent,
            Channel::Sms => &mut self.sms_consent,
        }
    }

    /// The same, last changed at this time.
    #[must_use]
    pub fn updated(mut self, at: &str) -> Self {
        self.updated = Some(at.to_owned());
        self
    }
}

//! A Klaviyo profile as it was read, and the values of it that can be used.

use std::fmt;

use crate::consent::Consents;
use crate::ids::ProfileId;
use crate::issue::{Field, IssueCode, IssueKind};
use crate::time::Timestamp;
use crate::value::{Email, FullName, InvalidValue, Phone};

/// An attribute as Klaviyo sent it.
#[derive(Clone, Default, PartialEq, Eq)]
pub enum Attribute {
    /// `null`, or not there.
    #[default]
    Absent,
    /// A text, not checked yet.
    Text(String),
    /// Something that is not a text. Only this attribute is lost, never the page.
    Unusable,
}

impl Attribute {
    /// An attribute with this text.
    pub fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }

    /// Its text, if it is one.
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Absent | Self::Unusable => None,
        }
    }

    fn parse<T>(&self, parse: impl Fn(&str) -> Result<T, InvalidValue>) -> Parsed<T> {
        match self {
            Self::Absent => Parsed::Absent,
            Self::Unusable => Parsed::Broken,
            Self::Text(text) => match parse(text) {
                Ok(value) => Parsed::Value(value),
                Err(InvalidValue::Blank) => Parsed::Absent,
                Err(InvalidValue::Broken) => Parsed::Broken,
            },
        }
    }
}

impl fmt::Debug for Attribute {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Absent => "Absent",
            Self::Text(_) => "Text(…)",
            Self::Unusable => "Unusable",
        })
    }
}

enum Parsed<T> {
    Value(T),
    Absent,
    Broken,
}

impl<T> Parsed<T> {
    fn or_issue(self, issues: &mut Vec<IssueKind>, code: IssueCode, field: Field) -> Option<T> {
        match self {
            Self::Value(value) => Some(value),
            Self::Absent => None,
            Self::Broken => {
                issues.push(IssueKind {
                    code,
                    field: Some(field),
                });
                None
            }
        }
    }
}

/// A member of a Klaviyo list or segment, as read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Profile {
    /// Klaviyo's id.
    pub id: ProfileId,
    /// `email`
    pub email: Attribute,
    /// `phone_number`
    pub phone: Attribute,
    /// `first_name`
    pub first_name: Attribute,
    /// `last_name`
    pub last_name: Attribute,
    /// `updated`; `None` if Klaviyo sent no readable time.
    pub updated: Option<Timestamp>,
    /// `joined_group_at`: when the profile last joined this list or segment.
    pub joined_at: Option<Timestamp>,
    /// How far the person lets themselves be written to; `None` if it was not read.
    pub consents: Option<Consents>,
    /// Which of the times above was sent and could not be read.
    pub unreadable_times: Vec<Field>,
}

impl Profile {
    /// How many bytes its texts have, as a measure of the memory that it takes.
    pub fn text_bytes(&self) -> usize {
        let texts = [&self.email, &self.phone, &self.first_name, &self.last_name];
        texts
            .into_iter()
            .filter_map(Attribute::as_text)
            .map(str::len)
            .sum()
    }

    /// The profile's e-mail, if it is a valid address.
    pub fn usable_email(&self) -> Option<Email> {
        self.email
            .as_text()
            .and_then(|text| Email::parse(text).ok())
    }
}

/// The usable part of a profile: its parsed values, and the issues that parsing found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UsableProfile {
    /// Klaviyo's id.
    pub id: ProfileId,
    /// The e-mail, if it is a valid address.
    pub email: Option<Email>,
    /// The phone number, if it is a valid one.
    pub phone: Option<Phone>,
    /// First and last name, joined.
    pub full_name: Option<FullName>,
    /// When the profile last changed in Klaviyo; never later than the run's start.
    pub updated: Option<Timestamp>,
    /// When it joined the list that is read.
    pub joined_at: Option<Timestamp>,
    /// How far the person lets themselves be written to; `None` if it was not read.
    pub consents: Option<Consents>,
    /// The values that were not taken over without a change.
    pub issues: Vec<IssueKind>,
}

impl UsableProfile {
    /// Parses a profile's values. A blank one is absent; a broken one is absent and an issue, as is a time that
    /// could not be read. A change
    /// that is dated after the run's start counts as made at its start: otherwise a profile with a date in
    /// the future would outrank every later change.
    pub fn of(profile: &Profile, run_started_at: Timestamp) -> Self {
        let mut issues = Vec::new();
        let email = profile.email.parse(Email::parse).or_issue(
            &mut issues,
            IssueCode::InvalidEmail,
            Field::Email,
        );
        let phone = profile.phone.parse(Phone::parse).or_issue(
            &mut issues,
            IssueCode::InvalidPhone,
            Field::PhoneNumber,
        );
        let (full_name, broken) =
            FullName::join(profile.first_name.as_text(), profile.last_name.as_text());
        for (is_broken, field) in [
            (
                broken.first || profile.first_name == Attribute::Unusable,
                Field::FirstName,
            ),
            (
                broken.last || profile.last_name == Attribute::Unusable,
                Field::LastName,
            ),
        ] {
            if is_broken {
                issues.push(IssueKind {
                    code: IssueCode::InvalidValue,
                    field: Some(field),
                });
            }
        }
        issues.extend(profile.unreadable_times.iter().map(|field| IssueKind {
            code: IssueCode::InvalidValue,
            field: Some(*field),
        }));
        Self {
            id: profile.id.clone(),
            email,
            phone,
            full_name,
            updated: profile.updated.map(|at| at.min(run_started_at)),
            joined_at: profile.joined_at,
            consents: profile.consents,
            issues,
        }
    }

    /// Whether the profile had an e-mail that could not be used.
    pub fn has_broken_email(&self) -> bool {
        self.issues
            .iter()
            .any(|kind| kind.code == IssueCode::InvalidEmail)
    }
}

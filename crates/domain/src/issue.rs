//! Issues: records that could not be taken over without a change.

use crate::ids::ProfileId;
use crate::text_enum::text_enum;
use crate::time::Timestamp;

text_enum! {
    /// Why a record was not taken over without a change.
    IssueCode {
        /// Neither an e-mail nor a phone number, and not linked to a consumer: skipped.
        MissingContact = "missing_contact",
        /// The e-mail is not an address.
        InvalidEmail = "invalid_email",
        /// The phone number is not E.164.
        InvalidPhone = "invalid_phone",
        /// A name cannot be stored, or a time cannot be read.
        InvalidValue = "invalid_value",
        /// Another profile of the same list has this e-mail and was seen first.
        DuplicateEmail = "duplicate_email",
        /// The person was erased: skipped.
        Erased = "erased",
    }
}

text_enum! {
    /// The attribute of a Klaviyo profile that an issue is about, by Klaviyo's name.
    Field {
        /// `email`
        Email = "email",
        /// `phone_number`
        PhoneNumber = "phone_number",
        /// `first_name`
        FirstName = "first_name",
        /// `last_name`
        LastName = "last_name",
        /// `updated`
        Updated = "updated",
        /// `joined_group_at`
        JoinedGroupAt = "joined_group_at",
    }
}

impl IssueCode {
    /// What happened, as a message for the organization's users. It holds nothing of the record itself.
    pub const fn message(self) -> &'static str {
        match self {
            Self::MissingContact => {
                "The profile has neither an e-mail nor a phone number, so it was skipped."
            }
            Self::InvalidEmail => "The e-mail is not a valid address, so it was not taken.",
            Self::InvalidPhone => {
                "The phone number is not in international form (+12345678901), so it was not taken."
            }
            Self::InvalidValue => "The value cannot be read or stored, so it was not taken.",
            Self::DuplicateEmail => {
                "Another profile of this list has the same e-mail; both are one consumer."
            }
            Self::Erased => "The person was erased, so the profile was skipped.",
        }
    }
}

/// Something wrong with one record, before it is known which run it belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct IssueKind {
    /// Why the record was not taken over without a change.
    pub code: IssueCode,
    /// The attribute that it is about; `None` if it is about the record.
    pub field: Option<Field>,
}

/// An issue as the run that found it stores it: once for each run, profile, code and field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Issue {
    /// The profile whose record it is.
    pub profile: ProfileId,
    /// What was wrong.
    pub kind: IssueKind,
    /// When the run found it.
    pub at: Timestamp,
}

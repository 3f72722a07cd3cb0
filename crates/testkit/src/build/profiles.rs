//! Klaviyo profiles, and the plan of a page of them.

use fanfare_domain::consent::Consents;
use fanfare_domain::ids::ProfileId;
use fanfare_domain::page::{Known, PagePlan, plan};
use fanfare_domain::ports::Ids;
use fanfare_domain::profile::{Attribute, Profile};
use fanfare_domain::time::Timestamp;

use super::{at, profile_id};

/// A profile with nothing but its id, last updated at [`at`]`(0)`, and joined then.
pub fn profile(id: &str) -> ProfileBuilder {
    ProfileBuilder(Profile {
        id: profile_id(id),
        email: Attribute::Absent,
        phone: Attribute::Absent,
        first_name: Attribute::Absent,
        last_name: Attribute::Absent,
        updated: Some(at(0)),
        joined_at: Some(at(0)),
        consents: None,
        unreadable_times: Vec::new(),
    })
}

/// A profile in the making.
#[derive(Debug, Clone)]
pub struct ProfileBuilder(Profile);

impl ProfileBuilder {
    /// With this text as its e-mail, an address or not.
    #[must_use]
    pub fn email(mut self, text: &str) -> Self {
        self.0.email = Attribute::text(text);
        self
    }

    /// With this text as its phone number, a number or not.
    #[must_use]
    pub fn phone(mut self, text: &str) -> Self {
        self.0.phone = Attribute::text(text);
        self
    }

    /// With this first name.
    #[must_use]
    pub fn first_name(mut self, text: &str) -> Self {
        self.0.first_name = Attribute::text(text);
        self
    }

    /// With this last name.
    #[must_use]
    pub fn last_name(mut self, text: &str) -> Self {
        self.0.last_name = Attribute::text(text);
        self
    }

    /// Last updated at [`at`]`(seconds)`.
    #[must_use]
    pub fn updated(mut self, seconds: i64) -> Self {
        self.0.updated = Some(at(seconds));
        self
    }

    /// Without the time of its last update.
    #[must_use]
    pub fn never_updated(mut self) -> Self {
        self.0.updated = None;
        self
    }

    /// Joined the list at [`at`]`(seconds)`.
    #[must_use]
    pub fn joined(mut self, seconds: i64) -> Self {
        self.0.joined_at = Some(at(seconds));
        self
    }

    /// Read with these consents.
    #[must_use]
    pub const fn consents(mut self, consents: Consents) -> Self {
        self.0.consents = Some(consents);
        self
    }

    /// The profile.
    pub fn build(self) -> Profile {
        self.0
    }
}

impl From<ProfileBuilder> for Profile {
    fn from(builder: ProfileBuilder) -> Self {
        builder.build()
    }
}

impl From<&ProfileBuilder> for ProfileId {
    fn from(builder: &ProfileBuilder) -> Self {
        builder.0.id.clone()
    }
}

/// The plan of a page of these profiles, at `now`, in a run that started then.
pub fn page_plan(
    page: impl IntoIterator<Item = impl Into<Profile>>,
    known: Known,
    now: Timestamp,
    ids: &dyn Ids,
) -> PagePlan {
    let page: Vec<Profile> = page.into_iter().map(Into::into).collect();
    plan(&page, known, now, now, ids)
}

/// People of Klaviyo's by number, who joined in that order.
pub fn people(numbers: std::ops::Range<u32>) -> Vec<ProfileBuilder> {
    let person = |n: u32| {
        profile(&format!("P{n}"))
            .email(&format!("person{n}@example.com"))
            .phone(&format!("+4915100000{n:02}"))
            .first_name("Person")
            .last_name(&n.to_string())
            .joined(i64::from(n))
    };
    numbers.map(person).collect()
}

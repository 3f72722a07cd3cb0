//! Members of a list or segment.
//!
//! An attribute is first taken as the raw text of its value and then read by itself: half of a
//! surrogate pair, which JSON can spell and no string can hold, or a number where a text belongs,
//! costs that attribute and not its page.

use std::borrow::Cow;

use fanfare_domain::ids::ProfileId;
use fanfare_domain::ports::{KlaviyoError, MemberPage};
use fanfare_domain::profile::{Attribute, Profile};
use fanfare_domain::time::Timestamp;
use serde::Deserialize;

use crate::document::{Many, Raw, broken_id, parse};
use crate::origin::Origin;

#[derive(Deserialize)]
struct Resource<'a> {
    #[serde(borrow)]
    id: Cow<'a, str>,
    #[serde(borrow)]
    attributes: Attributes<'a>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Attributes<'a> {
    #[serde(borrow)]
    email: Raw<'a>,
    #[serde(borrow)]
    phone_number: Raw<'a>,
    #[serde(borrow)]
    first_name: Raw<'a>,
    #[serde(borrow)]
    last_name: Raw<'a>,
    #[serde(borrow)]
    updated: Raw<'a>,
    #[serde(borrow)]
    joined_group_at: Raw<'a>,
}

/// A page of members.
pub(crate) fn page(body: &[u8], origin: &Origin) -> Result<MemberPage, KlaviyoError> {
    let document: Many<'_, Resource<'_>> = parse(body)?;
    let next = document.next(origin)?;
    let profiles = document.data.iter().map(read).collect::<Result<_, _>>()?;
    Ok(MemberPage { profiles, next })
}

fn read(resource: &Resource<'_>) -> Result<Profile, KlaviyoError> {
    let attributes = &resource.attributes;
    Ok(Profile {
        id: ProfileId::parse(resource.id.as_ref()).map_err(|_| broken_id("profile"))?,
        email: attribute(attributes.email),
        phone: attribute(attributes.phone_number),
        first_name: attribute(attributes.first_name),
        last_name: attribute(attributes.last_name),
        updated: time(attributes.updated),
        joined_at: time(attributes.joined_group_at),
    })
}

fn attribute(raw: Raw<'_>) -> Attribute {
    match raw.map(|raw| raw.get()) {
        None | Some("null") => Attribute::Absent,
        Some(json) => serde_json::from_str(json).map_or(Attribute::Unusable, Attribute::Text),
    }
}

fn time(raw: Raw<'_>) -> Option<Timestamp> {
    let text: Cow<'_, str> = serde_json::from_str(raw?.get()).ok()?;
    Timestamp::parse(&text)
}

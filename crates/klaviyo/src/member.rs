//! `GET /api/lists/{id}/profiles` and the same of a segment: members by join time.
//!
//! If an attribute is broken, only that attribute is lost (see [`crate::lenient`]); if all attributes together
//! have another shape, those of the profile are lost. If a profile has no usable id, the whole page is invalid:
//! the profile may be any member, and a member that is left out would be removed from the audience.

use fanfare_domain::collection::CollectionRef;
use fanfare_domain::ids::ProfileId;
use fanfare_domain::issue::Field;
use fanfare_domain::klaviyo::{KlaviyoError, MemberLookup, MemberOrder, MemberPage, MembersFrom};
use fanfare_domain::profile::{Attribute, Profile};
use fanfare_domain::time::Timestamp;
use fanfare_domain::writing::FoundProfile;

use crate::consent::{self, ADDITIONAL, and_consents};
use crate::document::{Many, broken_id, parse};
use crate::lenient::{Object, Raw, object, time, value};
use crate::origin::Origin;
use crate::profile::filter_any;
use crate::request::{Request, id_segment};

/// How many profiles a page has: Klaviyo's maximum.
pub(crate) const PAGE_SIZE: &str = "100";

/// The attributes of a member that is looked for.
const FIELDS: &str = "email,phone_number,first_name,last_name,joined_group_at,updated";

/// The attributes of a profile that a sync needs. No others are requested.
const SYNCED_FIELDS: &str =
    and_consents!("email,phone_number,first_name,last_name,joined_group_at,updated");

/// The same of a profile that is read by itself: it has joined nothing there.
pub(crate) const PROFILE_FIELDS: &str =
    and_consents!("email,phone_number,first_name,last_name,updated");

/// Requests a page of members by join time.
pub(crate) fn request(
    origin: &Origin,
    of: &CollectionRef,
    from: &MembersFrom,
) -> Result<Request, KlaviyoError> {
    let bound = |operator: &str, at: Option<Timestamp>| {
        at.map(|at| format!("{operator}(joined_group_at,{})", at.to_whole_seconds()))
    };
    let from_and_before = [
        bound("greater-or-equal", from.joined_from),
        bound("less-than", from.joined_before),
    ];
    let bounds: Vec<String> = from_and_before.into_iter().flatten().collect();
    let filter = (!bounds.is_empty()).then(|| bounds.join(","));
    let mut parameters = vec![
        ("fields[profile]", SYNCED_FIELDS),
        ADDITIONAL,
        ("page[size]", PAGE_SIZE),
    ];
    match from.order {
        MemberOrder::EarliestFirst => parameters.push(("sort", "joined_group_at")),
        MemberOrder::LatestFirst => parameters.push(("sort", "-joined_group_at")),
        MemberOrder::Unsorted => {}
    }
    if let Some(filter) = &filter {
        parameters.push(("filter", filter));
    }
    let path = [of.kind.descriptor().path, id_segment(of)?, "profiles"];
    Ok(Request {
        has_range: filter.is_some() || from.order == MemberOrder::LatestFirst,
        ..Request::get(origin, path, &parameters, from.cursor.as_ref())
    })
}

/// Requests those members who have one of a few e-mails or phone numbers.
pub(crate) fn lookup_request(
    origin: &Origin,
    of: &CollectionRef,
    lookup: &MemberLookup,
) -> Result<Request, KlaviyoError> {
    let (field, values) = match lookup {
        MemberLookup::Emails(emails) => ("email", emails),
        MemberLookup::Phones(phones) => ("phone_number", phones),
    };
    let filter = filter_any(field, values.iter().map(String::as_str));
    let parameters = [
        ("fields[profile]", FIELDS),
        ("page[size]", PAGE_SIZE),
        ("filter", &filter),
    ];
    let path = [of.kind.descriptor().path, id_segment(of)?, "profiles"];
    Ok(Request::get(origin, path, &parameters, None))
}

object! {
    struct Resource<'a> {
        id: Raw<'a>,
        attributes: Object<Attributes<'a>>,
    }
}

object! {
    struct Attributes<'a> {
        email: Raw<'a>,
        phone_number: Raw<'a>,
        first_name: Raw<'a>,
        last_name: Raw<'a>,
        updated: Raw<'a>,
        joined_group_at: Raw<'a>,
        external_id: Raw<'a>,
        subscriptions: Raw<'a>,
    }
}

/// Reads a page of members.
pub(crate) fn read_page(text: &str, origin: &Origin) -> Result<MemberPage, KlaviyoError> {
    let document: Many<'_, Resource<'_>> = parse(text)?;
    let next = document.next(origin)?;
    let profiles = document.data()?.iter().map(read);
    let profiles = profiles.collect::<Result<_, _>>()?;
    Ok(MemberPage { profiles, next })
}

/// Reads profiles with their external ids.
pub(crate) fn read_found(text: &str) -> Result<Vec<FoundProfile>, KlaviyoError> {
    let document: Many<'_, Resource<'_>> = parse(text)?;
    let found = document.data()?.iter().map(|resource| {
        Ok(FoundProfile {
            profile: read(resource)?,
            external_id: attribute(resource.attributes.0.external_id),
        })
    });
    found.collect()
}

fn read(resource: &Resource<'_>) -> Result<Profile, KlaviyoError> {
    let attributes = &resource.attributes.0;
    let id = value::<String>(resource.id).and_then(|id| ProfileId::parse(id).ok());
    let mut unreadable_times = Vec::new();
    let mut time = |raw, field| {
        time(raw).unwrap_or_else(|_| {
            unreadable_times.push(field);
            None
        })
    };
    Ok(Profile {
        id: id.ok_or_else(|| broken_id("profile"))?,
        email: attribute(attributes.email),
        phone: attribute(attributes.phone_number),
        first_name: attribute(attributes.first_name),
        last_name: attribute(attributes.last_name),
        updated: time(attributes.updated, Field::Updated),
        joined_at: time(attributes.joined_group_at, Field::JoinedGroupAt),
        consents: attributes
            .subscriptions
            .map(|subscriptions| consent::read(Some(subscriptions))),
        unreadable_times,
    })
}

fn attribute(raw: Raw<'_>) -> Attribute {
    let Some(json) = raw else {
        return Attribute::Absent;
    };
    serde_json::from_str(json.get()).map_or(Attribute::Unusable, Attribute::Text)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;
    use crate::text::decode;

    fn origin() -> Origin {
        Origin::parse("https://a.klaviyo.com").unwrap()
    }

    fn document(attributes: &Value) -> String {
        json!({
            "data": [{"type": "profile", "id": "A", "attributes": attributes, "links": {}}],
            "links": {"self": "https://a.klaviyo.com/x", "next": null},
        })
        .to_string()
    }

    #[test]
    fn a_page_that_is_cut_off_is_invalid() {
        let whole = document(&json!({"email": "a@example.com", "first_name": "Zo\u{eb}"}));
        assert!(read_page(&whole, &origin()).is_ok());
        for end in 0..whole.len() {
            let cut = decode(&whole.as_bytes()[..end], |text| read_page(text, &origin()));
            assert!(matches!(cut, Err(KlaviyoError::Invalid(_))), "at {end}");
        }
    }

    proptest! {
        #[test]
        fn every_text_is_read_as_it_was_written(text in any::<String>()) {
            let read = read_page(&document(&json!({"email": text})), &origin()).unwrap();
            prop_assert_eq!(&read.profiles[0].email, &Attribute::Text(text));
        }

        #[test]
        fn a_broken_attribute_does_not_affect_the_others(
            unit in 0xd800_u16..0xe000, number in any::<f64>(), flag in any::<bool>(),
        ) {
            let others = [json!(number), json!(flag), json!([number]), json!({"a": flag})];
            let broken = others.iter().map(Value::to_string).chain([
                format!("\"a\\u{unit:04x}b\""),
                "\"\\ud800\\ud800\"".to_owned(),
            ]);
            for broken in broken.filter(|json| json != "null") {
                let body = document(&json!({"email": "X", "last_name": "kept"}));
                let body = body.replace("\"X\"", &broken);
                let read = read_page(&body, &origin()).unwrap();
                prop_assert_eq!(&read.profiles[0].email, &Attribute::Unusable);
                prop_assert_eq!(&read.profiles[0].last_name, &Attribute::text("kept"));
            }
        }

        #[test]
        fn arbitrary_bytes_are_refused(body in any::<Vec<u8>>()) {
            prop_assert!(decode(&body, |text| read_page(text, &origin())).is_err());
        }
    }
}

//! `GET /api/lists/{id}/profiles` and the same of a segment: members by join time.
//!
//! If an attribute is broken, only that attribute is lost (see [`crate::lenient`]); if all attributes together
//! have another shape, those of the profile are lost. If a profile has no usable id, the whole page is invalid:
//! the profile may be any member, and a member that is left out would be removed from the audience.

use std::borrow::Cow;

use fanfare_domain::collection::CollectionRef;
use fanfare_domain::ids::ProfileId;
use fanfare_domain::klaviyo::{KlaviyoError, MemberOrder, MemberPage, MembersFrom};
use fanfare_domain::profile::{Attribute, Profile};
use serde::Deserialize;

use crate::document::{Many, broken_id, parse};
use crate::lenient::{Object, Raw, time};
use crate::origin::Origin;
use crate::request::{Request, id_segment};

/// How many profiles a page has: Klaviyo's maximum.
const PAGE_SIZE: &str = "100";

/// The attributes of a profile that a sync needs. No others are requested.
const FIELDS: &str = "email,phone_number,first_name,last_name,joined_group_at,updated";

/// Requests a page of members by join time.
pub(crate) fn request(
    origin: &Origin,
    of: &CollectionRef,
    from: &MembersFrom,
) -> Result<Request, KlaviyoError> {
    let filter = from.joined_from.map(|at| {
        format!(
            "greater-or-equal(joined_group_at,{})",
            at.to_whole_seconds()
        )
    });
    let mut parameters = vec![("fields[profile]", FIELDS), ("page[size]", PAGE_SIZE)];
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

#[derive(Deserialize)]
struct Resource<'a> {
    #[serde(borrow)]
    id: Cow<'a, str>,
    #[serde(borrow, default)]
    attributes: Object<Attributes<'a>>,
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

/// Reads a page of members.
pub(crate) fn read_page(body: &[u8], origin: &Origin) -> Result<MemberPage, KlaviyoError> {
    let document: Many<'_, Resource<'_>> = parse(body)?;
    let next = document.next(origin)?;
    let profiles = document.data.iter().map(read).collect::<Result<_, _>>()?;
    Ok(MemberPage { profiles, next })
}

fn read(resource: &Resource<'_>) -> Result<Profile, KlaviyoError> {
    let attributes = &resource.attributes.0;
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
        assert!(read_page(whole.as_bytes(), &origin()).is_ok());
        for end in 0..whole.len() {
            let cut = read_page(&whole.as_bytes()[..end], &origin());
            assert!(matches!(cut, Err(KlaviyoError::Invalid(_))), "at {end}");
        }
    }

    proptest! {
        #[test]
        fn every_text_is_read_as_it_was_written(text in any::<String>()) {
            let read = read_page(document(&json!({"email": text})).as_bytes(), &origin()).unwrap();
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
                let read = read_page(body.as_bytes(), &origin()).unwrap();
                prop_assert_eq!(&read.profiles[0].email, &Attribute::Unusable);
                prop_assert_eq!(&read.profiles[0].last_name, &Attribute::text("kept"));
            }
        }

        #[test]
        fn arbitrary_bytes_are_refused(body in any::<Vec<u8>>()) {
            prop_assert!(read_page(&body, &origin()).is_err());
        }
    }
}

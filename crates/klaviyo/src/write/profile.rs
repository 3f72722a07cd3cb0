//! `PATCH /api/profiles/{id}` and `POST /api/profile-import`: one profile; `GET /api/profiles`: by e-mail or phone.

use std::collections::BTreeMap;

use fanfare_domain::ids::ProfileId;
use fanfare_domain::klaviyo::{KlaviyoError, MemberLookup};
use fanfare_domain::writing::{
    Change, PersonIds, PersonalText, ProfileChanges, ProfileUpsert, WriteError, WrittenProfile,
};
use reqwest::{Method, StatusCode};
use serde::Serialize;
use serde_json::value::RawValue;

use super::MAX_PROFILE_BYTES;
use super::request::{Data, WriteRequest, raw, refused_row, segment};
use crate::consent::{ADDITIONAL, and_consents};
use crate::document::{Single, broken_id, parse};
use crate::lenient::{Object, Raw, object, time, value};
use crate::member::PAGE_SIZE;
use crate::origin::Origin;
use crate::profile::filter_any;
use crate::request::Request;

/// A value that is left out, or emptied by `null`, or set.
type Value<T> = Option<Option<T>>;

#[derive(Serialize)]
pub(super) struct Attributes<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    phone_number: Value<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    external_id: Value<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    first_name: Value<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_name: Value<&'a str>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    properties: BTreeMap<&'a str, &'a RawValue>,
}

/// The only documented way to empty custom properties.
#[derive(Serialize)]
struct Meta<'a> {
    patch_properties: PatchProperties<'a>,
}

#[derive(Serialize)]
struct PatchProperties<'a> {
    unset: Vec<&'a str>,
}

/// A profile as a row of a request.
#[derive(Serialize)]
pub(super) struct Row<'a> {
    #[serde(rename = "type")]
    of: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<&'a str>,
    attributes: Attributes<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    meta: Option<Meta<'a>>,
}

/// A change, where an identifier that is named for the look-up is sent unless the change says more of it.
fn sent<'a>(change: &'a Change<PersonalText>, known: Option<&'a PersonalText>) -> Value<&'a str> {
    match change {
        Change::Keep => known.map(|text| Some(text.as_str())),
        Change::Set(text) => Some(Some(text.as_str())),
        Change::Clear => Some(None),
    }
}

/// A profile with its identifiers and changes.
pub(super) fn row<'a>(person: &'a PersonIds, changes: &'a ProfileChanges) -> Row<'a> {
    let unset = changes
        .properties
        .iter()
        .filter(|(_, change)| **change == Change::Clear);
    let unset: Vec<&str> = unset.map(|(name, _)| name.as_str()).collect();
    let set = changes
        .properties
        .iter()
        .filter_map(|(name, change)| match change {
            Change::Set(json) => Some((name.as_str(), raw(json.as_str())?)),
            Change::Keep | Change::Clear => None,
        });
    Row {
        of: "profile",
        id: person.profile.as_ref().map(ProfileId::as_str),
        attributes: Attributes {
            email: person.email.as_ref().map(PersonalText::as_str),
            phone_number: sent(&changes.phone, person.phone.as_ref()),
            external_id: sent(&changes.external_id, person.external_id.as_ref()),
            first_name: sent(&changes.first_name, None),
            last_name: sent(&changes.last_name, None),
            properties: set.collect(),
        },
        meta: (!unset.is_empty()).then_some(Meta {
            patch_properties: PatchProperties { unset },
        }),
    }
}

/// Changes one profile. Only what is changed is sent.
pub(super) fn update(
    origin: &Origin,
    profile: &ProfileId,
    changes: &ProfileChanges,
) -> Result<WriteRequest, WriteError> {
    let person = PersonIds {
        profile: Some(profile.clone()),
        ..PersonIds::default()
    };
    let body = Data {
        data: row(&person, changes),
    };
    let path = ["profiles", segment(profile.as_str())?];
    let request = WriteRequest::new(Method::PATCH, origin, path, &body, &[StatusCode::OK])?;
    within_size(request)
}

/// Makes a profile, or changes it.
pub(super) fn upsert(origin: &Origin, profile: &ProfileUpsert) -> Result<WriteRequest, WriteError> {
    if profile.person.is_empty() {
        return Err(refused_row(None, Some("profile"), "no_identifier"));
    }
    let body = Data {
        data: row(&profile.person, &profile.changes),
    };
    let expects = &[StatusCode::OK, StatusCode::CREATED];
    within_size(WriteRequest::new(
        Method::POST,
        origin,
        ["profile-import"],
        &body,
        expects,
    )?)
}

fn within_size(request: WriteRequest) -> Result<WriteRequest, WriteError> {
    if request.body.len() > MAX_PROFILE_BYTES {
        return Err(refused_row(None, None, "too_large"));
    }
    Ok(request)
}

object! {
    struct Written<'a> {
        id: Raw<'a>,
        attributes: Object<WrittenAttributes<'a>>,
    }
}

object! {
    struct WrittenAttributes<'a> {
        updated: Raw<'a>,
    }
}

/// Reads the profile of an answer.
pub(super) fn read_written(text: &str, is_new: bool) -> Result<WrittenProfile, KlaviyoError> {
    let resource: Object<Written<'_>> = parse::<Single<'_>>(text)?.data()?;
    let id = value::<String>(resource.0.id).and_then(|id| ProfileId::parse(id).ok());
    Ok(WrittenProfile {
        id: id.ok_or_else(|| broken_id("profile"))?,
        is_new,
        updated: time(resource.0.attributes.0.updated).unwrap_or_default(),
    })
}

/// The attributes that are read before a write.
const FIELDS: &str = and_consents!("email,phone_number,external_id,first_name,last_name,updated");

/// Requests the profiles that have one of a few e-mails or phone numbers.
pub(super) fn find_request(origin: &Origin, lookup: &MemberLookup) -> Request {
    let (field, values) = match lookup {
        MemberLookup::Emails(emails) => ("email", emails),
        MemberLookup::Phones(phones) => ("phone_number", phones),
    };
    with_external_ids(
        origin,
        &filter_any(field, values.iter().map(String::as_str)),
    )
}

/// Requests these profiles.
pub(super) fn look_request(origin: &Origin, ids: &[ProfileId]) -> Request {
    with_external_ids(origin, &filter_any("id", ids.iter().map(ProfileId::as_str)))
}

fn with_external_ids(origin: &Origin, filter: &str) -> Request {
    let parameters = [
        ("fields[profile]", FIELDS),
        ADDITIONAL,
        ("page[size]", PAGE_SIZE),
        ("filter", filter),
    ];
    Request::get(origin, ["profiles"], &parameters, None)
}

//! What requests do to profiles.

use serde_json::{Map, Value};

use super::Account;
use super::writes::{Identifier, Named};
use crate::journal::Written;
use crate::profiles::{Profile, ProfileId};

/// Why a profile could not be written.
pub(crate) enum ProfileRefusal {
    /// The identifiers belong to several profiles: this is another one than was written to.
    Conflict(String),
    /// A value, at this pointer below the profile, is none.
    Invalid(&'static str, &'static str),
}

impl Account {
    /// Writes a profile's values. A value that is there and null empties, unless `ignores_null`. Answers with the id and whether
    /// it was made.
    pub(crate) fn write_profile(
        &mut self,
        named: &Named,
        target: Option<ProfileId>,
        row: &Value,
        ignores_null: bool,
        at: i64,
    ) -> Result<(String, bool), ProfileRefusal> {
        check(row)?;
        let found = match target {
            Some(id) => Some(id),
            None => self.who(named),
        };
        let attributes = row["attributes"].as_object().cloned().unwrap_or_default();
        for (of, name) in [
            (Identifier::Email, "email"),
            (Identifier::Phone, "phone_number"),
            (Identifier::ExternalId, "external_id"),
        ] {
            let text = attributes.get(name).and_then(Value::as_str);
            let owner = text.and_then(|text| self.who_has(of, text));
            if let Some(owner) = owner
                && Some(&owner) != found.as_ref()
            {
                return Err(ProfileRefusal::Conflict(owner.to_string()));
            }
        }
        let (id, is_new) = match found {
            Some(id) => (id, false),
            None => (self.make(named, at), true),
        };
        let Some(before) = self.profiles.get(&id) else {
            return Ok((id.to_string(), is_new));
        };
        let mut after = before.clone();
        let fields = write_values(&mut after, &attributes, row, ignores_null);
        if after != before {
            self.change(&id, at, |profile| {
                let updated = profile.updated.take();
                *profile = after;
                profile.updated = updated;
            });
            let profile = id.to_string();
            self.writes
                .note(at, Written::ProfileChanged { profile, fields });
        }
        Ok((id.to_string(), is_new))
    }

    pub(super) fn work_job(&mut self, job: &str, at: i64) {
        let Some(found) = self.writes.jobs.get_mut(job) else {
            return;
        };
        let (rows, fails) = (std::mem::take(&mut found.rows), found.fails);
        let (mut errors, mut profiles) = (Vec::new(), Vec::new());
        for row in &rows {
            let named = crate::write::named(row);
            let done = if fails {
                Err(ProfileRefusal::Invalid("", "Invalid input"))
            } else {
                self.write_profile(&named, None, row, true, at)
            };
            match done {
                Ok((id, _)) => profiles.push(id),
                Err(ProfileRefusal::Conflict(_)) => {
                    let detail = "A profile already exists with one of these identifiers.";
                    errors.push((
                        detail.to_owned(),
                        "/data/attributes".to_owned(),
                        row.clone(),
                    ));
                }
                Err(ProfileRefusal::Invalid(pointer, detail)) => {
                    errors.push((detail.to_owned(), format!("/data{pointer}"), row.clone()));
                }
            }
        }
        if let Some(found) = self.writes.jobs.get_mut(job) {
            found.completed = profiles.len();
            found.state = "complete";
            (found.rows, found.errors, found.profiles) = (rows, errors, profiles);
        }
    }
}

/// Whether the values can be a profile's.
fn check(row: &Value) -> Result<(), ProfileRefusal> {
    let attributes = &row["attributes"];
    let is_phone = |text: &str| {
        let digits = text.strip_prefix('+').unwrap_or_default();
        (7..=15).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit())
    };
    if attributes["phone_number"]
        .as_str()
        .is_some_and(|text| !is_phone(text))
    {
        let detail = "Invalid phone number format (Example of a valid format: +12345678901)";
        return Err(ProfileRefusal::Invalid("/attributes/phone_number", detail));
    }
    let is_email = |text: &str| {
        text.split_once('@')
            .is_some_and(|(name, host)| !name.is_empty() && host.contains('.'))
    };
    if attributes["email"]
        .as_str()
        .is_some_and(|text| !is_email(text))
    {
        return Err(ProfileRefusal::Invalid(
            "/attributes/email",
            "Invalid email address",
        ));
    }
    Ok(())
}

/// Writes values into a profile. Answers with their names.
fn write_values(
    profile: &mut Profile,
    attributes: &Map<String, Value>,
    row: &Value,
    ignores_null: bool,
) -> Vec<String> {
    let mut fields = Vec::new();
    let texts = [
        ("email", &mut profile.email),
        ("phone_number", &mut profile.phone_number),
        ("external_id", &mut profile.external_id),
        ("first_name", &mut profile.first_name),
        ("last_name", &mut profile.last_name),
        ("organization", &mut profile.organization),
        ("locale", &mut profile.locale),
        ("title", &mut profile.title),
        ("image", &mut profile.image),
    ];
    for (name, text) in texts {
        let Some(value) = attributes.get(name) else {
            continue;
        };
        if value.is_null() && ignores_null {
            continue;
        }
        let value = value.as_str().map(str::to_owned);
        if *text != value {
            fields.push(name.to_owned());
            *text = value;
        }
    }
    for (name, value) in attributes
        .get("properties")
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
    {
        if !(value.is_null() && ignores_null) {
            profile.properties.insert(name.clone(), value.clone());
            fields.push(format!("properties.{name}"));
        }
    }
    let unset = &row["meta"]["patch_properties"]["unset"];
    let unset = unset
        .as_array()
        .cloned()
        .unwrap_or_else(|| vec![unset.clone()]);
    for name in unset.iter().filter_map(Value::as_str) {
        if profile.properties.remove(name).is_some() {
            fields.push(format!("properties.{name}"));
        }
    }
    fields
}

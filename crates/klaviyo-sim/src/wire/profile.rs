//! Profiles.

use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};
use serde_json::json;

use super::document::Shown;
use super::subscriptions::{predictive_analytics, subscriptions};
use crate::instant;
use crate::profiles::{Location, Profile};
use crate::query::{Fields, leads_somewhere};
use crate::state::known;

/// What is shown of profiles.
#[derive(Debug, Clone)]
pub(crate) struct ProfileView {
    pub(crate) fields: Fields,
    pub(crate) has_subscriptions: bool,
    pub(crate) has_predictions: bool,
    /// Whether attributes outside the specification are shown.
    pub(crate) has_extras: bool,
    /// The link to conversations still has its old name on some endpoints.
    pub(crate) conversations: &'static str,
}

/// A profile as a resource.
pub(crate) struct ProfileResource<'a> {
    pub(crate) profile: Profile,
    /// When it joined, in seconds since the epoch or unknown, where it is a member.
    pub(crate) joined: Option<i64>,
    pub(crate) view: &'a ProfileView,
    pub(crate) base: &'a str,
}

/// Attributes that are always there, unless others are asked for.
const ATTRIBUTES: [&str; 14] = [
    "created",
    "email",
    "external_id",
    "first_name",
    "id",
    "image",
    "last_event_date",
    "last_name",
    "locale",
    "organization",
    "phone_number",
    "properties",
    "title",
    "updated",
];

/// Whether a name can stand in `fields[profile]`.
pub(crate) fn is_field(name: &str, is_member: bool) -> bool {
    let (whole, path) = name.split_once('.').unwrap_or((name, ""));
    let value = match whole {
        "joined_group_at" => return is_member && path.is_empty(),
        "location" => json!(Location::default()),
        "subscriptions" if path.starts_with("whatsapp.") => return true,
        "subscriptions" => subscriptions(&Profile::default()),
        "predictive_analytics" => predictive_analytics(),
        _ => return path.is_empty() && ATTRIBUTES.contains(&whole),
    };
    path.is_empty() || leads_somewhere(&value, path)
}

impl Serialize for ProfileResource<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(5))?;
        map.serialize_entry("type", "profile")?;
        map.serialize_entry("id", &self.profile.id)?;
        map.serialize_entry("attributes", &Attributes(self))?;
        map.serialize_entry("relationships", &Relationships(self))?;
        map.serialize_entry("links", &OwnLink(self))?;
        map.end()
    }
}

struct Attributes<'a>(&'a ProfileResource<'a>);

impl Serialize for Attributes<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let ProfileResource {
            profile,
            joined,
            view,
            ..
        } = self.0;
        let fields = &view.fields;
        let mut map = serializer.serialize_map(None)?;
        let texts = [
            ("email", &profile.email),
            ("phone_number", &profile.phone_number),
            ("external_id", &profile.external_id),
            ("first_name", &profile.first_name),
            ("last_name", &profile.last_name),
            ("organization", &profile.organization),
            ("locale", &profile.locale),
            ("title", &profile.title),
            ("image", &profile.image),
            ("created", &profile.created),
            ("updated", &profile.updated),
            ("last_event_date", &profile.last_event_date),
        ];
        for (name, text) in texts {
            if fields.has(name) {
                map.serialize_entry(name, text)?;
            }
        }
        if fields.has("location") {
            map.serialize_entry("location", &profile.location)?;
        } else if let Some(part) = fields.prune("location", || json!(profile.location)) {
            map.serialize_entry("location", &part)?;
        }
        if fields.has("properties") {
            map.serialize_entry("properties", &profile.properties)?;
        }
        if let Some(joined) = joined.filter(|_| fields.has("joined_group_at")) {
            map.serialize_entry("joined_group_at", &known(joined).map(instant::show))?;
        }
        if !fields.is_sparse() && view.has_extras {
            map.serialize_entry("anonymous_id", &())?;
            map.serialize_entry("whatsapp_bsuid", &())?;
        }
        // Without a path into them, asking for them elsewhere is asking for all of them.
        if view.has_subscriptions {
            let all = || subscriptions(profile);
            let shown = fields.prune("subscriptions", all).unwrap_or_else(all);
            map.serialize_entry("subscriptions", &shown)?;
        }
        if view.has_predictions {
            let shown = fields.prune("predictive_analytics", predictive_analytics);
            let shown = shown.unwrap_or_else(predictive_analytics);
            map.serialize_entry("predictive_analytics", &shown)?;
        }
        map.end()
    }
}

struct Relationships<'a>(&'a ProfileResource<'a>);

impl Serialize for Relationships<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let names = [
            "lists",
            "segments",
            "push-tokens",
            self.0.view.conversations,
        ];
        serializer.collect_map(names.map(|name| (name, Relationship(self.0, name))))
    }
}

struct Relationship<'a>(&'a ProfileResource<'a>, &'a str);

impl Serialize for Relationship<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map([("links", Both(self.0, self.1))])
    }
}

struct Both<'a>(&'a ProfileResource<'a>, &'a str);

impl Serialize for Both<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self(ProfileResource { base, profile, .. }, name) = self;
        let id = &profile.id;
        let mut map = serializer.serialize_map(Some(2))?;
        let own = format_args!("{base}/api/profiles/{id}/relationships/{name}/");
        map.serialize_entry("self", &Shown(own))?;
        let related = format_args!("{base}/api/profiles/{id}/{name}/");
        map.serialize_entry("related", &Shown(related))?;
        map.end()
    }
}

struct OwnLink<'a>(&'a ProfileResource<'a>);

impl Serialize for OwnLink<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let ProfileResource { base, profile, .. } = self.0;
        let id = &profile.id;
        let mut map = serializer.serialize_map(Some(1))?;
        let own = format_args!("{base}/api/profiles/{id}/");
        map.serialize_entry("self", &Shown(own))?;
        map.end()
    }
}

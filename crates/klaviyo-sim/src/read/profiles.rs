//! All profiles of the account, a page of them or one.

use std::cell::OnceCell;
use std::sync::Arc;

use serde_json::{Value, json as value};

use super::{ReadContext, json};
use crate::instant;
use crate::kind::Kind;
use crate::profiles::{Profile, ProfileId};
use crate::query::{
    Condition, CursorPosition, Fields, Filterable, Operator, Tested, ValueKind, is_met,
    seconds_left,
};
use crate::refusal::Refusal;
use crate::state::SortField;
use crate::wire::{self, Many, One, ProfileResource, ProfileView};

const SUPPRESSED: &str = "subscriptions.email.marketing.suppression.timestamp";
const SUPPRESSED_WHY: &str = "subscriptions.email.marketing.suppression.reason";
const LIST_SUPPRESSED: &str = "subscriptions.email.marketing.list_suppressions.timestamp";
const LIST_SUPPRESSED_WHY: &str = "subscriptions.email.marketing.list_suppressions.reason";
const LIST_SUPPRESSED_WHERE: &str = "subscriptions.email.marketing.list_suppressions.list_id";

const SORTABLE: [&str; 6] = [
    "created",
    "email",
    "id",
    "updated",
    SUPPRESSED,
    LIST_SUPPRESSED,
];

const EQUALITY: &[Operator] = &[Operator::Any, Operator::Equals];
const EQUALS: &[Operator] = &[Operator::Equals];
/// Strict comparisons only.
const STRICT: &[Operator] = &[Operator::GreaterThan, Operator::LessThan];
const RANGE: &[Operator] = &[
    Operator::GreaterOrEqual,
    Operator::GreaterThan,
    Operator::LessOrEqual,
    Operator::LessThan,
];

const FILTERABLE: [Filterable; 12] = [
    Filterable {
        name: "id",
        operators: EQUALITY,
        kind: ValueKind::Text,
    },
    Filterable {
        name: "email",
        operators: EQUALITY,
        kind: ValueKind::Text,
    },
    Filterable {
        name: "phone_number",
        operators: EQUALITY,
        kind: ValueKind::Text,
    },
    Filterable {
        name: "external_id",
        operators: EQUALITY,
        kind: ValueKind::Text,
    },
    Filterable {
        name: "_kx",
        operators: EQUALS,
        kind: ValueKind::Text,
    },
    Filterable {
        name: "created",
        operators: STRICT,
        kind: ValueKind::Time,
    },
    Filterable {
        name: "updated",
        operators: STRICT,
        kind: ValueKind::Time,
    },
    Filterable {
        name: SUPPRESSED,
        operators: RANGE,
        kind: ValueKind::Time,
    },
    Filterable {
        name: SUPPRESSED_WHY,
        operators: EQUALS,
        kind: ValueKind::Text,
    },
    Filterable {
        name: LIST_SUPPRESSED,
        operators: RANGE,
        kind: ValueKind::Time,
    },
    Filterable {
        name: LIST_SUPPRESSED_WHY,
        operators: EQUALS,
        kind: ValueKind::Text,
    },
    Filterable {
        name: LIST_SUPPRESSED_WHERE,
        operators: EQUALS,
        kind: ValueKind::Text,
    },
];

impl ReadContext<'_> {
    /// A page of all profiles.
    pub(super) fn profiles(&self) -> Result<Vec<u8>, Refusal> {
        let view = self.profile_view(false)?;
        self.parameters
            .check_include(&["conversations", "push-tokens"])?;
        let conditions = self.conditions(&FILTERABLE)?;
        let sort = self.parameters.sort(&SORTABLE)?;
        let (field, is_descending) = sort.unwrap_or(("id", false));
        let page_query = self.page_query(is_descending)?;

        let order = self.account.order(sort_field(field));
        // What changed lately is found without a look at all the others.
        let is_narrow = ["created", "updated"].contains(&field)
            && conditions.iter().any(|condition| condition.field == field);
        let sorted = if is_narrow {
            order.within(&seconds_left(&conditions, field))
        } else {
            &order.0
        };
        let locate = |position: &CursorPosition| {
            let wanted = (
                position.key.clone(),
                ProfileId::Given(Arc::new(position.id.clone())),
            );
            let before = sorted.partition_point(|position| *position < wanted);
            let with = sorted.partition_point(|position| *position <= wanted);
            (before, with)
        };
        let page = page_query.take_sorted(sorted, locate, |(_, id)| self.meets(id, &conditions));
        let links = self.links(&page, |(key, id)| CursorPosition {
            key: key.clone(),
            id: id.to_string(),
        });
        let shown = page.items.into_iter().filter_map(|(_, id)| {
            Some(ProfileResource {
                profile: self.account.profiles.get(id)?,
                joined: None,
                view: &view,
                base: self.base,
            })
        });
        json(&Many {
            data: shown.collect(),
            included: self.parameters.get("include").map(|_| Vec::new()),
            links,
        })
    }

    /// One profile.
    pub(super) fn profile(&self) -> Result<Vec<u8>, Refusal> {
        let view = self.profile_view(false)?;
        let includable = ["conversations", "lists", "push-tokens", "segments"];
        self.parameters.check_include(&includable)?;
        let missing = || Refusal::no_resource("profile", &self.route.id);
        let id = self
            .account
            .profiles
            .find(&self.route.id)
            .ok_or_else(missing)?;
        let profile = self.account.profiles.get(&id).ok_or_else(missing)?;
        let resource = ProfileResource {
            profile,
            joined: None,
            view: &view,
            base: self.base,
        };
        let mut data = value!(resource);
        let included = self.parameters.get("include").map(|_| {
            let kinds = [Kind::List, Kind::Segment].into_iter();
            let kinds = kinds.filter(|kind| self.parameters.includes(kind.plural()));
            kinds
                .flat_map(|kind| self.include(kind, &id, &mut data))
                .collect()
        });
        json(&One { data, included })
    }

    /// The lists or segments that a profile is in, which are named in its relationships.
    fn include(&self, kind: Kind, id: &ProfileId, data: &mut Value) -> Vec<Value> {
        let collections = self.account.collections.values();
        let joined = collections
            .filter(|collection| collection.kind == kind && collection.joined(id).is_some());
        let (mut included, mut names) = (Vec::new(), Vec::new());
        for collection in joined {
            names.push(value!({"type": kind.noun(), "id": collection.id}));
            let shown = wire::collection(collection, &Fields::All, None, false, self.base);
            included.push(shown);
        }
        data["relationships"][kind.plural()]["data"] = names.into();
        included
    }

    /// What is shown of profiles.
    pub(super) fn profile_view(&self, is_member: bool) -> Result<ProfileView, Refusal> {
        let additional = ["subscriptions", "predictive_analytics"];
        self.parameters
            .check("additional-fields[profile]", &additional, |bad| {
                format!("'{bad}' is not a valid additional field for the resource 'profile'.")
            })?;
        Ok(ProfileView {
            fields: Fields::read(self.parameters, "profile", |name| {
                wire::is_profile_field(name, is_member)
            })?,
            has_subscriptions: self.parameters.adds("profile", "subscriptions"),
            has_predictions: self.parameters.adds("profile", "predictive_analytics"),
            has_extras: self.switches.has_extra_attributes,
            conversations: if is_member {
                "conversation"
            } else {
                "conversations"
            },
        })
    }

    fn meets(&self, id: &ProfileId, conditions: &[Condition]) -> bool {
        let profile = OnceCell::new();
        conditions.iter().all(|condition| {
            if condition.field == "id" {
                return is_met(condition, [Tested::Text(&id.to_string())]);
            }
            let profile = profile.get_or_init(|| self.account.profiles.get(id).unwrap_or_default());
            is_met(condition, tested(profile, condition.field))
        })
    }
}

fn sort_field(name: &str) -> SortField {
    match name {
        "created" => SortField::Created,
        "email" => SortField::Email,
        "updated" => SortField::Updated,
        SUPPRESSED => SortField::Suppressed,
        LIST_SUPPRESSED => SortField::ListSuppressed,
        _ => SortField::Id,
    }
}

fn tested<'a>(profile: &'a Profile, field: &str) -> Vec<Tested<'a>> {
    let text = |text: &'a Option<String>| text.as_deref().map(Tested::Text).into_iter().collect();
    let at = |text: &'a str| instant::micros(text).map(Tested::Time);
    let time = |text: &'a Option<String>| text.as_deref().and_then(at).into_iter().collect();
    let (all, lists) = (&profile.suppressions, &profile.list_suppressions);
    match field {
        "email" => profile
            .email
            .as_deref()
            .map(Tested::Email)
            .into_iter()
            .collect(),
        "phone_number" => text(&profile.phone_number),
        "external_id" => text(&profile.external_id),
        "created" => time(&profile.created),
        "updated" => time(&profile.updated),
        SUPPRESSED => all.iter().filter_map(|one| at(&one.timestamp)).collect(),
        SUPPRESSED_WHY => all.iter().map(|one| Tested::Text(&one.reason)).collect(),
        LIST_SUPPRESSED => lists.iter().filter_map(|one| at(&one.timestamp)).collect(),
        LIST_SUPPRESSED_WHY => lists.iter().map(|one| Tested::Text(&one.reason)).collect(),
        LIST_SUPPRESSED_WHERE => lists.iter().map(|one| Tested::Text(&one.list_id)).collect(),
        _ => Vec::new(),
    }
}

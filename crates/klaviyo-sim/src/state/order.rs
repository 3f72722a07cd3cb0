//! The orders in which all profiles of an account can be read.

use crate::instant;
use crate::profiles::{Profile, ProfileId, ProfileStore};
use crate::query::{Position, SortKey};

/// What all profiles can be sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum SortField {
    Id,
    Email,
    Created,
    Updated,
    Suppressed,
    ListSuppressed,
}

/// Every profile's position, sorted.
pub(crate) struct Order(pub(crate) Vec<Position<ProfileId>>);

impl Order {
    pub(crate) fn of(profiles: &ProfileStore, by: SortField) -> Self {
        let key = |id: &ProfileId| match by {
            SortField::Id => SortKey::Missing,
            _ => profiles
                .get(id)
                .map_or(SortKey::Missing, |who| key(&who, by)),
        };
        let mut order: Vec<_> = profiles.ids().map(|id| (key(&id), id)).collect();
        order.sort_unstable();
        Self(order)
    }
}

fn key(profile: &Profile, by: SortField) -> SortKey {
    let time = |text: &str| instant::micros(text).map_or(SortKey::Missing, SortKey::Time);
    let text = match by {
        SortField::Id => return SortKey::Missing,
        SortField::Email => {
            let email = profile.email.as_deref().map(str::to_lowercase);
            return email.map_or(SortKey::Missing, SortKey::Text);
        }
        SortField::Created => profile.created.as_deref(),
        SortField::Updated => profile.updated.as_deref(),
        SortField::Suppressed => {
            let last = profile.suppressions.last();
            last.map(|suppression| suppression.timestamp.as_str())
        }
        SortField::ListSuppressed => {
            let last = profile.list_suppressions.last();
            last.map(|suppression| suppression.timestamp.as_str())
        }
    };
    text.map_or(SortKey::Missing, time)
}

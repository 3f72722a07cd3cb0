//! The orders in which all profiles of an account can be read.

use std::ops::RangeInclusive;

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
#[derive(Clone)]
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

    /// Moves a profile whose values have changed; without values before or after, it comes or goes.
    pub(super) fn place(
        &mut self,
        by: SortField,
        id: &ProfileId,
        before: Option<&Profile>,
        after: Option<&Profile>,
    ) {
        let position = |profile| (key(profile, by), id.clone());
        if let Some(Ok(at)) = before.map(|before| self.0.binary_search(&position(before))) {
            self.0.remove(at);
        }
        if let Some(position) = after.map(position)
            && let Err(at) = self.0.binary_search(&position)
        {
            self.0.insert(at, position);
        }
    }

    /// The part of the order in which the times lie within these whole seconds.
    pub(crate) fn within(&self, seconds: &RangeInclusive<i64>) -> &[Position<ProfileId>] {
        let begin = SortKey::Time(instant::of_seconds(*seconds.start()));
        let end = SortKey::Time(instant::of_seconds(seconds.end().saturating_add(1)));
        let begin = self.0.partition_point(|(key, _)| *key < begin);
        let end = self.0.partition_point(|(key, _)| *key <= end);
        &self.0[begin.min(end)..end]
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

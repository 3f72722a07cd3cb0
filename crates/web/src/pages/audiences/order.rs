//! In which order audiences are shown, page by page.

use std::cmp::Ordering;

use fanfare_domain::ports::AudienceRecord;

use super::{Counted, ROWS};
use crate::fields::Fields;

/// What the table is sorted by.
pub(super) struct Order {
    pub(super) key: &'static str,
    pub(super) is_down: bool,
}

impl Order {
    pub(super) fn of(fields: &Fields) -> Self {
        let keys = ["name", "members", "status", "source", "created", "updated"];
        let wanted = fields.get("sort").unwrap_or_default();
        Self {
            key: keys
                .into_iter()
                .find(|key| *key == wanted)
                .unwrap_or("name"),
            is_down: fields.get("dir") == Some("desc"),
        }
    }

    fn compare(&self, one: &Counted, other: &Counted) -> Ordering {
        let name = |record: &AudienceRecord| record.audience.name.to_lowercase();
        let collection =
            |record: &AudienceRecord| record.source.as_ref().map(|it| it.collection.clone());
        let ((one, members), (other, others)) = (one, other);
        let by_key = match self.key {
            "members" => members.cmp(others),
            "status" => one.status().cmp(&other.status()),
            "source" => collection(one).cmp(&collection(other)),
            "created" => one.audience.created_at.cmp(&other.audience.created_at),
            "updated" => one.audience.updated_at.cmp(&other.audience.updated_at),
            _ => name(one).cmp(&name(other)),
        };
        let by_key = if self.is_down {
            by_key.reverse()
        } else {
            by_key
        };
        by_key.then_with(|| one.audience.id.cmp(&other.audience.id))
    }

    /// The page that is asked for, and the key of the next one.
    pub(super) fn page(
        &self,
        mut all: Vec<Counted>,
        fields: &Fields,
    ) -> (Vec<Counted>, Option<String>) {
        all.sort_by(|one, other| self.compare(one, other));
        let after = fields.text("after").and_then(|after| {
            let mut ids = all.iter().map(|(record, _)| record.audience.id.as_str());
            ids.position(|id| id == after)
        });
        let shown: Vec<_> = all.drain(after.map_or(0, |at| at + 1)..).collect();
        let next = shown
            .get(ROWS - 1)
            .filter(|_| shown.len() > ROWS)
            .map(|(last, _)| last.audience.id.to_string());
        (shown.into_iter().take(ROWS).collect(), next)
    }
}

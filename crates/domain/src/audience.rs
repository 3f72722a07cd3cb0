//! Audiences: what is stored of one, whether a Klaviyo list or segment fills it or people do, and how it is named.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::time::Duration;

use crate::ids::{AudienceId, SourceId};
use crate::schedule::Intervals;
use crate::source::CollectionRef;
use crate::text_enum::text_enum;
use crate::time::Timestamp;

text_enum! {
    /// Fanfare's kinds of audience groups.
    GroupType {
        /// By value.
        SegmentedValue = "SEGMENTED_VALUE",
        /// By recency, frequency and money.
        Rfm = "RFM",
    }
}

text_enum! {
    /// Fanfare's kinds of audiences, of those that there are here.
    AudienceType {
        /// A Klaviyo list or segment fills it.
        SyncedList = "SYNCED_LIST",
        /// Users and services of the organization say who is in it.
        StaticList = "STATIC_LIST",
    }
}

/// The most consumers that one request adds to an audience or takes out of it.
pub const MAX_MEMBERS_AT_ONCE: usize = 1_000;

/// An audience.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Audience {
    /// Its id.
    pub id: AudienceId,
    /// The source that fills it; `None` of one that is filled by hand.
    pub source: Option<SourceId>,
    /// Its name.
    pub name: String,
    /// Whether a user has named it: a rename in Klaviyo no longer changes the name then.
    pub named_by_hand: bool,
    /// What it is for.
    pub description: Option<String>,
    /// Its icon.
    pub icon_name: Option<String>,
    /// Free data of the organization: JSON text by key.
    pub metadata: Option<BTreeMap<String, String>>,
    /// The group it is in.
    pub group_id: Option<String>,
    /// That group's name.
    pub group_name: Option<String>,
    /// The type of that group.
    pub group_type: Option<GroupType>,
    /// When it was last refreshed, as a caller of the API reported it.
    pub last_refreshed_at: Option<Timestamp>,
    /// Seconds between its own syncs; `None` for manual only.
    pub refresh_interval_seconds: Option<u32>,
    /// When it was made.
    pub created_at: Timestamp,
    /// Who made it.
    pub created_by: String,
    /// When it last changed.
    pub updated_at: Option<Timestamp>,
    /// Who changed it.
    pub updated_by: Option<String>,
    /// Whether it was deleted.
    pub archived: bool,
}

impl Audience {
    /// Its type.
    pub const fn audience_type(&self) -> AudienceType {
        match self.source {
            Some(_) => AudienceType::SyncedList,
            None => AudienceType::StaticList,
        }
    }
}

/// How far an audience's members can be trusted to be those of its list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Freshness {
    /// When a run last succeeded.
    pub last_synced_at: Option<Timestamp>,
    /// When the audience began.
    pub created_at: Timestamp,
    /// Seconds between its own syncs; `None` if it does not sync by itself.
    pub refresh_interval_seconds: Option<u32>,
}

impl Freshness {
    /// Whether the members may be further behind Klaviyo than the interval allows: the last success, or the beginning if
    /// there is none, is older than two intervals and a minute. Never without an interval.
    pub fn is_stale(self, intervals: Intervals, now: Timestamp) -> bool {
        let last = self.last_synced_at.unwrap_or(self.created_at);
        self.refresh_interval_seconds.is_some_and(|seconds| {
            let interval = intervals.in_force(seconds);
            now.since(last) > interval * 2 + Duration::from_mins(1)
        })
    }
}

/// Longest name of an audience, in characters. Klaviyo does not document a limit of its own.
pub const MAX_NAME_CHARS: usize = 255;

/// The part of a list's name that can be stored and shown: trimmed, without control characters, and cut at
/// 255 characters. `None` if nothing is left.
pub fn usable_name(name: &str) -> Option<String> {
    let cut: String = name
        .chars()
        .filter(|c| !c.is_control())
        .skip_while(|c| c.is_whitespace())
        .take(MAX_NAME_CHARS)
        .collect();
    let name = cut.trim_end();
    (!name.is_empty()).then(|| name.to_owned())
}

/// The first `max` characters of a text, without blanks at the end.
fn cut(text: &str, max: usize) -> &str {
    let end = text
        .char_indices()
        .nth(max)
        .map_or(text.len(), |(at, _)| at);
    text[..end].trim_end()
}

/// The name that a list gives its audience: the list's own, or `Klaviyo list ID` if it has no usable one.
pub fn name_from(collection: &CollectionRef, name: Option<&str>) -> String {
    name.and_then(usable_name).unwrap_or_else(|| {
        let (noun, id) = (collection.kind.noun(), id_in_name(collection.id.as_str()));
        format!("Klaviyo {noun} {id}")
    })
}

/// The name that an audience gets if another one has `name` already: `NAME (Klaviyo LISTID)`. Where that is too
/// long, `NAME` is cut, because the id makes the name distinct.
pub fn distinct_name(name: &str, collection: &CollectionRef) -> String {
    let suffix = format!(" (Klaviyo {})", id_in_name(collection.id.as_str()));
    let room = MAX_NAME_CHARS.saturating_sub(suffix.chars().count());
    format!("{}{suffix}", cut(name, room))
}

/// The longest id that is shown whole in a name, in characters: around it the longest frame still has room, and
/// some of the list's name.
const MAX_ID_IN_NAME: usize = 235;

/// The id as it is shown in a name. Of a longer one the beginning is shown and a hash of the whole, so that
/// different ids stay different.
fn id_in_name(id: &str) -> Cow<'_, str> {
    if id.chars().count() <= MAX_ID_IN_NAME {
        return Cow::Borrowed(id);
    }
    // FNV-1a: a name must not change with the version of this program or of the standard library.
    let hash = id.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    });
    Cow::Owned(format!("{}~{hash:016x}", cut(id, MAX_ID_IN_NAME - 17)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::CollectionId;
    use crate::source::CollectionKind;

    fn list() -> CollectionRef {
        CollectionRef {
            kind: CollectionKind::List,
            id: CollectionId::parse("RtPqXs").unwrap(),
        }
    }

    #[test]
    fn an_audience_takes_the_lists_name_or_its_id() {
        assert_eq!(name_from(&list(), Some("  VIP ☆ ")), "VIP ☆");
        assert_eq!(name_from(&list(), Some(" \u{0} ")), "Klaviyo list RtPqXs");
        assert_eq!(name_from(&list(), None), "Klaviyo list RtPqXs");
        assert_eq!(distinct_name("VIP", &list()), "VIP (Klaviyo RtPqXs)");
        assert_eq!(
            name_from(&list(), Some(&"x".repeat(9_999))).chars().count(),
            255
        );
    }

    #[test]
    fn a_long_id_is_shortened_in_a_name_and_stays_distinct() {
        for length in [1, 64, MAX_ID_IN_NAME] {
            assert_eq!(id_in_name(&"x".repeat(length)), "x".repeat(length));
        }
        let (one, other) = ("x".repeat(255), format!("{}y", "x".repeat(254)));
        assert_eq!(id_in_name(&one).chars().count(), MAX_ID_IN_NAME);
        assert_ne!(id_in_name(&one), id_in_name(&other));
        assert!(MAX_ID_IN_NAME + " (Klaviyo )".len() < MAX_NAME_CHARS);
        assert!(MAX_ID_IN_NAME + "Klaviyo segment ".len() <= MAX_NAME_CHARS);
    }
}

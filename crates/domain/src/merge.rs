//! The merge of values from several Klaviyo profiles into one consumer: whose name and number it keeps, and which
//! profile stands for it.
//!
//! Every value remembers the [`Stamp`] that wrote it, and a later stamp replaces an earlier one.
//! The merge is therefore a maximum: commutative, associative and idempotent. The result does not depend
//! on the order of pages, on the number of partitions, or on pages that are read again.

use crate::consumer::ProfileLink;
use crate::ids::{ProfileId, SourceId};
use crate::time::Timestamp;

/// Which profile wrote a value, and when that profile had last changed in Klaviyo. Ordered by
/// time, then by id bytewise; an unknown time is the earliest.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Stamp {
    /// The profile's `updated`.
    pub updated: Option<Timestamp>,
    /// The profile's id.
    pub profile: ProfileId,
}

/// A value and the stamp of the profile that wrote it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stamped<T> {
    /// The value.
    pub value: T,
    /// The stamp of the profile that wrote it; `None` for a value that did not come from Klaviyo, which any
    /// profile replaces.
    pub by: Option<Stamp>,
}

/// Takes `value` if its stamp is not earlier than the stamp of the value there. An absent value never
/// deletes one.
pub fn merge<T>(slot: &mut Option<Stamped<T>>, value: Option<T>, stamp: &Stamp) {
    let Some(value) = value else { return };
    let is_later = slot
        .as_ref()
        .is_none_or(|held| held.by.as_ref() <= Some(stamp));
    if is_later {
        *slot = Some(Stamped {
            value,
            by: Some(stamp.clone()),
        });
    }
}

/// The same for a value that may have been changed in Fanfare itself: then only a profile that changed later replaces it, and
/// fills it where it was emptied on purpose.
pub fn merge_edited<T>(
    slot: &mut Option<Stamped<T>>,
    edited: &mut Option<Timestamp>,
    value: Option<T>,
    stamp: &Stamp,
) {
    if let Some(at) = *edited {
        if value.is_none() || stamp.updated <= Some(at) {
            return;
        }
        *edited = None;
    }
    merge(slot, value, stamp);
}

/// The primary profile of a consumer: the latest of those that are linked to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Primary {
    /// The profile and its time.
    pub stamp: Stamp,
    /// The sync source that is its link.
    pub source: SourceId,
}

/// The primary among a consumer's links: the latest by stamp.
pub fn primary_of<'a>(links: impl IntoIterator<Item = &'a ProfileLink>) -> Option<Primary> {
    links
        .into_iter()
        .map(|link| Primary {
            stamp: link.stamp(),
            source: link.source.clone(),
        })
        .max_by(|a, b| a.stamp.cmp(&b.stamp))
}

//! What happened around one consumer, the latest first: what came of it here, and what went to Klaviyo.
//!
//! Memberships, deliveries and the consumer's own row are kept apart, and each in an order of its own. A page takes the latest of
//! all three, and its key says how far it has come in each, so that nothing is left out or shown twice whatever the clocks
//! of those times were.

use crate::delivery::{Delivery, Place};
use crate::history::ChangeKind;
use crate::ids::AudienceId;
use crate::time::Timestamp;

/// Since and until when the consumer was a member of an audience.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Stay {
    /// Of which audience.
    pub audience: AudienceId,
    /// The first moment of the membership.
    pub began: Timestamp,
    /// The first moment after it; `None` while it lasts.
    pub ended: Option<Timestamp>,
}

impl Stay {
    /// Its beginning and its end.
    pub fn changes(&self) -> impl Iterator<Item = MembershipChange> {
        let change = |kind, at| MembershipChange {
            at,
            kind,
            audience: self.audience.clone(),
        };
        let left = self.ended.map(|at| change(ChangeKind::Left, at));
        std::iter::once(change(ChangeKind::Joined, self.began)).chain(left)
    }
}

/// A membership of the consumer that began or ended. Changes have an order: by time, kind and audience.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct MembershipChange {
    /// When.
    pub at: Timestamp,
    /// Which of both.
    pub kind: ChangeKind,
    /// Of which audience.
    pub audience: AudienceId,
}

/// What is known of the consumer's own row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mark {
    /// When.
    pub at: Timestamp,
    /// Whether it was made then, or last changed.
    pub is_creation: bool,
    /// Who did it.
    pub by: String,
}

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Moment {
    /// The consumer was made, or last changed.
    Mark(Mark),
    /// The consumer joined or left an audience.
    Membership(MembershipChange),
    /// Klaviyo was told something, or is to be told.
    Delivery(Box<Delivery>),
}

impl Moment {
    /// When it happened.
    pub const fn at(&self) -> Timestamp {
        match self {
            Self::Mark(mark) => mark.at,
            Self::Membership(change) => change.at,
            Self::Delivery(delivery) => delivery.created_at,
        }
    }
}

/// How far a reader has come.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TimelineKey {
    /// The last delivery that was shown.
    pub delivery: Option<Place>,
    /// The last change of membership.
    change: Option<(Timestamp, ChangeKind, AudienceId)>,
    /// How many of the marks were shown.
    marks: usize,
}

impl TimelineKey {
    /// The key as text.
    pub fn to_text(&self) -> String {
        let place = self.delivery.map(Place::to_text).unwrap_or_default();
        let marks = self.marks;
        match &self.change {
            None => format!("{place}.{marks}"),
            Some((at, kind, audience)) => {
                format!("{place}.{marks}.{}.{kind}.{audience}", at.as_micros())
            }
        }
    }

    /// Reads the text; `None` if no page has such a key.
    pub fn parse(text: &str) -> Option<Self> {
        let parts: Vec<&str> = text.split('.').collect();
        let (place, marks, change) = match parts[..] {
            [place, marks] => (place, marks, None),
            [place, marks, at, kind, audience] => {
                let at = Timestamp::from_micros(at.parse().ok()?)?;
                let kind = ChangeKind::parse(kind)?;
                let audience = AudienceId::parse(audience).ok()?;
                (place, marks, Some((at, kind, audience)))
            }
            _ => return None,
        };
        let delivery = match place {
            "" => None,
            place => Some(Place::parse(place)?),
        };
        Some(Self {
            delivery,
            change,
            marks: marks.parse().ok()?,
        })
    }

    fn is_after(&self, change: &MembershipChange) -> bool {
        let key = (change.at, change.kind, change.audience.clone());
        self.change.as_ref().is_none_or(|last| key < *last)
    }
}

/// The latest moments after a key, at most `first`, and the key of the next page if there is one.
///
/// `changes` and `marks` are all that there are, in any order. `deliveries` are the latest after the key's place, the latest first: one
/// more than `first`, if there are so many.
pub fn page_of(
    key: &TimelineKey,
    first: usize,
    mut marks: Vec<Mark>,
    changes: Vec<MembershipChange>,
    deliveries: Vec<Delivery>,
) -> (Vec<Moment>, Option<TimelineKey>) {
    marks.sort_by_key(|mark| (mark.is_creation, std::cmp::Reverse(mark.at)));
    let mut changes: Vec<MembershipChange> = changes
        .into_iter()
        .filter(|change| key.is_after(change))
        .collect();
    changes.sort_unstable_by(|one, other| other.cmp(one));
    let mut marks = marks.into_iter().skip(key.marks).peekable();
    let mut changes = changes.into_iter().peekable();
    let mut deliveries = deliveries.into_iter().peekable();
    let (mut moments, mut next) = (Vec::new(), key.clone());
    loop {
        // Of one time the delivery comes first, as the latest. The consumer was made before everything else, also where it was
        // written a moment after its first membership.
        let of_delivery = deliveries.peek().map(|delivery| (delivery.created_at, 2));
        let of_change = changes.peek().map(|change| (change.at, 1));
        let of_mark = marks.peek().map(|mark| {
            let at = if mark.is_creation {
                Timestamp::EPOCH
            } else {
                mark.at
            };
            (at, 0)
        });
        let Some(latest) = of_delivery.max(of_change).max(of_mark) else {
            return (moments, None);
        };
        if moments.len() >= first {
            return (moments, Some(next));
        }
        if of_delivery == Some(latest) {
            moments.extend(deliveries.next().map(|delivery| {
                next.delivery = Some(delivery.place);
                Moment::Delivery(Box::new(delivery))
            }));
        } else if of_change == Some(latest) {
            moments.extend(changes.next().map(|change| {
                next.change = Some((change.at, change.kind, change.audience.clone()));
                Moment::Membership(change)
            }));
        } else {
            moments.extend(marks.next().map(|mark| {
                next.marks += 1;
                Moment::Mark(mark)
            }));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::delivery::{DeliveryKind, DeliveryStatus};
    use crate::ids::DeliveryId;
    use proptest::prelude::*;

    fn time(second: i64) -> Timestamp {
        Timestamp::from_micros(second * 1_000_000).unwrap()
    }

    fn delivery(place: u64, second: i64) -> Delivery {
        Delivery {
            id: DeliveryId::parse(format!("dlv_{place}")).unwrap(),
            place: Place(place),
            kind: DeliveryKind::Event,
            type_name: "draw.consumer.won".to_owned(),
            consumer: None,
            target: None,
            status: DeliveryStatus::Sent,
            attempts: 1,
            created_at: time(second),
            sent_at: None,
            code: None,
            detail: None,
        }
    }

    fn change(second: i64, joined: bool, audience: u8) -> MembershipChange {
        MembershipChange {
            at: time(second),
            kind: if joined {
                ChangeKind::Joined
            } else {
                ChangeKind::Left
            },
            audience: AudienceId::parse(format!("aud_{audience}")).unwrap(),
        }
    }

    fn mark(second: i64, is_creation: bool) -> Mark {
        Mark {
            at: time(second),
            is_creation,
            by: "system:klaviyo".to_owned(),
        }
    }

    #[test]
    fn what_came_and_what_went_stand_in_one_order() {
        let (moments, next) = page_of(
            &TimelineKey::default(),
            10,
            vec![mark(2, true), mark(4, false)],
            vec![change(1, true, 1), change(3, false, 1)],
            vec![delivery(2, 4), delivery(1, 2)],
        );
        let told: Vec<String> = moments
            .iter()
            .map(|moment| match moment {
                Moment::Mark(mark) if mark.is_creation => "made".to_owned(),
                Moment::Mark(_) => "changed".to_owned(),
                Moment::Membership(change) => change.kind.to_string(),
                Moment::Delivery(delivery) => delivery.id.to_string(),
            })
            .collect();
        let want = ["dlv_2", "changed", "LEFT", "dlv_1", "JOINED", "made"];
        assert_eq!((told, next), (want.map(str::to_owned).to_vec(), None));
    }

    #[test]
    fn a_text_that_is_no_key_is_none() {
        for text in [
            "",
            ".",
            "1",
            "1.2.3",
            "x.0",
            ".x",
            "..0",
            ".0.1.JOINED",
            ".0.x.JOINED.aud_1",
        ] {
            assert_eq!(TimelineKey::parse(text), None, "{text:?}");
        }
        assert_eq!(TimelineKey::parse(".0"), Some(TimelineKey::default()));
    }

    proptest! {
        #[test]
        fn pages_of_every_size_show_each_moment_once_and_in_the_order_of_one_page(
            seconds in proptest::collection::vec(0_i64..6, 0..8),
            changes in proptest::collection::btree_set((0_i64..6, any::<bool>(), 0_u8..3), 0..8),
            marks in proptest::collection::vec(0_i64..6, 0..3),
            size in 1_usize..5,
        ) {
            // Times of deliveries need not follow their order.
            let mut deliveries: Vec<Delivery> =
                (1..).zip(&seconds).map(|(place, second)| delivery(place, *second)).collect();
            deliveries.reverse();
            let changes: Vec<_> = changes.into_iter().map(|(at, joined, of)| change(at, joined, of)).collect();
            let marks: Vec<_> = marks.into_iter().map(|at| mark(at, false)).collect();
            let (all, none) = page_of(
                &TimelineKey::default(), usize::MAX, marks.clone(), changes.clone(), deliveries.clone(),
            );
            prop_assert_eq!(none, None);
            prop_assert_eq!(all.len(), deliveries.len() + changes.len() + marks.len());
            let (mut shown, mut key) = (Vec::new(), TimelineKey::default());
            loop {
                let rest = deliveries.iter().filter(|one| key.delivery.is_none_or(|last| one.place < last));
                let rest: Vec<Delivery> = rest.take(size + 1).cloned().collect();
                let (page, next) = page_of(&key, size, marks.clone(), changes.clone(), rest);
                prop_assert!(page.len() <= size);
                shown.extend(page);
                let Some(next) = next else { break };
                key = TimelineKey::parse(&next.to_text()).unwrap();
                prop_assert_eq!(&key, &next);
            }
            prop_assert_eq!(shown, all);
        }
    }
}

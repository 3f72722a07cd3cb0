//! The members of a list or segment.

use std::ops::Bound;
use std::sync::Arc;

use super::{ReadContext, json};
use crate::instant;
use crate::kind::Kind;
use crate::profiles::ProfileId;
use crate::query::SortKey;
use crate::query::{
    Condition, CursorPosition, Filterable, Operator, Page, PageQuery, Tested, ValueKind, is_met,
    seconds_left,
};
use crate::refusal::Refusal;
use crate::state::{Collection, known};
use crate::wire::{Identifier, Many, ProfileResource};

const EQUALITY: &[Operator] = &[Operator::Any, Operator::Equals];
const RANGE: &[Operator] = &[
    Operator::GreaterOrEqual,
    Operator::GreaterThan,
    Operator::LessOrEqual,
    Operator::LessThan,
];

const JOINED: &str = "joined_group_at";

/// All but the last can be asked of a list.
const FILTERABLE: [Filterable; 6] = [
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
        name: "push_token",
        operators: EQUALITY,
        kind: ValueKind::Text,
    },
    Filterable {
        name: "_kx",
        operators: &[Operator::Equals],
        kind: ValueKind::Text,
    },
    Filterable {
        name: JOINED,
        operators: RANGE,
        kind: ValueKind::Time,
    },
    Filterable {
        name: "profile_id",
        operators: EQUALITY,
        kind: ValueKind::Text,
    },
];

/// A member: its place in the order of joining, which is the time in seconds since the epoch if that is known,
/// and its id.
type Member<'a> = (i64, &'a ProfileId);

impl ReadContext<'_> {
    /// A page of members with their values.
    pub(super) fn members(&self, kind: Kind) -> Result<Vec<u8>, Refusal> {
        let view = self.profile_view(true)?;
        self.parameters.check_include(&[])?;
        let (page, position) = self.member_page(kind)?;
        let links = self.links(&page, position);
        let shown = page.items.into_iter().filter_map(|(joined, id)| {
            Some(ProfileResource {
                profile: self.account.profiles.get(id)?,
                joined: Some(joined),
                view: &view,
                base: self.base,
            })
        });
        json(&Many {
            data: shown.collect(),
            included: None,
            links,
        })
    }

    /// A page of members' ids.
    pub(super) fn member_ids(&self, kind: Kind) -> Result<Vec<u8>, Refusal> {
        let (page, position) = self.member_page(kind)?;
        let links = self.links(&page, position);
        let shown = page.items.iter().map(|(_, id)| Identifier {
            kind: "profile",
            id: *id,
        });
        json(&Many {
            data: shown.collect(),
            included: None,
            links,
        })
    }

    /// The page that is asked for, and how the cursor position of a member is made.
    fn member_page(
        &self,
        kind: Kind,
    ) -> Result<
        (
            Page<Member<'_>>,
            impl Fn(&Member<'_>) -> CursorPosition + use<>,
        ),
        Refusal,
    > {
        let fields = match kind {
            Kind::List => &FILTERABLE[..5],
            Kind::Segment => &FILTERABLE[..],
        };
        let conditions = self.conditions(fields)?;
        let sort = self.parameters.sort(&[JOINED])?;
        let page_query = self.page_query(sort.is_some_and(|(_, is_descending)| is_descending))?;
        let by_join = sort.is_some() || !self.switches.sorts_by_id;
        let found = self.account.collection(kind, &self.route.id);
        let found = found.ok_or_else(|| Refusal::no_collection(kind.noun(), &self.route.id))?;

        let members = if by_join {
            by_join_from(found, &page_query, &conditions)?
        } else {
            by_id_from(found, &page_query)
        };
        let wanted = members.filter(|member| self.is_wanted(member, &conditions));
        let page = page_query.take(wanted);
        let position = move |(joined, id): &Member<'_>| CursorPosition {
            key: if by_join {
                SortKey::Time(*joined)
            } else {
                SortKey::Missing
            },
            id: id.to_string(),
        };
        Ok((page, position))
    }

    fn is_wanted(&self, (joined, id): &Member<'_>, conditions: &[Condition]) -> bool {
        conditions.iter().all(|condition| match condition.field {
            JOINED => {
                let tested = known(*joined).map(|joined| Tested::Time(instant::of_seconds(joined)));
                is_met(condition, tested)
            }
            "profile_id" => is_met(condition, [Tested::Text(&id.to_string())]),
            "email" | "phone_number" => {
                let profile = self.account.profiles.get(id);
                profile.is_some_and(|profile| {
                    let tested = match condition.field {
                        "email" => profile.email.as_deref().map(Tested::Email),
                        _ => profile.phone_number.as_deref().map(Tested::Text),
                    };
                    is_met(condition, tested)
                })
            }
            // No profile has a push token or a cookie here.
            _ => false,
        })
    }
}

type Members<'a> = Box<dyn Iterator<Item = Member<'a>> + 'a>;

fn by_join_from<'a>(
    collection: &'a Collection,
    page_query: &PageQuery,
    conditions: &[Condition],
) -> Result<Members<'a>, Refusal> {
    let first = || ProfileId::Given(Arc::default());
    let seconds = seconds_left(conditions, JOINED);
    let mut low = Bound::Included((*seconds.start(), first()));
    // Members who joined in the last second are within.
    let mut high = match seconds.end().checked_add(1) {
        Some(after) => Bound::Excluded((after, first())),
        None => Bound::Unbounded,
    };
    if let Some(position) = &page_query.from {
        let SortKey::Time(joined) = position.key else {
            return Err(Refusal::cursor());
        };
        let position = (joined, ProfileId::Given(Arc::new(position.id.clone())));
        if page_query.is_reversed() {
            if !matches!(&high, Bound::Excluded(bound) if *bound < position) {
                high = Bound::Excluded(position);
            }
        } else if !matches!(&low, Bound::Included(bound) if *bound > position) {
            low = Bound::Excluded(position);
        }
    }
    if is_nothing(&low, &high) {
        return Ok(Box::new(std::iter::empty()));
    }
    let range = collection.by_join().range((low, high));
    let range = range.map(|(joined, id)| (*joined, id));
    Ok(if page_query.is_reversed() {
        Box::new(range.rev())
    } else {
        Box::new(range)
    })
}

fn by_id_from<'a>(collection: &'a Collection, page_query: &PageQuery) -> Members<'a> {
    let position = page_query.from.as_ref();
    let position =
        position.map(|position| Bound::Excluded(ProfileId::Given(Arc::new(position.id.clone()))));
    let position = position.unwrap_or(Bound::Unbounded);
    let member = |(id, joined): (&'a ProfileId, &'a i64)| (*joined, id);
    if page_query.is_reversed() {
        let range = collection.by_id().range((Bound::Unbounded, position));
        Box::new(range.rev().map(member))
    } else {
        let range = collection.by_id().range((position, Bound::Unbounded));
        Box::new(range.map(member))
    }
}

/// Whether nothing lies between the bounds. Such a range must not be asked for.
fn is_nothing<T: Ord>(low: &Bound<T>, high: &Bound<T>) -> bool {
    match (low, high) {
        (Bound::Included(low), Bound::Included(high)) => low > high,
        (
            Bound::Included(low) | Bound::Excluded(low),
            Bound::Included(high) | Bound::Excluded(high),
        ) => low >= high,
        _ => false,
    }
}

//! Lists and segments, a page of them or one.

use super::{ReadContext, json};
use crate::instant;
use crate::kind::Kind;
use crate::query::{
    Condition, CursorPosition, Fields, Filterable, Operator, Tested, ValueKind, is_met,
};
use crate::query::{Position, SortKey};
use crate::refusal::Refusal;
use crate::state::Collection;
use crate::wire::{self, Many, One};

const INCLUDABLE: [&str; 2] = ["tags", "flow-triggers"];
const SORTABLE: [&str; 4] = ["created", "id", "name", "updated"];

const EQUALITY: &[Operator] = &[Operator::Any, Operator::Equals];
const LATER: &[Operator] = &[Operator::GreaterThan];

const fn filterable(
    name: &'static str,
    operators: &'static [Operator],
    kind: ValueKind,
) -> Filterable {
    Filterable {
        name,
        operators,
        kind,
    }
}

/// The first four are all that a list has.
const FILTERABLE: [Filterable; 6] = [
    filterable("id", EQUALITY, ValueKind::Text),
    filterable("name", EQUALITY, ValueKind::Text),
    filterable("created", LATER, ValueKind::Time),
    filterable("updated", LATER, ValueKind::Time),
    filterable("is_active", EQUALITY, ValueKind::Flag),
    filterable("is_starred", &[Operator::Equals], ValueKind::Flag),
];

impl ReadContext<'_> {
    /// A page of lists or segments.
    pub(super) fn collections(&self, kind: Kind) -> Result<Vec<u8>, Refusal> {
        let fields = self.collection_fields(kind, false)?;
        self.parameters.check_include(&INCLUDABLE)?;
        let conditions = self.collection_conditions(kind)?;
        let sort = self.parameters.sort(&SORTABLE)?;
        let (field, is_descending) = sort.unwrap_or(("id", false));
        let page_query = self.page_query(is_descending)?;

        let of_kind = self.account.collections.values();
        let of_kind = of_kind.filter(|collection| {
            let meets = |condition| meets(collection, condition);
            collection.kind == kind && conditions.iter().all(meets)
        });
        let mut sorted: Vec<(Position<&str>, &Collection)> = of_kind
            .map(|collection| ((key(collection, field), collection.id.as_str()), collection))
            .collect();
        sorted.sort_by(|(a, _), (b, _)| a.cmp(b));
        let locate = |position: &CursorPosition| {
            let position = (&position.key, position.id.as_str());
            let before = sorted.partition_point(|((key, id), _)| (key, *id) < position);
            let with = sorted.partition_point(|((key, id), _)| (key, *id) <= position);
            (before, with)
        };
        let page = page_query.take_sorted(&sorted, locate, |_| true);
        let mut links = self.links(&page, |((key, id), _)| CursorPosition {
            key: key.clone(),
            id: (*id).to_owned(),
        });
        let is_first = page_query.from.is_none();
        if is_first && kind == Kind::List && self.switches.has_odd_prev {
            let filter = self.parameters.get("filter").unwrap_or_default();
            let query = self.parameters.with_cursor(&format!("<Filters: {filter}>"));
            links.prev = Some(format!("{}{}?{query}", self.base, self.path));
        }
        let has_tags = self.parameters.includes("tags");
        let shown = page.items.into_iter().map(|(_, collection)| {
            wire::collection(collection, &fields, None, has_tags, self.base)
        });
        json(&Many {
            data: shown.collect(),
            included: self.parameters.get("include").map(|_| Vec::new()),
            links,
        })
    }

    /// One list or segment.
    pub(super) fn collection(&self, kind: Kind) -> Result<Vec<u8>, Refusal> {
        let fields = self.collection_fields(kind, true)?;
        self.parameters.check_include(&INCLUDABLE)?;
        let noun = kind.noun();
        let additional = format!("additional-fields[{noun}]");
        self.parameters
            .check(&additional, &["profile_count"], |bad| {
                format!("'{bad}' is not a valid additional field for the resource '{noun}'.")
            })?;
        let found = self.account.collection(kind, &self.route.id);
        let found = found.ok_or_else(|| Refusal::no_collection(noun, &self.route.id))?;
        let is_counted = self.parameters.adds(noun, "profile_count");
        let count = is_counted.then(|| found.counted(self.now));
        let has_tags = self.parameters.includes("tags");
        json(&One {
            data: wire::collection(found, &fields, count, has_tags, self.base),
            included: self.parameters.get("include").map(|_| Vec::new()),
        })
    }

    fn collection_fields(&self, kind: Kind, is_single: bool) -> Result<Fields, Refusal> {
        Fields::read(self.parameters, kind.noun(), |name| match name {
            "id" | "name" | "created" | "updated" => true,
            "opt_in_process" => kind == Kind::List,
            "definition"
            | "definition.condition_groups"
            | "is_active"
            | "is_processing"
            | "is_starred" => kind == Kind::Segment,
            "profile_count" => is_single,
            _ => false,
        })
    }

    fn collection_conditions(&self, kind: Kind) -> Result<Vec<Condition>, Refusal> {
        let fields = match kind {
            Kind::List => &FILTERABLE[..4],
            Kind::Segment => &FILTERABLE[..],
        };
        self.conditions(fields)
    }

    pub(super) fn conditions(&self, fields: &[Filterable]) -> Result<Vec<Condition>, Refusal> {
        let filter = self.parameters.get("filter");
        filter.map_or(Ok(Vec::new()), |filter| {
            Condition::parse(filter, fields, self.switches.most_values)
        })
    }
}

fn key(collection: &Collection, field: &str) -> SortKey {
    match field {
        "created" => SortKey::Time(collection.created),
        "updated" => SortKey::Time(collection.updated),
        "name" => collection
            .name
            .clone()
            .map_or(SortKey::Missing, SortKey::Text),
        _ => SortKey::Missing,
    }
}

fn meets(collection: &Collection, condition: &Condition) -> bool {
    let tested = match condition.field {
        "id" => Tested::Text(&collection.id),
        "name" => collection
            .name
            .as_deref()
            .map_or(Tested::Missing, Tested::Text),
        "created" => Tested::Time(instant::of_seconds(collection.created)),
        "updated" => Tested::Time(instant::of_seconds(collection.updated)),
        "is_active" => Tested::Flag(collection.is_active),
        // Accepted and ignored, as was seen.
        _ => return true,
    };
    is_met(condition, [tested])
}

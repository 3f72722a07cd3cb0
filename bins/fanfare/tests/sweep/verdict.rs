//! Where canaries were found that must not be there.

use std::collections::BTreeSet;

use crate::canary::{Canary, Form, Kind};
use crate::evidence::{Evidence, Shows};
use crate::finder::Finder;
use crate::store::{Cell, Store};

/// The columns in which people's values are kept.
fn is_of_people(cell: &Cell) -> bool {
    cell.table == "consumers" && ["email", "phone", "full_name"].contains(&cell.column.as_str())
}

/// Where people may be, only as they are.
fn everything_but_people(kind: Kind, form: Form) -> bool {
    kind != Kind::Person || form != Form::Plain
}

/// What was found in what was said.
pub(crate) fn of_evidence(evidence: &Evidence, canaries: &[Canary]) -> BTreeSet<String> {
    let everything = Finder::of(canaries, |_, _| true);
    let but_people = Finder::of(canaries, everything_but_people);
    let pieces = evidence.pieces.borrow();
    let found = pieces.iter().flat_map(|piece| {
        let finder = match piece.shows {
            Shows::Nobody => &everything,
            Shows::People => &but_people,
        };
        let names = finder.find(&piece.bytes);
        let at = |name: &str| format!("{name} in {}", piece.of);
        names.into_iter().map(at).collect::<Vec<_>>()
    });
    found.collect()
}

/// What was found in a store.
pub(crate) fn of_store(store: &Store, canaries: &[Canary]) -> BTreeSet<String> {
    let mut found = of_cells(&store.cells(), canaries);
    let finder = Finder::of(canaries, everything_but_people);
    for (name, bytes) in store.files() {
        let names = finder.find(&bytes).into_iter();
        found.extend(names.map(|canary| format!("{canary} in {name}")));
    }
    found
}

fn of_cells(cells: &[Cell], canaries: &[Canary]) -> BTreeSet<String> {
    let everything = Finder::of(canaries, |_, _| true);
    let but_people = Finder::of(canaries, everything_but_people);
    let found = cells.iter().flat_map(|cell| {
        let finder = if is_of_people(cell) {
            &but_people
        } else {
            &everything
        };
        let names = finder.find(&cell.bytes).into_iter();
        names.map(move |name| format!("{name} in {}.{}", cell.table, cell.column))
    });
    found.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::canary::FORMS;

    /// How many writings of such a canary are not found.
    fn overlooked(kind: Kind, shows: Shows) -> usize {
        let text = "canary+7f3a@sweep";
        let canary = Canary {
            kind,
            text: text.to_owned(),
        };
        let evidence = Evidence::default();
        let writings = FORMS.iter().flat_map(|form| form.of(text));
        for (number, writing) in writings.enumerate() {
            evidence.add(format!("piece {number}"), shows, format!("<{writing}>"));
        }
        let all = evidence.pieces.borrow().len();
        all - of_evidence(&evidence, &[canary]).len()
    }

    #[test]
    fn only_what_is_taken_over_may_be_shown_and_only_as_it_is() {
        for kind in [Kind::Secret, Kind::Person, Kind::Stray] {
            assert_eq!(overlooked(kind, Shows::Nobody), 0);
        }
        assert_eq!(overlooked(Kind::Person, Shows::People), 1);
        assert_eq!(overlooked(Kind::Secret, Shows::People), 0);
        assert_eq!(overlooked(Kind::Stray, Shows::People), 0);
    }

    #[test]
    fn a_key_in_any_column_is_found_and_a_person_in_any_but_their_own() {
        let cell = |table: &str, column: &str| Cell {
            table: table.to_owned(),
            column: column.to_owned(),
            bytes: b"canary7f3a".to_vec(),
        };
        let of = |kind| {
            let text = "canary7f3a".to_owned();
            let cells = [
                cell("Jobs", "job"),
                cell("consumers", "created_by"),
                cell("consumers", "email"),
            ];
            of_cells(&cells, &[Canary { kind, text }])
        };
        assert_eq!(of(Kind::Secret).len(), 3);
        assert_eq!(of(Kind::Stray).len(), 3);
        assert_eq!(of(Kind::Person).len(), 2);
    }
}

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
    let everything = Finder::of(canaries, |_, _| true);
    let but_people = Finder::of(canaries, everything_but_people);
    let mut found = BTreeSet::new();
    for cell in store.cells() {
        let finder = if is_of_people(&cell) {
            &but_people
        } else {
            &everything
        };
        let names = finder.find(&cell.bytes);
        let at = |name| format!("{name} in {}.{}", cell.table, cell.column);
        found.extend(names.into_iter().map(at));
    }
    for (name, bytes) in store.files() {
        let names = but_people.find(&bytes);
        found.extend(
            names
                .into_iter()
                .map(|canary| format!("{canary} in {name}")),
        );
    }
    found
}

//! Findings: canaries that were found where they do not belong.

use std::collections::BTreeSet;

use crate::canary::{Canary, Form, Kind};
use crate::capture::{Allowed, Captured};
use crate::finder::Finder;
use crate::store::{Cell, Store};

/// Whether personal values belong in this column.
fn may_hold_profiles(cell: &Cell) -> bool {
    let columns: &[&str] = match cell.table.as_str() {
        "consumers" => &["email", "phone", "full_name", "search_text"],
        // What both sides have of a person.
        "contacts" => &["state"],
        // What is sent says who it is about, until it was sent.
        "deliveries" => &["payload"],
        _ => &[],
    };
    columns.contains(&cell.column.as_str())
}

/// What to look for where imported values may stand, but only in plain text.
fn all_but_imported_in_plain(kind: Kind, form: Form) -> bool {
    kind != Kind::Imported || form != Form::Plain
}

/// The findings in captured output.
pub(crate) fn of_evidence(captured: &Captured, canaries: &[Canary]) -> BTreeSet<String> {
    let everything = Finder::of(canaries, |_, _| true);
    let but_imported = Finder::of(canaries, all_but_imported_in_plain);
    let outputs = captured.outputs.borrow();
    let found = outputs.iter().flat_map(|output| {
        let finder = match output.allowed {
            Allowed::Nothing => &everything,
            Allowed::Profiles => &but_imported,
        };
        let names = finder.find(&output.bytes);
        let at = |name: &str| format!("{name} in {}", output.of);
        names.into_iter().map(at).collect::<Vec<_>>()
    });
    found.collect()
}

/// The findings in a store.
pub(crate) fn of_store(store: &Store, canaries: &[Canary]) -> BTreeSet<String> {
    let mut found = of_cells(&store.cells(), canaries);
    let finder = Finder::of(canaries, all_but_imported_in_plain);
    for (name, bytes) in store.files() {
        let names = finder.find(&bytes).into_iter();
        found.extend(names.map(|canary| format!("{canary} in {name}")));
    }
    found
}

fn of_cells(cells: &[Cell], canaries: &[Canary]) -> BTreeSet<String> {
    let everything = Finder::of(canaries, |_, _| true);
    let but_imported = Finder::of(canaries, all_but_imported_in_plain);
    let found = cells.iter().flat_map(|cell| {
        let finder = if may_hold_profiles(cell) {
            &but_imported
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

    /// How many forms of such a canary are not found.
    fn missed(kind: Kind, allowed: Allowed) -> usize {
        let text = "canary+7f3a@leaks";
        let canary = Canary {
            kind,
            text: text.to_owned(),
        };
        let captured = Captured::default();
        let writings = FORMS.iter().flat_map(|form| form.of(text));
        for (number, writing) in writings.enumerate() {
            captured.add(format!("output {number}"), allowed, format!("<{writing}>"));
        }
        let all = captured.outputs.borrow().len();
        all - of_evidence(&captured, &[canary]).len()
    }

    #[test]
    fn only_imported_values_may_be_shown_and_only_in_plain_text() {
        for kind in [Kind::Secret, Kind::Imported, Kind::NotImported] {
            assert_eq!(missed(kind, Allowed::Nothing), 0);
        }
        assert_eq!(missed(Kind::Imported, Allowed::Profiles), 1);
        assert_eq!(missed(Kind::Secret, Allowed::Profiles), 0);
        assert_eq!(missed(Kind::NotImported, Allowed::Profiles), 0);
    }

    #[test]
    fn a_key_is_found_in_any_column_and_an_imported_value_in_any_but_its_own() {
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
        assert_eq!(of(Kind::NotImported).len(), 3);
        assert_eq!(of(Kind::Imported).len(), 2);
    }
}

//! Tables, their headings and pages, and tabs.

use maud::{Markup, html};

use super::values::number;
use crate::fields::Fields;
use crate::texts;

/// A table in a frame that scrolls sideways where the screen is narrow.
pub(crate) fn table(caption: &str, headings: &Markup, rows: &Markup) -> Markup {
    html! {
        div.table-frame tabindex="0" role="region" aria-label=(caption) {
            table {
                caption.hidden { (caption) }
                thead { tr { (headings) } }
                tbody { (rows) }
            }
        }
    }
}

/// The heading of a column.
pub(crate) fn heading(name: &str) -> Markup {
    html! { th scope="col" { (name) } }
}

/// The heading of a column of numbers.
pub(crate) fn number_heading(name: &str) -> Markup {
    html! { th.number scope="col" { (name) } }
}

/// A cell, with its column's name for screens that are too narrow for columns.
pub(crate) fn cell(column: &str, content: &Markup) -> Markup {
    html! { td data-label=(column) { div.cell { (content) } } }
}

/// A cell of a number.
pub(crate) fn number_cell(column: &str, value: u64) -> Markup {
    html! { td.number data-label=(column) { div.cell { (number(value)) } } }
}

/// A menu of what can be done with a row. `items` are its entries.
pub(crate) fn menu(id: &str, of: &str, items: &Markup) -> Markup {
    let name = format!("Actions for {}", texts::cut(of, 80));
    html! {
        button.menu-button.quiet type="button" popovertarget=(id) aria-label=(name) { "⋯" }
        ul.menu id=(id) popover { (items) }
    }
}

/// The heading of a column that the table can be sorted by. `by` is what it is sorted by now, and whether downwards.
pub(crate) fn sortable(
    name: &str,
    key: &str,
    by: (&str, bool),
    path: &str,
    fields: &Fields,
) -> Markup {
    let is_number = key == "members";
    let (is_this, is_down) = (by.0 == key, by.1);
    let state = is_this.then_some(if is_down { "descending" } else { "ascending" });
    let sorted = fields.set("sort", Some(key)).set("after", None);
    let next = if is_this && !is_down { "desc" } else { "asc" };
    html! {
        th.number[is_number] scope="col" aria-sort=[state] {
            a href={ (path) (sorted.set("dir", Some(next)).query()) } {
                (name)
                span.sort aria-hidden="true" {
                    @match state {
                        Some("ascending") => "▲",
                        Some(_) => "▼",
                        None => "",
                    }
                }
            }
        }
    }
}

/// The way to the next page of a table, and back to its first.
pub(crate) fn pager(path: &str, fields: &Fields, next: Option<&str>) -> Markup {
    let is_first = fields.text("after").is_none();
    html! {
        @if next.is_some() || !is_first {
            nav.pager aria-label="Pages" {
                @if !is_first {
                    a.button.quiet href={ (path) (fields.set("after", None).query()) } { "First page" }
                }
                @if let Some(next) = next {
                    a.button.quiet rel="next" href={ (path) (fields.set("after", Some(next)).query()) } { "Next page" }
                }
            }
        }
    }
}

/// The same for a table in a form whose fields have to be kept: buttons that send it.
pub(crate) fn form_pager(is_first: bool, next: Option<&str>) -> Markup {
    html! {
        @if next.is_some() || !is_first {
            nav.pager aria-label="Pages" {
                @if !is_first {
                    button.quiet type="submit" name="act" value="find" { "First page" }
                }
                @if let Some(next) = next {
                    button.quiet type="submit" name="after" value=(next) { "Next page" }
                }
            }
        }
    }
}

/// The pages of one thing.
pub(crate) fn tabs(label: &str, pages: &[(&str, String)], current: &str) -> Markup {
    html! {
        nav.tabs aria-label=(label) {
            ul {
                @for (name, href) in pages {
                    li { a href=(href) aria-current=[(*name == current).then_some("page")] data-name=(name) { (name) } }
                }
            }
        }
    }
}

/// A choice between what a table shows: a link for everything and one for each value of a field of the address.
pub(crate) fn choices(
    label: &str,
    field: &str,
    values: &[(&str, &str)],
    chosen: Option<&str>,
    path: &str,
    fields: &Fields,
) -> Markup {
    let fields = fields.set("after", None);
    html! {
        nav.choices aria-label=(label) {
            span aria-hidden="true" { (label) }
            ul {
                li { a href={ (path) (fields.set(field, None).query()) } aria-current=[chosen.is_none().then_some("true")] { "All" } }
                @for (value, name) in values {
                    li {
                        a href={ (path) (fields.set(field, Some(value)).query()) }
                            aria-current=[(chosen == Some(value)).then_some("true")] { (name) }
                    }
                }
            }
        }
    }
}

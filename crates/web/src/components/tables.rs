//! Tables, their headings and pages, and tabs.

use maud::{Markup, html};

use crate::fields::Fields;

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

/// The heading of a column that the table can be sorted by. `by` is what it is sorted by now, and whether downwards.
pub(crate) fn sortable(
    name: &str,
    key: &str,
    by: (&str, bool),
    path: &str,
    fields: &Fields,
) -> Markup {
    let (is_this, is_down) = (by.0 == key, by.1);
    let state = is_this.then_some(if is_down { "descending" } else { "ascending" });
    let sorted = fields.set("sort", Some(key)).set("after", None);
    let next = if is_this && !is_down { "desc" } else { "asc" };
    html! {
        th scope="col" aria-sort=[state] {
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

/// The pages of one thing.
pub(crate) fn tabs(label: &str, pages: &[(&str, String)], current: &str) -> Markup {
    html! {
        nav.tabs aria-label=(label) {
            ul {
                @for (name, href) in pages {
                    li { a href=(href) aria-current=[(*name == current).then_some("page")] { (name) } }
                }
            }
        }
    }
}

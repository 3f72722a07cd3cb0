//! `/app/components`: every component in each of its states, in development builds alone.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use fanfare_domain::run::SyncStatus;
use maud::html;

use crate::components::{
    badge, button_form, choices, empty, error_panel, growth, heading, long_text, maybe_time, menu,
    moment_field, notice, number, number_cell, number_heading, pager, progress, search_field,
    status_badge, table, tabs, text_field, time,
};
use crate::error::Told;
use crate::fields::Query;
use crate::layout::Section;
use crate::pages::interval;
use crate::router::{PageRoute, page};
use crate::visitor::Visitor;

/// The route of this file.
pub(super) fn routes() -> Vec<PageRoute> {
    vec![page!(GET Viewer "/app/components", show)]
}

const PATH: &str = "/app/components";

async fn show(visitor: Visitor, query: Query) -> HttpResponse {
    let Query(fields) = query;
    let now = visitor.now;
    let ago = |hours| now.minus(std::time::Duration::from_hours(hours));
    let points = [(ago(72), 120), (ago(48), 900), (ago(20), 870), (now, 1_400)];
    let told = Told {
        status: StatusCode::SERVICE_UNAVAILABLE,
        heading: "What happened".to_owned(),
        text: "What it means, and what to do.".to_owned(),
        way_out: ("The way out", PATH),
    };
    let body = html! {
        div.head { h1 { "Components" } }
        section.panel {
            h2 { "Badges" }
            @for status in SyncStatus::ALL { (status_badge(*status)) " " }
            (badge("info", "Klaviyo")) " " (badge("none", "Coming Soon"))
        }
        section.panel {
            h2 { "Messages" }
            @for kind in ["info", "good", "warn", "bad"] {
                (notice(kind, &html! { "A message of the kind " (kind) "." }))
            }
        }
        section.panel {
            h2 { "Progress and growth" }
            (progress("A known whole", 43, Some(100)))
            (progress("An unknown whole", 43, None))
            (growth(&points, now))
        }
        section.panel {
            h2 { "Values" }
            p { (time(ago(3), now)) ", " (maybe_time(None, now)) ", " (number(1_234_567)) }
            p { (long_text(&"A long name. ".repeat(20))) }
            p { (long_text("שם בעברית")) ", " (long_text("👩‍👩‍👧‍👦 family")) }
        }
        section.panel {
            h2 { "Forms" }
            (search_field(PATH, &fields, "What is searched", "#rows"))
            (text_field("fine", "A field", "a value", "A hint.", None))
            (text_field("wrong", "A field with a fault", "a value", "A hint.", Some("What is wrong.")))
            (moment_field("moment", "A moment (UTC)", "2026-11-24T14:00:00Z"))
            (interval::choice(&fields, None, 60))
            (button_form(&visitor, PATH, "", "A button", &[]))
            (button_form(&visitor, PATH, "quiet", "A quiet one", &[]))
            (button_form(&visitor, PATH, "danger", "A dangerous one", &[]))
        }
        (tabs("Example", &[("One", PATH.to_owned()), ("Two", PATH.to_owned())], "One"))
        div.filters {
            (choices("A choice", "of", &[("1", "One"), ("2", "Two")], Some("1"), PATH, &fields))
        }
        div #rows {
            (table("A table", &html! { (heading("Name")) (number_heading("Value")) (heading("Actions")) }, &html! {
                @for n in 1..=3_u64 {
                    tr {
                        th scope="row" { "Row " (n) }
                        (number_cell("Value", n * 1_000))
                        td { (menu(&format!("menu-{n}"), &format!("row {n}"), &html! { li { a href=(PATH) { "An entry" } } })) }
                    }
                }
            }))
            (pager(PATH, &fields, Some("3")))
        }
        (empty("Nothing here", "Why, and what comes next.", Some(("The next step", PATH))))
        (error_panel(&told))
    };
    visitor.page("Components", Section::None, &body)
}

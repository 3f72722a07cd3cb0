//! What pages are made of, each once.

mod forms;
mod growth;
mod states;
mod tables;
mod values;

pub(crate) use forms::{
    browser_value, button_form, csrf, field, moment_field, search_field, short_search, text_field,
};
pub(crate) use growth::growth;
pub(crate) use states::{
    badge, cancelled_badge, empty, error_panel, maybe_status_badge, notice, progress, status_badge,
};
pub(crate) use tables::{
    cell, choices, form_pager, heading, menu, number_cell, number_heading, pager, sortable, table,
    tabs,
};
pub(crate) use values::{long_text, maybe_time, moment, number, time};

//! Which type of event becomes which metric.

use std::collections::BTreeMap;

use fanfare_domain::events::{EventSettings, EventType};
use fanfare_domain::organization::Role;
use fanfare_domain::writing::MetricName;
use maud::{Markup, html};

use super::PATH;
use crate::components::{cell, csrf, heading, long_text, table};
use crate::fields::Fields;
use crate::visitor::Visitor;
use crate::words;

/// The metrics by type, as they stand in their fields.
pub(super) struct Typed {
    metrics: BTreeMap<EventType, String>,
    /// The type that has its default again, which is not saved yet.
    reset: Option<EventType>,
    is_sent: bool,
}

impl Typed {
    /// As they are in force.
    pub(super) fn stored(settings: &EventSettings) -> Self {
        let metrics = settings.in_force().into_iter();
        let text = |metric: Option<MetricName>| metric.map(String::from).unwrap_or_default();
        Self {
            metrics: metrics.map(|(of, metric)| (of, text(metric))).collect(),
            reset: None,
            is_sent: false,
        }
    }

    /// As a form has sent them. A field that is missing is left alone.
    pub(super) fn read(form: &Fields) -> Self {
        let sent = EventType::forwardable()
            .filter_map(|of| Some((of, form.get(of.as_str())?.trim().to_owned())));
        Self {
            metrics: sent.collect(),
            reset: None,
            is_sent: true,
        }
    }

    /// Puts the default into the field of a type.
    pub(super) fn reset(&mut self, of: &str) {
        self.reset = EventType::of_name(of);
        if let Some(of) = self.reset {
            let default = of.default_metric().unwrap_or_default();
            self.metrics.insert(of, default.to_owned());
        }
    }

    /// What is to be changed of what is stored, or that something cannot be the name of a metric.
    pub(super) fn changes(
        &self,
        stored: &EventSettings,
    ) -> Result<BTreeMap<EventType, Option<MetricName>>, ()> {
        let mut changes = BTreeMap::new();
        let mut is_good = true;
        for (of, text) in &self.metrics {
            match parse(text) {
                Ok(metric) if metric != stored.metric_of(*of) => {
                    changes.insert(*of, metric);
                }
                Ok(_) => {}
                Err(_) => is_good = false,
            }
        }
        if is_good { Ok(changes) } else { Err(()) }
    }

    /// Whether a purchase becomes one metric, whatever tells of it.
    fn is_purchase_shared(&self) -> bool {
        let metric = |of| self.metrics.get(&of).filter(|text| !text.is_empty());
        let queue = metric(EventType::QueueCompleted);
        queue.is_some() && queue == metric(EventType::OrderCompleted)
    }

    fn fault(&self, text: &str) -> Option<String> {
        let fault = parse(text).err().filter(|_| self.is_sent);
        fault.map(|fault| format!("Shorten or change it: {fault}."))
    }
}

/// The metric that a field names; an empty one names none.
fn parse(text: &str) -> Result<Option<MetricName>, impl std::fmt::Display> {
    if text.is_empty() {
        return Ok(None);
    }
    MetricName::parse(text).map(Some)
}

/// The table in which metrics are chosen; for those who may not, in which they are shown.
pub(super) fn panel(visitor: &Visitor, typed: &Typed) -> Markup {
    let may_change = visitor.may(Role::Admin);
    let headings = html! {
        (heading("What happens in Fanfare"))
        (heading("Metric in Klaviyo"))
        (heading("Look"))
    };
    let rows = html! {
        @for of in EventType::forwardable() {
            @let text = typed.metrics.get(&of).map(String::as_str).unwrap_or_default();
            tr {
                th scope="row" { div.what { (words::event(of)) p.hint { (of) } } }
                (cell("Metric in Klaviyo", &if may_change { input(typed, of, text) } else { shown(text) }))
                (cell("Look", &html! {
                    a href={ (PATH) "?preview=" (of) "#preview" } { "Preview" span.hidden { " of " (words::event(of)) } }
                }))
            }
        }
    };
    html! {
        section.panel #metrics {
            h2 { "What becomes which metric" }
            p.hint {
                "An empty field: Klaviyo is not told. Klaviyo makes a metric when its first event comes, and keeps it: another name is \
                 another metric, on which no flow hangs yet."
            }
            @if typed.is_purchase_shared() {
                p.hint {
                    (words::event(EventType::QueueCompleted)) " and " (words::event(EventType::OrderCompleted))
                    " have one metric: a purchase is counted once, whichever of the two tells of it first."
                }
            }
            @if may_change {
                form method="post" action=(PATH) {
                    (csrf(visitor))
                    // The first button of a form is the one that the Enter key presses.
                    button.hidden type="submit" tabindex="-1" aria-hidden="true" { "Save metrics" }
                    (table("Metrics of events", &headings, &rows))
                    div.actions {
                        button type="submit" { "Save metrics" }
                        @if typed.is_sent { a.button.quiet href=(PATH) { "Discard" } }
                    }
                }
            } @else {
                (table("Metrics of events", &headings, &rows))
                p.hint { "An admin of your organization can change them." }
            }
        }
    }
}

fn shown(text: &str) -> Markup {
    html! {
        @if text.is_empty() { span.none { "Not sent" } } @else { (long_text(text)) }
    }
}

fn input(typed: &Typed, of: EventType, text: &str) -> Markup {
    let default = of.default_metric();
    let fault = typed.fault(text);
    let hint = format!("{of}-hint");
    let name = format!("Metric of {}", words::event(of));
    html! {
        input name=(of) type="text" value=(text) placeholder="Not sent" autocomplete="off" dir="auto" maxlength="500"
            aria-label=(name) aria-describedby=(hint) aria-invalid=[fault.as_ref().map(|_| "true")];
        div.beside id=(hint) {
            @if let Some(fault) = &fault {
                p.fault role="alert" { (fault) }
            }
            @if typed.reset == Some(of) {
                p.hint { "Not saved yet." }
            } @else if text == default.unwrap_or_default() {
                p.hint { @if default.is_some() { "The default." } @else { "Not sent, by default." } }
            } @else {
                p.hint {
                    @match default {
                        Some(default) => { "Default: " (default) "." },
                        None => "Not sent, by default.",
                    }
                }
                button.quiet.small type="submit" name="reset" value=(of) {
                    "Reset" span.hidden { " the metric of " (words::event(of)) }
                }
            }
        }
    }
}

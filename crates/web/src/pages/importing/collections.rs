//! The table of Klaviyo's lists and segments.

use fanfare_domain::source::CollectionKind;
use fanfare_domain::time::Timestamp;
use fanfare_sync::{BrowsedCollection, Error, Integration};
use maud::{Markup, html};

use super::{estimate, nothing};
use crate::components::{
    cell, form_pager, heading, long_text, maybe_time, notice, status_badge, table, time,
};
use crate::error::PageError;
use crate::fields::Fields;
use crate::texts;
use crate::visitor::Visitor;

/// Rows of a page.
const ROWS: usize = 50;

/// The lists and segments that are shown.
pub(super) struct Listing {
    shown: Vec<(CollectionKind, BrowsedCollection)>,
    next: Option<String>,
    /// The scopes that segments lack: then lists alone are shown.
    missing: Vec<String>,
    /// The scopes of what is switched on, if some are missing.
    in_use: Vec<String>,
    /// When Klaviyo told them, the older time of both kinds.
    told_at: Option<Timestamp>,
}

impl Listing {
    /// The page that is asked for, of those that are searched for: lists first, each kind by name. It waits for Klaviyo
    /// where nothing is known, and where the visitor wants to have it asked.
    pub(super) async fn load(
        application: &Integration,
        visitor: &Visitor,
        fields: &Fields,
    ) -> Result<Self, PageError> {
        let organization = visitor.organization();
        let is_wanted_anew = fields.get("act") == Some("look");
        let mut all = Vec::new();
        let mut missing = Vec::new();
        let mut told_at: Option<Timestamp> = None;
        for kind in CollectionKind::ALL {
            let told = if is_wanted_anew {
                application.collections_now(organization, *kind).await
            } else {
                application.collections_at_hand(organization, *kind).await
            };
            match told {
                Ok((found, at)) => {
                    all.extend(found.into_iter().map(|one| (*kind, one)));
                    told_at = Some(told_at.map_or(at, |before| before.min(at)));
                }
                Err(Error::ScopeMissing(scopes)) if !kind.descriptor().is_scope_required => {
                    missing = scopes;
                }
                Err(error) => return Err(error.into()),
            }
        }
        let in_use = if missing.is_empty() {
            Vec::new()
        } else {
            application.scopes_in_use(organization).await?
        };
        let typed = fields.typed_search().to_lowercase();
        all.retain(|(_, one)| {
            let id = one.collection.id.as_str().to_lowercase();
            name(one).to_lowercase().contains(&typed) || id.contains(&typed)
        });
        all.sort_by_cached_key(|(kind, one)| {
            (*kind, name(one).to_lowercase(), one.collection.id.clone())
        });
        let after = fields.text("after").and_then(|after| {
            let mut keys = all.iter();
            keys.position(|(kind, one)| key(*kind, one) == after)
        });
        let rest: Vec<_> = all.drain(after.map_or(0, |at| at + 1)..).collect();
        let next = rest
            .get(ROWS - 1)
            .filter(|_| rest.len() > ROWS)
            .map(|(kind, one)| key(*kind, one));
        Ok(Self {
            shown: rest.into_iter().take(ROWS).collect(),
            next,
            in_use,
            missing,
            told_at,
        })
    }

    /// Why no segments are shown, if so.
    pub(super) fn missing_segments(&self) -> Markup {
        html! {
            @if !self.missing.is_empty() {
                (notice("warn", &html! {
                    strong { "Segments cannot be shown. " }
                    (texts::missing_scopes(&self.missing, &self.in_use)) " "
                    a href="/app/settings/integrations?sheet=klaviyo&update=1" { "Save a new key" }
                }))
            }
        }
    }

    pub(super) fn markup(&self, visitor: &Visitor, fields: &Fields, ticked: &Fields) -> Markup {
        html! {
            (self.age(visitor))
            (self.ticked_elsewhere(ticked))
            @if self.shown.is_empty() {
                (nothing(fields))
            } @else {
                (self.table(visitor, ticked))
                (form_pager(fields.text("after").is_none(), self.next.as_deref()))
            }
        }
    }

    /// When Klaviyo told them, with a button that asks it again and keeps what is ticked.
    fn age(&self, visitor: &Visitor) -> Markup {
        html! {
            @if let Some(at) = self.told_at {
                p.hint {
                    "Klaviyo told these " (time(at, visitor.now)) ". "
                    button.quiet type="submit" name="act" value="look" { "Ask again" }
                }
            }
        }
    }

    /// What is ticked on other pages, or does not match what is searched for.
    fn ticked_elsewhere(&self, ticked: &Fields) -> Markup {
        let kinds = CollectionKind::ALL.iter();
        let elsewhere: Vec<(&str, &str)> = kinds
            .flat_map(|kind| ticked.all(kind.noun()).map(|id| (*kind, id)))
            .filter(|(kind, id)| !self.shows(*kind, id))
            .map(|(kind, id)| (kind.noun(), id))
            .collect();
        html! {
            @if !elsewhere.is_empty() {
                p.hint { (texts::count(elsewhere.len() as u64, "more is", "more are")) " ticked on other pages." }
                @for (noun, id) in elsewhere {
                    input type="hidden" name=(noun) value=(id);
                }
            }
        }
    }

    fn shows(&self, kind: CollectionKind, id: &str) -> bool {
        let mut shown = self.shown.iter();
        shown.any(|(of, one)| {
            *of == kind && one.source.is_none() && one.collection.id.as_str() == id
        })
    }

    fn table(&self, visitor: &Visitor, ticked: &Fields) -> Markup {
        let headings = html! {
            @for name in ["Name", "Type", "Klaviyo id", "Changed in Klaviyo", "Size", "Sync"] { (heading(name)) }
        };
        let rows = html! {
            @for (kind, one) in &self.shown {
                @let id = one.collection.id.as_str();
                tr {
                    th scope="row" {
                        @if let Some(source) = &one.source {
                            a href={ "/app/audiences/" (source.audience) } { (long_text(name(one))) }
                        } @else {
                            @let is_ticked = ticked.all(kind.noun()).any(|ticked| ticked == id);
                            label.choice {
                                input type="checkbox" name=(kind.noun()) value=(id) checked[is_ticked];
                                (long_text(name(one)))
                            }
                        }
                    }
                    (cell("Type", &html! { (kind.descriptor().title) }))
                    (cell("Klaviyo id", &long_text(id)))
                    (cell("Changed in Klaviyo", &maybe_time(one.collection.updated, visitor.now)))
                    (cell("Size", &size(*kind, one)))
                    (cell("Sync", &sync(visitor, one)))
                }
            }
        };
        table("Lists and segments", &headings, &rows)
    }
}

/// Whether it is an audience, and how its sync stands.
fn sync(visitor: &Visitor, one: &BrowsedCollection) -> Markup {
    html! {
        @match &one.source {
            Some(source) => {
                (status_badge(source.status)) " " (maybe_time(source.last_synced_at, visitor.now))
            },
            None => span.none { "Not imported" },
        }
        @if one.collection.is_processing == Some(true) {
            p.hint { "Klaviyo is still computing it." }
        }
    }
}

/// What a list is called: by its name, or by its id if it has none.
fn name(one: &BrowsedCollection) -> &str {
    let name = one.collection.name.as_deref().map(str::trim);
    name.filter(|name| !name.is_empty())
        .unwrap_or(one.collection.id.as_str())
}

/// The place of a row in the table.
fn key(kind: CollectionKind, one: &BrowsedCollection) -> String {
    format!("{} {}", kind.noun(), one.collection.id)
}

/// How large it is and how long its import takes: asked for when the row comes into view, or by its link.
fn size(kind: CollectionKind, one: &BrowsedCollection) -> Markup {
    if one.source.is_some() {
        return html! { span.none { "In its audience" } };
    }
    let address = estimate::address(kind, one.collection.id.as_str());
    html! {
        span hx-get=(address) hx-trigger="intersect once" hx-swap="innerHTML" {
            (estimate::link(&address, "Estimate"))
        }
    }
}

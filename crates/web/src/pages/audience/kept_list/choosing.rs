//! The choice of the list that an audience is to be kept in.

use fanfare_domain::audience::usable_name;
use fanfare_domain::ids::CollectionId;
use fanfare_domain::organization::Role;
use fanfare_domain::source::CollectionKind;
use fanfare_sync::{BrowsedCollection, Error, Integration, ListChoice};
use maud::{Markup, html};

use super::super::Frame;
use crate::components::{csrf, text_field};
use crate::error::PageError;
use crate::fields::Fields;
use crate::visitor::Visitor;

/// What was chosen or typed.
#[derive(Default)]
pub(super) struct Choice {
    typed: Fields,
}

/// The same with the account's lists, or why they cannot be had.
pub(super) struct Loaded {
    choice: Choice,
    lists: Result<Vec<BrowsedCollection>, String>,
}

impl Choice {
    /// What a form says.
    pub(super) fn read(form: &Fields) -> Self {
        Self {
            typed: form.clone(),
        }
    }

    /// The choice that the form makes.
    pub(super) fn chosen(&self) -> Result<ListChoice, &'static str> {
        if self.typed.get("how") == Some("new") {
            let name = self.typed.text("name").and_then(usable_name);
            return name.map(ListChoice::New).ok_or("Give the new list a name.");
        }
        let list = self.typed.text("list");
        let list = list.and_then(|id| CollectionId::parse(id).ok());
        list.map(ListChoice::Existing).ok_or("Choose a list.")
    }

    /// Asks Klaviyo for the lists that there are.
    pub(super) async fn load(
        self,
        application: &Integration,
        visitor: &Visitor,
    ) -> Result<Loaded, PageError> {
        let organization = visitor.organization();
        let lists = application.collections(organization, CollectionKind::List);
        let lists = match lists.await {
            Ok(mut lists) => {
                lists.sort_by_cached_key(|list| {
                    let name = list.collection.name.as_deref().unwrap_or_default();
                    (name.to_lowercase(), list.collection.id.clone())
                });
                Ok(lists)
            }
            Err(error @ Error::Store(_)) => return Err(error.into()),
            // The page has more to say than that Klaviyo is away.
            Err(error) => {
                let told = PageError::from(error).told();
                Err(format!("{}. {}", told.heading, told.text))
            }
        };
        Ok(Loaded {
            choice: self,
            lists,
        })
    }
}

/// Whether the list fills the audience.
fn fills(frame: &Frame, list: &BrowsedCollection) -> bool {
    let source = frame.status.record.source.as_ref();
    source.is_some_and(|source| {
        source.collection.kind == CollectionKind::List && source.collection.id == list.collection.id
    })
}

impl Loaded {
    /// The form; for those who may not choose, why there is none.
    pub(super) fn form(&self, visitor: &Visitor, frame: &Frame, action: &str) -> Markup {
        let typed = &self.choice.typed;
        let is_new = typed.get("how") != Some("existing");
        let intro = html! {
            h2 { "Keep this audience in a Klaviyo list" }
            p {
                "Whoever is in the audience is added to the list, and whoever leaves it is removed from the list, by itself. Before the first push you see \
                 how many people it would add and remove, and which flows would mail them."
            }
            p.hint { "Nobody is subscribed by it, and only people whom Fanfare has added are ever removed." }
        };
        if frame.is_archived() {
            return html! { section.panel { h2 { "Kept in no Klaviyo list" } p { "An audience that was deleted is kept in no list." } } };
        }
        if !visitor.may(Role::Admin) {
            return html! {
                section.panel { (intro) p { "An admin of your organization can choose the list." } }
            };
        }
        html! {
            form.panel method="post" action=(action) {
                (csrf(visitor))
                (intro)
                fieldset.how {
                    legend { "Which list" }
                    div {
                        label.choice {
                            input type="radio" name="how" value="new" checked[is_new];
                            "A new list in Klaviyo"
                        }
                    }
                    (text_field("name", "Name of the new list", typed.get("name").unwrap_or(frame.name()), "", None))
                    div {
                        label.choice {
                            input type="radio" name="how" value="existing" checked[!is_new];
                            "A list that there is"
                        }
                    }
                    @match &self.lists {
                        Err(why) => p.hint { (why) },
                        Ok(lists) => div.field {
                            label for="list" { "List" }
                            select #list name="list" {
                                // The list that fills the audience cannot keep it.
                                @for list in lists.iter().filter(|list| !fills(frame, list)) {
                                    @let id = list.collection.id.as_str();
                                    option value=(id) selected[typed.get("list") == Some(id)] {
                                        (list.collection.name.as_deref().unwrap_or(id))
                                    }
                                }
                            }
                        },
                    }
                }
                button type="submit" { "Keep it in this list" }
            }
        }
    }
}

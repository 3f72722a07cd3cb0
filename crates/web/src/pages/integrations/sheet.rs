//! The sheet at the page's side, in which Klaviyo is connected and managed.

use fanfare_domain::organization::Role;
use fanfare_sync::ConnectionView;
use maud::{Markup, html};

use super::{PATH, status};
use crate::components::{badge, button_form, csrf, field, maybe_time};
use crate::visitor::Visitor;

/// The sheet as it is shown.
#[derive(Debug, Default)]
pub(super) struct Sheet {
    /// Whether a new key is to be entered in place of the stored one.
    pub(super) is_updating: bool,
    /// What is wrong with the key that was sent, which is never shown again.
    pub(super) fault: Option<String>,
    /// Whether it has to be confirmed that the key is of another account.
    pub(super) asks_for_account_change: bool,
}

/// What is sent to Klaviyo.
#[derive(Debug, Clone, Copy)]
pub(super) struct Switched {
    pub(super) events: bool,
    pub(super) contacts: bool,
}

impl Sheet {
    pub(super) fn markup(
        &self,
        visitor: &Visitor,
        connection: Option<&ConnectionView>,
        switched: Switched,
    ) -> Markup {
        html! {
            dialog.sheet open aria-labelledby="sheet-title" {
                div.head {
                    h2 #sheet-title { "Klaviyo" }
                    (status(connection))
                    a.button.quiet.close href=(PATH) { "Close" }
                }
                @match connection {
                    Some(connection) => (self.connected(visitor, connection, switched)),
                    None => (self.key_form(visitor, "Connect Klaviyo with a private API key.")),
                }
            }
        }
    }

    fn connected(
        &self,
        visitor: &Visitor,
        connection: &ConnectionView,
        switched: Switched,
    ) -> Markup {
        html! {
            dl.rows {
                dt { "API key" } dd { "••••" (connection.last4) }
                dt { "Account" }
                dd {
                    @match &connection.account {
                        Some(account) => bdi { (account) },
                        None => span.none { "Klaviyo did not tell" },
                    }
                }
                dt { "Verified" } dd { (maybe_time(Some(connection.verified_at), visitor.now)) }
                @if let Some(message) = &connection.message { dt { "Message" } dd { (message) } }
            }
            @if self.is_updating || self.fault.is_some() {
                (self.key_form(visitor, "The key is replaced once Klaviyo has taken the new one. Running syncs go on with it."))
            } @else if visitor.may(Role::Admin) {
                (get_button("Update API Key", PATH, &[("sheet", "klaviyo"), ("update", "1")]))
            }
            section.panel {
                h3 { "Synced lists" }
                p.hint { "See which lists and segments fill which audiences, or sync all of them now." }
                div.actions {
                    (get_button("View Synced Lists", "/app/audiences", &[("sort", "source")]))
                    (button_form(visitor, &format!("{PATH}/klaviyo/force-sync"), "quiet", "Force Sync", &[]))
                }
            }
            section.panel {
                h3 { "Events to Klaviyo " (on_or_off(switched.events)) }
                p.hint { "Klaviyo is told when somebody joins a queue, wins a draw or buys, so that flows start on it." }
                div.actions {
                    (get_button("Event settings", super::events::PATH, &[]))
                    (get_button("Deliveries", "/app/deliveries", &[]))
                }
            }
            section.panel {
                h3 { "Contacts to Klaviyo " (on_or_off(switched.contacts)) }
                p.hint { "A name or a phone number that changes in Fanfare changes in Klaviyo, too." }
                div.actions {
                    (get_button("Contact settings", super::contacts::PATH, &[]))
                }
            }
            @if visitor.may(Role::Admin) {
                section.panel {
                    h3 { "Disconnect" }
                    p {
                        "The API key is deleted for good, syncs under way are cancelled, and continuous audiences no longer sync. "
                        "Audiences and their members stay as they are."
                    }
                    (get_button_of("danger", "Disconnect", &format!("{PATH}/klaviyo/disconnect"), &[]))
                }
            } @else {
                p.hint { "An admin of your organization can change the key and disconnect." }
            }
        }
    }

    /// The field for a key, with what it has to be allowed.
    fn key_form(&self, visitor: &Visitor, text: &str) -> Markup {
        let fault = self.fault.as_deref();
        let input = html! {
            input #apiKey name="apiKey" type="password" required autocomplete="off" spellcheck="false"
                aria-describedby=[fault.map_or(Some("apiKey-hint"), |_| Some("apiKey-fault"))]
                aria-invalid=[fault.map(|_| "true")];
        };
        // Events, contacts and lists that audiences are kept in write to Klaviyo; a key cannot be changed later.
        let hint = "In Klaviyo: Settings, API keys, Create Private API Key, custom key. Importing needs Read Access for Lists and Profiles; choose \
            it for Accounts, Segments and Flows, too. Events, contacts and keeping an audience in a list need Full Access for Events, \
            Lists and Profiles, and ending a consent Full Access for Subscriptions.";
        if !visitor.may(Role::Admin) {
            return html! { p { "An admin of your organization can connect Klaviyo." } };
        }
        html! {
            form method="post" action={ (PATH) "/klaviyo" } data-busy="Asking Klaviyo…" {
                (csrf(visitor))
                p { (text) }
                (field("apiKey", "API key", hint, fault, &input))
                @if self.asks_for_account_change {
                    p {
                        label.choice {
                            input type="checkbox" name="confirmAccountChange" value="true" required;
                            "Change to the other account. Audiences whose lists are not in it no longer sync."
                        }
                    }
                }
                button type="submit" { "Save" }
            }
        }
    }
}

fn on_or_off(is_on: bool) -> Markup {
    if is_on {
        badge("good", "On")
    } else {
        badge("none", "Off")
    }
}

fn get_button(name: &str, action: &str, fields: &[(&str, &str)]) -> Markup {
    get_button_of("quiet", name, action, fields)
}

/// A button that leads to a page.
fn get_button_of(class: &str, name: &str, action: &str, fields: &[(&str, &str)]) -> Markup {
    html! {
        form.inline method="get" action=(action) {
            @for (name, value) in fields {
                input type="hidden" name=(name) value=(value);
            }
            button class=(class) type="submit" { (name) }
        }
    }
}

//! Where Fanfare sends its webhooks, and what they are signed with.

use actix_web::HttpRequest;
use fanfare_domain::delivery::DeliveryKind;
use fanfare_domain::organization::Role;
use fanfare_http::webhook_address;
use fanfare_sync::{Integration, WebhookSecretView};
use maud::{Markup, html};
use secrecy::{ExposeSecret, SecretString};

use super::PATH;
use crate::components::{button_form, notice, time};
use crate::error::PageError;
use crate::texts;
use crate::visitor::Visitor;

/// The webhooks' address and secret.
pub(super) struct Secret {
    address: String,
    present: Option<WebhookSecretView>,
    /// Whether an event has come lately.
    pub(super) has_events: bool,
    /// The secret, in the answer to the form that made it.
    pub(super) made: Option<SecretString>,
}

impl Secret {
    pub(super) async fn load(
        application: &Integration,
        visitor: &Visitor,
        request: &HttpRequest,
    ) -> Result<Self, PageError> {
        let summary = application.delivery_summary(visitor.organization()).await?;
        let events = summary.get(&DeliveryKind::Event);
        Ok(Self {
            has_events: events.is_some_and(|of| of.counts.values().any(|count| *count > 0)),
            address: webhook_address(request, visitor.organization()),
            present: application.webhook_secret(visitor.organization()).await?,
            made: None,
        })
    }

    /// Whether there is a secret, without which no event is taken.
    pub(super) const fn is_made(&self) -> bool {
        self.present.is_some()
    }

    pub(super) fn panel(&self, visitor: &Visitor) -> Markup {
        html! {
            section.panel #webhook {
                h2 { "How events come here" }
                p { "Fanfare sends them as webhooks. Enter this address and the secret in your Fanfare dashboard's webhook settings." }
                div.field.wide {
                    label for="webhook-address" { "Address" }
                    input.code #webhook-address type="text" readonly data-copy value=(self.address);
                }
                @if let Some(made) = &self.made {
                    (notice("good", &html! {
                        div.field.wide {
                            label for="webhook-secret" { "Secret" }
                            input.code #webhook-secret type="text" readonly data-copy autocomplete="off" spellcheck="false" value=(made.expose_secret());
                        }
                        strong { "Copy the secret now: it is not shown again. " }
                        (self.of_before(visitor))
                    }))
                } @else {
                    (self.state(visitor))
                    (self.button(visitor))
                }
            }
        }
    }

    /// Until when the secret of before is good.
    fn of_before(&self, visitor: &Visitor) -> Markup {
        let until = self
            .present
            .as_ref()
            .and_then(|present| present.previous_until);
        html! {
            @if let Some(until) = until {
                "The secret of before is good until " (texts::exact(until)) ", " (time(until, visitor.now))
                ": enter the new one in your Fanfare dashboard's webhook settings by then."
            }
        }
    }

    fn state(&self, visitor: &Visitor) -> Markup {
        html! {
            @match &self.present {
                None => p { "No secret was made yet, so no webhook is taken." },
                Some(_) => {
                    p { "A secret is in use. It is not shown again: if it is lost, make a new one. " (self.of_before(visitor)) }
                },
            }
        }
    }

    fn button(&self, visitor: &Visitor) -> Markup {
        let action = format!("{PATH}/secret");
        if !visitor.may(Role::Admin) {
            return html! { p.hint { "An admin of your organization can make a secret." } };
        }
        let Some(present) = &self.present else {
            return button_form(visitor, &action, "", "Make the secret", &[]);
        };
        html! {
            p.hint {
                @match present.previous_until {
                    None => "A new secret takes the place of this one, which is good for another 24 hours, so that nothing is lost while you enter the new one in your Fanfare dashboard.",
                    Some(_) => "Only the last two secrets are good. A new one ends the secret of before at once: wait, unless the present one is lost or known to somebody else.",
                }
            }
            (button_form(visitor, &action, "quiet", "Make a new secret", &[("seen", &present.mark)]))
        }
    }
}

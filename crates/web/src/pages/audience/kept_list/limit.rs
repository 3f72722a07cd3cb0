//! How many people a push changes without a person's confirmation: one number for all audiences of the organization.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::{Data, Path};
use fanfare_domain::organization::Role;
use fanfare_domain::push::KeptList;
use fanfare_sync::Integration;
use maud::{Markup, html};

use super::super::audience_id;
use super::{Beside, address, answer};
use crate::components::{csrf, field, number};
use crate::error::PageError;
use crate::fields::{Fields, Form};
use crate::router::{PageRoute, page};
use crate::visitor::{Visitor, see};

/// The routes of this file.
pub(super) fn routes() -> Vec<PageRoute> {
    vec![page!(POST Admin "/app/audiences/{id}/klaviyo-list/limit", save)]
}

/// What stands in the field, and what is wrong with it.
pub(super) struct Typed {
    text: String,
    pub(super) fault: Option<String>,
}

impl Typed {
    /// The number in force.
    pub(super) fn stored(limit: u64) -> Self {
        Self {
            text: limit.to_string(),
            fault: None,
        }
    }
}

async fn save(
    application: Data<Integration>,
    visitor: Visitor,
    path: Path<String>,
    form: Form,
) -> Result<HttpResponse, PageError> {
    let id = audience_id(path)?;
    let text = form.0.text("pushLimit").unwrap_or_default();
    // As large as the API takes it.
    let Ok(limit) = text.parse::<u32>() else {
        let fault = "Give a whole number of people, such as 1,000 (written 1000).".to_owned();
        let limit = Typed {
            text: text.to_owned(),
            fault: Some(fault),
        };
        let beside = Beside {
            limit: Some(limit),
            ..Beside::default()
        };
        let mut answer = answer(&application, &visitor, &id, &Fields::default(), beside).await?;
        *answer.status_mut() = StatusCode::BAD_REQUEST;
        return Ok(answer);
    };
    let organization = visitor.organization();
    application
        .set_push_limit(organization, limit.into())
        .await?;
    Ok(see(&format!("{}?notice=limit-saved", address(&id))))
}

/// The number, and for admins the form that changes it.
pub(super) fn panel(visitor: &Visitor, kept: &KeptList, typed: &Typed) -> Markup {
    let fault = typed.fault.as_deref();
    let described = if fault.is_some() {
        "pushLimit-fault"
    } else {
        "pushLimit-hint"
    };
    let input = html! {
        input #pushLimit name="pushLimit" type="text" inputmode="numeric" value=(typed.text) autocomplete="off"
            aria-describedby=(described) aria-invalid=[fault.map(|_| "true")];
    };
    let hint = "A push that would add and remove more people waits until somebody has looked at it. It holds for all audiences.";
    html! {
        section.panel {
            h2 { "Without a confirmation" }
            @if visitor.may(Role::Admin) {
                form method="post" action={ (address(&kept.audience)) "/limit" } {
                    (csrf(visitor))
                    (field("pushLimit", "Most people whom a push changes", hint, fault, &input))
                    button.quiet type="submit" { "Save" }
                }
            } @else {
                p {
                    "A push changes at most "
                    @match typed.text.parse() {
                        Ok(limit) => (number(limit)),
                        Err(_) => (typed.text),
                    }
                    " people before it waits for a confirmation. An admin of your organization can change the number."
                }
            }
        }
    }
}

//! `/app/audiences/new`: an audience is made that is filled by hand.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::Data;
use fanfare_domain::audience::usable_name;
use fanfare_sync::{Integration, NewAudience};
use maud::html;

use crate::components::{csrf, text_field};
use crate::error::PageError;
use crate::fields::{Fields, Form};
use crate::layout::Section;
use crate::router::{PageRoute, page};
use crate::visitor::{Visitor, see};

/// The routes of this file.
pub(super) fn routes() -> Vec<PageRoute> {
    vec![
        page!(GET Editor "/app/audiences/new", show),
        page!(POST Editor "/app/audiences/new", make),
    ]
}

pub(super) const PATH: &str = "/app/audiences/new";

async fn show(visitor: Visitor) -> HttpResponse {
    answer(&visitor, &Fields::default(), None)
}

async fn make(
    application: Data<Integration>,
    visitor: Visitor,
    form: Form,
) -> Result<HttpResponse, PageError> {
    let Form(typed) = form;
    let Some(name) = typed.text("name").and_then(usable_name) else {
        let mut answer = answer(&visitor, &typed, Some("Give the audience a name."));
        *answer.status_mut() = StatusCode::BAD_REQUEST;
        return Ok(answer);
    };
    let new = NewAudience {
        name,
        description: typed.text("description").map(str::to_owned),
        actor: visitor.actor(),
        ..NewAudience::default()
    };
    let organization = visitor.organization();
    let made = application.create_audience(organization, new);
    let audience = made.await?.audience.id;
    let is_shared = application.shares_its_name(organization, &audience).await?;
    let said = if is_shared { "made-same-name" } else { "made" };
    Ok(see(&format!(
        "/app/audiences/{audience}/members?notice={said}"
    )))
}

fn answer(visitor: &Visitor, typed: &Fields, fault: Option<&str>) -> HttpResponse {
    let value = |name| typed.get(name).unwrap_or_default();
    let body = html! {
        div.head { h1 { "Create audience" } }
        form.panel method="post" action=(PATH) {
            (csrf(visitor))
            p {
                "You say yourselves who is in it, person by person. For everybody in a Klaviyo list or segment, "
                a href="/app/audiences/import/klaviyo" { "import from Klaviyo" } "."
            }
            (text_field("name", "Name", value("name"), "", fault))
            (text_field("description", "Description", value("description"), "", None))
            div.actions {
                button type="submit" { "Create Audience" }
                a.button.quiet href="/app/audiences" { "Discard" }
            }
        }
    };
    visitor.page("Create audience", Section::Audiences, &body)
}

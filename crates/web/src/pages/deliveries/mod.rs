//! `/app/deliveries`: what Klaviyo was told or is to be told, and what it was not told and why.

mod filter;
mod reason;
mod summary;
mod table;

use actix_web::HttpResponse;
use actix_web::web::Data;
use fanfare_domain::delivery::DeliveryStatus;
use fanfare_domain::ids::DeliveryId;
use fanfare_domain::organization::Role;
use fanfare_domain::paging::Page;
use fanfare_sync::{Entity, Error, Integration};
use maud::{Markup, html};

pub(super) use reason::reason;

use self::filter::{Asked, Whose};
use crate::components::{empty, long_text, notice, pager, search_field};
use crate::error::PageError;
use crate::fields::{Fields, Form, Query};
use crate::layout::Section;
use crate::router::{PageRoute, page};
use crate::visitor::{Visitor, see};

/// The routes of this file.
pub(super) fn routes() -> Vec<PageRoute> {
    vec![
        page!(GET Viewer "/app/deliveries", list),
        page!(POST Editor "/app/deliveries/retry", retry),
    ]
}

pub(super) const PATH: &str = "/app/deliveries";

/// Rows of a page.
const ROWS: u32 = 50;

/// After how many seconds a script looks for news while something waits, and otherwise.
const WHILE_WAITING: u32 = 2;
const OTHERWISE: u32 = 5;

async fn list(
    application: Data<Integration>,
    visitor: Visitor,
    query: Query,
) -> Result<HttpResponse, PageError> {
    let Query(fields) = query;
    let organization = visitor.organization();
    let asked = Asked::read(&application, organization, &fields).await?;
    let found = match asked.filter() {
        Some(filter) => {
            let page = fields.page(ROWS);
            application
                .deliveries_with_people(organization, &filter, &page)
                .await?
        }
        None => Page::of(Vec::new(), |_| String::new()),
    };
    let summary = application.delivery_summary(organization).await?;
    let settings = application.settings(organization).await?;
    let in_use = application.scopes_in_use(organization).await?;
    let waiting = summary::total(&summary, DeliveryStatus::Pending);
    let has_any = DeliveryStatus::ALL
        .iter()
        .any(|status| summary::total(&summary, *status) > 0);
    let every = if waiting > 0 {
        WHILE_WAITING
    } else {
        OTHERWISE
    };
    let address = format!("{PATH}{}", fields.set("notice", None).query());
    let part = html! {
        div #deliveries data-refresh=(address) data-every=(every) {
            (summary::troubles(&visitor, &summary, settings.connection.as_ref(), &in_use))
            @if has_any {
                (summary::panel(&visitor, &summary))
                (asked.choices(&fields))
            }
            @if found.items.is_empty() {
                (nothing(&visitor, &asked, &fields, has_any, settings.events.enabled))
            } @else {
                (table::rows(&visitor, &fields, &found.items))
                (pager(PATH, &fields, found.end().filter(|_| found.items.len() == ROWS as usize)))
            }
        }
    };
    Ok(
        visitor.page_or(part, "Deliveries", Section::Deliveries, |part| {
            html! {
                div.head {
                    h1 { "Deliveries to Klaviyo" }
                    div.actions {
                        @if visitor.may(Role::Editor) {
                            a.button.quiet href="/app/settings/integrations/klaviyo/events" { "Event settings" }
                        }
                    }
                }
                @if fields.get("notice") == Some("retried") {
                    (notice("good", &html! { "The delivery is tried again now." }))
                }
                @if has_any || settings.events.enabled {
                    (search_field(PATH, &fields, "E-mail, phone or id of a consumer", "#deliveries"))
                }
                (part)
            }
        }),
    )
}

/// What stands there when there is no delivery to show, with the next step.
fn nothing(
    visitor: &Visitor,
    asked: &Asked,
    fields: &Fields,
    has_any: bool,
    is_on: bool,
) -> Markup {
    let everybodys = format!(
        "{PATH}{}",
        fields.set("search", None).set("after", None).query()
    );
    match &asked.whose {
        Whose::Nobodys => empty(
            "No consumer has exactly this",
            "Type a whole e-mail, a whole phone number such as +491511234567, or the id of a consumer.",
            Some(("Show everybody's deliveries", &everybodys)),
        ),
        Whose::SeveralPeoples(people) => html! {
            div.empty {
                h2 { "Several consumers have it" }
                p { "Whose deliveries are to be shown?" }
                ul.plain {
                    @for person in people {
                        @let id = person.consumer.id.as_str();
                        li { a href={ (PATH) (fields.set("search", Some(id)).query()) } { (long_text(&super::customers::name(person))) } }
                    }
                }
            }
        },
        _ if has_any => empty(
            "No delivery matches",
            "None is of this kind and status. Deliveries are kept for some months after they were sent.",
            Some(("Show all deliveries", PATH)),
        ),
        _ if is_on => empty(
            "Nothing was delivered yet",
            "Events are switched on. What happens in Fanfare appears here as soon as a webhook tells of it.",
            None,
        ),
        _ if visitor.may(Role::Editor) => empty(
            "Nothing was delivered yet",
            "Klaviyo can be told when somebody joins a queue, wins a draw or buys. Nothing is sent until that is switched on.",
            Some(("Set up events", "/app/settings/integrations/klaviyo/events")),
        ),
        _ => empty(
            "Nothing was delivered yet",
            "Klaviyo can be told when somebody joins a queue, wins a draw or buys. An admin of your organization can switch \
             that on.",
            None,
        ),
    }
}

async fn retry(
    application: Data<Integration>,
    visitor: Visitor,
    form: Form,
) -> Result<HttpResponse, PageError> {
    let not_found = || PageError::from(Error::NotFound(Entity::Delivery));
    let id = form.0.text("id").ok_or_else(not_found)?;
    let id = DeliveryId::parse(id).map_err(|_| not_found())?;
    let shown = Fields::parse(form.0.get("shown").unwrap_or_default().as_bytes());
    let notice = match application
        .retry_delivery(visitor.organization(), &id)
        .await
    {
        Ok(_) => Some("retried"),
        // Somebody else was faster: the page shows how it is.
        Err(Error::NotRetriable) => None,
        Err(error) => return Err(error.into()),
    };
    Ok(see(&format!(
        "{PATH}{}",
        shown.set("notice", notice).query()
    )))
}

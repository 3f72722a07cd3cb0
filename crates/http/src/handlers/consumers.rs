//! `/api/consumers`.

use actix_web::web::Json;
use fanfare_domain::ids::{AudienceId, ConsumerId, ProfileId};
use fanfare_domain::organization::Role::Viewer;
use fanfare_domain::ports::{ConsumerFilter, Lookup};
use fanfare_domain::value::{Email, Phone};

use super::{Answer, Application};
use crate::decode::{self, Id, NoQuery, Node, Object, Query, Violations};
use crate::middleware::{Authentication::SecretKey, Principal};
use crate::route::{Route, route};
use crate::wire;

/// The routes of this file.
pub(super) fn routes() -> Vec<Route> {
    vec![
        route!(SecretKey(Viewer), list),
        route!(SecretKey(Viewer), search),
        route!(SecretKey(Viewer), show),
    ]
}

/// List consumers
///
/// The oldest first.
#[utoipa::path(
    get, path = "/api/consumers", tag = "Consumers", operation_id = "getConsumers",
    params(
        decode::PageParams,
        ("search" = Option<String>, Query, description = "Part of an e-mail, phone number or name", min_length = 2, max_length = 255),
        ("audienceId" = Option<String>, Query, description = "Members of this audience only"),
        ("createdAfter" = Option<String>, Query, description = "Made after this time"),
        ("createdBefore" = Option<String>, Query, description = "Made before this time"),
    ),
    responses((status = 200, description = "A page of consumers", body = wire::Page<wire::Consumer>)),
)]
pub(crate) async fn list(
    application: Application,
    principal: Principal,
    query: Query,
) -> Answer<wire::Page<wire::Consumer>> {
    let (filter, page) = query.decode(|query, violations| {
        let page = decode::page(query, violations);
        let filter = filter(query, violations);
        Some((filter?, page?))
    })?;
    let organization = &principal.organization;
    let page = application.consumers(organization, &filter, &page).await?;
    let show = |consumer| wire::Consumer::of(organization, consumer);
    Ok(Json(wire::Page::of(page, show)))
}

fn filter(query: &mut Object, violations: &mut Violations) -> Option<ConsumerFilter> {
    let search = decode::search(query, violations);
    let audience = match query.take("audienceId").present() {
        Some(id) => {
            let id = id.parsed("id", "id", |text: &str| AudienceId::parse(text), violations);
            id.map(Some)
        }
        None => Some(None),
    };
    let mut instant = |name, violations: &mut Violations| match query.take(name).present() {
        Some(time) => time.instant(violations).map(Some),
        None => Some(None),
    };
    let created_after = instant("createdAfter", violations);
    let created_before = instant("createdBefore", violations);
    Some(ConsumerFilter {
        search: search?,
        audience: audience?,
        created_after: created_after?,
        created_before: created_before?,
    })
}

/// Look consumers up
///
/// By exactly one of the parameters, which must match as a whole: at most 100 consumers.
#[utoipa::path(
    get, path = "/api/consumers/search", tag = "Consumers", operation_id = "searchConsumers",
    params(
        ("email" = Option<String>, Query, description = "An e-mail address"),
        ("phone" = Option<String>, Query, description = "A phone number in E.164; `+` is `%2B` in a query"),
        ("externalId" = Option<String>, Query, description = "Klaviyo's id of a profile"),
    ),
    responses((status = 200, description = "The consumers that match", body = Vec<wire::Consumer>)),
)]
pub(crate) async fn search(
    application: Application,
    principal: Principal,
    query: Query,
) -> Answer<Vec<wire::Consumer>> {
    let lookup = query.decode(lookup)?;
    let organization = &principal.organization;
    let found = application.lookup_consumers(organization, &lookup).await?;
    let show = |consumer| wire::Consumer::of(organization, consumer);
    Ok(Json(found.into_iter().map(show).collect()))
}

fn lookup(query: &mut Object, violations: &mut Violations) -> Option<Lookup> {
    let given = ["email", "phone", "externalId"].map(|name| query.take(name).present());
    // What is searched for is somebody's address or number: a violation does not echo it.
    let [email, phone, id] = given.map(|node| node.map(Node::masked));
    match (email, phone, id) {
        (Some(email), None, None) => {
            let parse = |text: &str| {
                // A blank within an address can only be a `+` that was not escaped.
                Email::parse(&text.trim().replace(' ', "+"))
                    .map(|email| email.as_str().to_owned())
                    .map_err(|_| "must be an e-mail address")
            };
            let email = email.parsed("email", "e-mail", parse, violations);
            email.map(Lookup::Email)
        }
        (None, Some(phone), None) => {
            let parse = |sent: &str| {
                // So can a blank before a number.
                let text = sent.strip_prefix(' ').map(|digits| format!("+{digits}"));
                Phone::parse(text.as_deref().unwrap_or(sent))
                    .map(|phone| phone.as_str().to_owned())
                    .map_err(|_| "must be a phone number like +12345678901")
            };
            phone
                .parsed("phone", "E.164", parse, violations)
                .map(Lookup::Phone)
        }
        (None, None, Some(id)) => {
            let id = id.parsed(
                "id",
                "Klaviyo's id",
                |text: &str| ProfileId::parse(text),
                violations,
            );
            id.map(Lookup::Profile)
        }
        _ => {
            violations.add_to_whole("give exactly one of email, phone and externalId");
            None
        }
    }
}

/// Show a consumer
#[utoipa::path(
    get, path = "/api/consumers/{id}", tag = "Consumers", operation_id = "getConsumer",
    params(("id" = String, Path, description = "The consumer")),
    responses(
        (status = 200, description = "The consumer", body = wire::Consumer),
        (status = 404, description = "`CONSUMER_NOT_FOUND`"),
    ),
)]
pub(crate) async fn show(
    application: Application,
    principal: Principal,
    id: Id<ConsumerId>,
    _: NoQuery,
) -> Answer<wire::Consumer> {
    let consumer = application.consumer(&principal.organization, &id.0).await?;
    Ok(Json(wire::Consumer::of(&principal.organization, consumer)))
}

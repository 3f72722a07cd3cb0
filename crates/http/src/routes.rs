//! Every route, with the role it takes. What is not in these tables is not served.

use std::future::ready;

use actix_web::dev::ServiceRequest;
use actix_web::http::Method;
use actix_web::middleware::from_fn;
use actix_web::web::{self, ServiceConfig};
use actix_web::{HttpResponse, Resource, Route};
use fanfare_domain::organization::Role::{self, Admin, Editor, Viewer};

use crate::error::ApiError;
use crate::gate::{authenticate, require};
use crate::handlers::{audiences, consumers, events, klaviyo, runs, service, settings, sources};

/// A route: its method, its path, and what answers it.
pub(crate) struct Entry {
    pub(crate) method: Method,
    pub(crate) path: &'static str,
    /// The role it takes; `None` for what is answered to anybody.
    pub(crate) role: Option<Role>,
    answer: fn(Route) -> Route,
}

const fn open(method: Method, path: &'static str, answer: fn(Route) -> Route) -> Entry {
    Entry {
        method,
        path,
        role: None,
        answer,
    }
}

const fn api(role: Role, method: Method, path: &'static str, answer: fn(Route) -> Route) -> Entry {
    Entry {
        method,
        path,
        role: Some(role),
        answer,
    }
}

const GET: Method = Method::GET;
const PUT: Method = Method::PUT;
const POST: Method = Method::POST;
const DELETE: Method = Method::DELETE;

/// The API, below [`BASES`]. Of two paths that fit, the first answers.
#[rustfmt::skip]
pub(crate) const API: &[Entry] = &[
    api(Editor, GET,    "/settings",                             |to| to.to(settings::show)),
    api(Admin,  PUT,    "/settings",                             |to| to.to(settings::update)),
    api(Viewer, GET,    "/klaviyo",                              |to| to.to(klaviyo::lists)),
    api(Viewer, GET,    "/klaviyo/segments",                     |to| to.to(klaviyo::segments)),
    api(Viewer, GET,    "/klaviyo/lists/{listId}/estimate",      |to| to.to(klaviyo::estimate_list)),
    api(Viewer, GET,    "/klaviyo/segments/{segmentId}/estimate", |to| to.to(klaviyo::estimate_segment)),
    api(Editor, POST,   "/audiences/import/klaviyo",             |to| to.to(klaviyo::import)),
    api(Viewer, GET,    "/audiences",                            |to| to.to(audiences::list)),
    api(Viewer, GET,    "/audiences/{id}",                       |to| to.to(audiences::show)),
    api(Editor, PUT,    "/audiences/{id}",                       |to| to.to(audiences::update)),
    api(Editor, DELETE, "/audiences/{id}",                       |to| to.to(audiences::archive)),
    api(Editor, POST,   "/audiences/{id}/sync",                  |to| to.to(audiences::sync)),
    api(Viewer, GET,    "/audiences/{id}/members",               |to| to.to(audiences::members)),
    api(Viewer, GET,    "/audiences/{id}/count",                 |to| to.to(audiences::count)),
    api(Viewer, GET,    "/audiences/{id}/status",                |to| to.to(audiences::status)),
    api(Viewer, GET,    "/audiences/{id}/runs",                  |to| to.to(runs::of_audience)),
    api(Viewer, GET,    "/sync-runs/{id}",                       |to| to.to(runs::show)),
    api(Viewer, GET,    "/sync-runs/{id}/events",                |to| to.to(events::watch)),
    api(Viewer, GET,    "/sync-runs/{id}/issues",                |to| to.to(runs::issues)),
    api(Editor, POST,   "/sync-runs/{id}/cancel",                |to| to.to(runs::cancel)),
    api(Viewer, GET,    "/sync-sources/search",                  |to| to.to(sources::search)),
    api(Viewer, GET,    "/sync-sources/{id}",                    |to| to.to(sources::show)),
    api(Viewer, GET,    "/consumers",                            |to| to.to(consumers::list)),
    api(Viewer, GET,    "/consumers/search",                     |to| to.to(consumers::search)),
    api(Viewer, GET,    "/consumers/{id}",                       |to| to.to(consumers::show)),
];

/// What a program answers about itself.
pub(crate) const HEALTH: &[Entry] = &[
    open(GET, "/healthz", |to| to.to(service::live)),
    open(GET, "/readyz", |to| to.to(service::ready)),
    open(GET, "/metrics", |to| to.to(service::metrics)),
];

/// What is answered to anybody beside.
const OPEN: &[Entry] = &[open(GET, "/", |to| to.to(service::landing))];

/// The API's description, below [`BASES`].
pub(crate) const DOCUMENT: &[Entry] = &[open(GET, "/openapi.json", |to| to.to(service::document))];

/// Where the API is. The first that fits answers, so the longer comes first.
pub(crate) const BASES: [&str; 2] = ["/api/v1", "/api"];

/// Registers everything.
pub(crate) fn all(config: &mut ServiceConfig) {
    health(config);
    for resource in resources(OPEN, "") {
        config.service(resource);
    }
    for base in BASES {
        for resource in resources(DOCUMENT, base) {
            config.service(resource);
        }
        let mut scope = web::scope(base);
        for resource in resources(API, "") {
            scope = scope.service(resource);
        }
        let scope = scope.default_service(web::to(no_route));
        config.service(scope.wrap(from_fn(authenticate)));
    }
}

/// Registers what a program answers about itself, and that there is nothing else.
pub(crate) fn health(config: &mut ServiceConfig) {
    for resource in resources(HEALTH, "") {
        config.service(resource);
    }
    config.default_service(web::to(no_route));
}

/// One resource for each path, which knows all its methods.
fn resources(entries: &'static [Entry], base: &str) -> Vec<Resource> {
    let of_path = |path| entries.iter().filter(move |entry| entry.path == path);
    let is_first = |at: usize| entries[..at].iter().all(|e| e.path != entries[at].path);
    (0..entries.len())
        .filter(|at| is_first(*at))
        .map(|at| {
            let path = entries[at].path;
            let mut resource = web::resource(format!("{base}{path}"));
            for entry in of_path(path) {
                resource = resource.route(route(entry));
            }
            let methods: Vec<&str> = of_path(path).map(|entry| entry.method.as_str()).collect();
            let allowed = methods.join(", ");
            resource.default_service(web::to(move || {
                ready(Err::<HttpResponse, _>(ApiError::method_not_allowed(
                    &allowed,
                )))
            }))
        })
        .collect()
}

fn route(entry: &Entry) -> Route {
    let route = (entry.answer)(web::method(entry.method.clone()));
    match entry.role {
        Some(role) => route.wrap(from_fn(move |request: ServiceRequest, next| {
            require(role, request, next)
        })),
        None => route,
    }
}

async fn no_route() -> Result<HttpResponse, ApiError> {
    Err(ApiError::no_route())
}

//! Serves routes. What is not among them is a 404, or a 405 where the path has other methods.

use std::collections::BTreeMap;
use std::future::ready;

use actix_web::dev::ServiceRequest;
use actix_web::middleware::from_fn;
use actix_web::web::{self, ServiceConfig};
use actix_web::{HttpResponse, Resource};
use fanfare_domain::organization::Role;

use crate::error::ApiError;
use crate::middleware::{Authentication, authenticate};
use crate::route::Route;

/// The base of the API in the paths of routes.
const API: &str = "/api";

/// The bases that the API is served at. The first that fits answers, so the longer comes first.
pub(crate) const BASES: [&str; 2] = ["/api/v1", API];

/// Registers routes, and the answer to everything else.
pub(crate) fn register(config: &mut ServiceConfig, routes: &'static [Route]) {
    let (api, other): (Vec<&Route>, Vec<&Route>) = routes
        .iter()
        .partition(|route| path_in_api(&route.path).is_some());
    for (path, routes) in by_path(other) {
        config.service(resource(path, &routes));
    }
    if !api.is_empty() {
        for base in BASES {
            let mut scope = web::scope(base);
            for (path, routes) in by_path(api.clone()) {
                let path = path_in_api(path).unwrap_or(path);
                scope = scope.service(resource(path, &routes));
            }
            // A caller without a key does not learn which paths there are.
            let authentication = Authentication::SecretKey(Role::Viewer);
            let no_route = protected(web::to(no_route), authentication);
            config.service(scope.default_service(no_route));
        }
    }
    config.default_service(web::to(no_route));
}

fn path_in_api(path: &str) -> Option<&str> {
    path.strip_prefix(API).filter(|rest| rest.starts_with('/'))
}

/// The routes of each path. A path with fewer parameters comes first: `/consumers/search` fits
/// `/consumers/{id}` too.
fn by_path(routes: Vec<&Route>) -> impl Iterator<Item = (&str, Vec<&Route>)> {
    let mut paths = BTreeMap::<_, Vec<_>>::new();
    for route in routes {
        let parameters = route.path.matches('{').count();
        let path = (parameters, route.path.as_str());
        paths.entry(path).or_default().push(route);
    }
    paths.into_iter().map(|((_, path), routes)| (path, routes))
}

/// One resource for a path, which knows all its methods.
fn resource(path: &str, routes: &[&Route]) -> Resource {
    let mut resource = web::resource(path.to_owned());
    for route in routes {
        resource = resource.route(protected(route.service(), route.authentication));
    }
    let methods: Vec<&str> = routes.iter().map(|route| route.method.as_str()).collect();
    let allowed = methods.join(", ");
    let not_allowed = web::to(move || {
        ready(Err::<HttpResponse, _>(ApiError::method_not_allowed(
            &allowed,
        )))
    });
    let authentication = routes.first().map(|route| route.authentication);
    let authentication = authentication.map_or(Authentication::None, Authentication::weakest);
    resource.default_service(protected(not_allowed, authentication))
}

/// The service, behind its authentication.
fn protected(service: actix_web::Route, authentication: Authentication) -> actix_web::Route {
    service.wrap(from_fn(move |request: ServiceRequest, next| {
        authenticate(authentication, request, next)
    }))
}

async fn no_route() -> Result<HttpResponse, ApiError> {
    Err(ApiError::no_route())
}

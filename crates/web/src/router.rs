//! Serves the pages: each with its role, behind the guard, with the headers that keep it to itself.

use std::collections::BTreeMap;

use actix_web::http::{Method, StatusCode};
use actix_web::middleware::from_fn;
use actix_web::web::{self, Data, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse, Resource};
use fanfare_domain::organization::Role;

use crate::error::PageError;
use crate::guard::{guard, visitor_of};
use crate::headers::secure;
use crate::visitor::see;
use crate::{Dashboard, assets, pages};

/// A page or a form of one: its method, its path, and who may have it.
pub(crate) struct PageRoute {
    pub(crate) method: Method,
    pub(crate) path: &'static str,
    /// The lowest role; `None` for what is there before signing in.
    pub(crate) role: Option<Role>,
    pub(crate) handler: fn(actix_web::Route) -> actix_web::Route,
}

/// The route of a handler: `page!(GET Viewer "/app/audiences", list)`.
macro_rules! page {
    ($method:ident $role:ident $path:literal, $handler:path) => {
        $crate::router::PageRoute {
            method: actix_web::http::Method::$method,
            path: $path,
            role: Some(fanfare_domain::organization::Role::$role),
            handler: |route| route.to($handler),
        }
    };
    ($method:ident $path:literal, $handler:path) => {
        $crate::router::PageRoute {
            method: actix_web::http::Method::$method,
            path: $path,
            role: None,
            handler: |route| route.to($handler),
        }
    };
}
pub(crate) use page;

/// Registers the dashboard.
pub(crate) fn register(config: &mut ServiceConfig, dashboard: &Data<Dashboard>) {
    config.app_data(dashboard.clone());
    // A path with fewer parameters comes first: `/app/audiences/import` fits `/app/audiences/{id}` too.
    let mut paths = BTreeMap::<_, Vec<PageRoute>>::new();
    for route in pages::routes() {
        let parameters = route.path.matches('{').count();
        let routes = paths.entry((parameters, route.path)).or_default();
        routes.push(route);
    }
    for ((_, path), routes) in paths {
        config.service(resource(path, routes).wrap(from_fn(secure)));
    }
    let asset = web::resource("/assets/{hash}/{name}").route(web::get().to(assets::serve));
    config.service(asset.wrap(from_fn(secure)));
    for moved in ["/", "/app/", "/auth", "/auth/"] {
        let home = web::resource(moved).route(web::get().to(|| async { see("/app") }));
        config.service(home.wrap(from_fn(secure)));
    }
    for base in ["/app", "/auth", "/assets"] {
        let nowhere = web::scope(base).default_service(web::to(nowhere));
        config.service(nowhere.wrap(from_fn(secure)));
    }
}

fn resource(path: &str, routes: Vec<PageRoute>) -> Resource {
    let mut resource = web::resource(path.to_owned());
    for route in routes {
        let service = (route.handler)(web::method(route.method));
        resource = match route.role {
            Some(role) => resource
                .route(service.wrap(from_fn(move |request, next| guard(role, request, next)))),
            None => resource.route(service),
        };
    }
    resource.default_service(web::to(wrong_method))
}

/// An address without a page. Whoever has signed in keeps the navigation.
async fn nowhere(request: HttpRequest) -> HttpResponse {
    let visitor = visitor_of(&request).await.ok().flatten();
    PageError::NoPage.page(visitor.as_ref())
}

/// The address of a form, which has no page: the page that the form is on is one above. `Try again` after an error, and
/// signing in anew, lead there.
async fn wrong_method(request: HttpRequest) -> Result<HttpResponse, PageError> {
    match request.path().rsplit_once('/') {
        Some((above, _)) if request.method() == Method::GET => Ok(see(above)),
        _ => Err(PageError::Unusable(StatusCode::METHOD_NOT_ALLOWED)),
    }
}

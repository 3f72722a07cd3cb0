//! Serves the pages: each with its role, behind the guard, with the headers that keep it to itself.

use std::collections::BTreeMap;
use std::sync::LazyLock;

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
    PageError::NoPage.page(visitor.as_ref(), again(&request))
}

/// The address of a form, which has no page: signing in anew leads there, and from there to the page that the form is on.
async fn wrong_method(request: HttpRequest) -> Result<HttpResponse, PageError> {
    if request.method() == Method::GET {
        Ok(see(page_above(request.path())))
    } else {
        Err(PageError::Unusable(StatusCode::METHOD_NOT_ALLOWED))
    }
}

/// Where a page that is not there can be asked for again: at its own address, or, after a form, where the form's page is.
pub(crate) fn again(request: &HttpRequest) -> &str {
    if request.method() == Method::GET {
        ""
    } else {
        page_above(request.path())
    }
}

/// The addresses that have a page.
static PAGES: LazyLock<Vec<&'static str>> = LazyLock::new(|| {
    let routes = pages::routes().into_iter();
    let pages = routes.filter(|route| route.method == Method::GET);
    pages.map(|route| route.path).collect()
});

/// The nearest address at a path or above it that has a page. The page of a form is there.
pub(crate) fn page_above(mut path: &str) -> &str {
    let fits = |pattern: &str, path: &str| {
        let mut of_path = path.split('/');
        let mut of_pattern = pattern.split('/');
        let fit = of_pattern.all(|part| {
            let given = of_path.next();
            given == Some(part) || given.is_some() && part.starts_with('{')
        });
        fit && of_path.next().is_none()
    };
    while !PAGES.iter().any(|pattern| fits(pattern, path)) {
        match path.rsplit_once('/') {
            Some((above, _)) => path = above,
            None => return "/app",
        }
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn after_every_form_there_is_a_page_to_go_back_to() {
        let forms = pages::routes().into_iter();
        let forms = forms.filter(|route| route.method == Method::POST);
        for form in forms {
            let path = form.path.replace("{id}", "some_id");
            let above = page_above(&path);
            assert!(
                path.starts_with(above) || above == "/app",
                "{path}: {above}"
            );
            assert_eq!(page_above(above), above, "{path}");
        }
        for (path, page) in [
            ("/app/audiences/aud_1/sync", "/app/audiences/aud_1"),
            ("/app/audiences/aud_1/edit", "/app/audiences/aud_1/edit"),
            (
                "/app/audiences/aud_1/members/add",
                "/app/audiences/aud_1/members",
            ),
            (
                "/app/settings/integrations/klaviyo/force-sync",
                "/app/settings/integrations",
            ),
            ("/auth/sign-out", "/app"),
        ] {
            assert_eq!(page_above(path), page);
        }
    }
}

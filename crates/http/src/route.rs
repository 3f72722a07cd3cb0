//! A route: its method, path, authentication, handler and documentation in one value.
//!
//! The value is made beside the handler, by `route!`. The router serves it and the `OpenAPI`
//! document describes it; neither has a list of its own.

use actix_web::http::Method;
use utoipa::openapi::OpenApi;
use utoipa::openapi::path::{Operation, PathItem};

use crate::middleware::Authentication;

/// A route of the service.
pub(crate) struct Route {
    pub(crate) method: Method,
    /// The whole path as the document has it, below `/api` for a route of the API.
    pub(crate) path: String,
    pub(crate) authentication: Authentication,
    /// The document of this route alone.
    pub(crate) documentation: OpenApi,
    handler: fn(actix_web::Route) -> actix_web::Route,
}

/// The route of a handler that has a `#[utoipa::path]`: `route!(SecretKey(Viewer), show)`.
macro_rules! route {
    ($authentication:expr, $handler:ident) => {{
        #[derive(utoipa::OpenApi)]
        #[openapi(paths($handler))]
        struct Documentation;

        $crate::route::Route::new(
            $authentication,
            <Documentation as utoipa::OpenApi>::openapi(),
            |route| route.to($handler),
        )
    }};
}
pub(crate) use route;

impl Route {
    /// A route at the one method and path of `documentation`.
    pub(crate) fn new(
        authentication: Authentication,
        mut documentation: OpenApi,
        handler: fn(actix_web::Route) -> actix_web::Route,
    ) -> Self {
        let paths = &mut documentation.paths.paths;
        let found = paths.iter_mut().find_map(|(path, item)| {
            let (method, _) = operations(item).next()?;
            Some((method, path.clone()))
        });
        let (method, path) = found.expect("`route!` documents one handler");
        Self {
            method,
            path,
            authentication,
            documentation,
            handler,
        }
    }

    /// The service of this route, without its authentication.
    pub(crate) fn service(&self) -> actix_web::Route {
        (self.handler)(actix_web::web::method(self.method.clone()))
    }
}

/// The operations at a path, of the methods that routes can have.
pub(crate) fn operations(item: &mut PathItem) -> impl Iterator<Item = (Method, &mut Operation)> {
    [
        (Method::GET, item.get.as_mut()),
        (Method::PUT, item.put.as_mut()),
        (Method::POST, item.post.as_mut()),
        (Method::DELETE, item.delete.as_mut()),
    ]
    .into_iter()
    .filter_map(|(method, operation)| Some((method, operation?)))
}

//! Lets only those to a page who have signed in, whose key is valid still, and whose role may have it.

use std::time::Duration;

use actix_web::body::BoxBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::Method;
use actix_web::http::header::{HeaderMap, LOCATION, RETRY_AFTER};
use actix_web::http::uri::PathAndQuery;
use actix_web::middleware::Next;
use actix_web::web::Data;
use actix_web::{Error, HttpMessage, HttpRequest, HttpResponse};
use fanfare_domain::organization::Role;
use fanfare_domain::ports::StoreError;
use fanfare_http::admit_page;
use fanfare_sync::Integration;

use crate::Dashboard;
use crate::error::PageError;
use crate::fields::{Fields, read_form};
use crate::pages::sign_in;
use crate::router::again;
use crate::session;
use crate::visitor::Visitor;

/// How long the store may take to say who a visitor is. One that takes longer is away, and the page says so: nobody looks at
/// a page that does not come for as long as the store itself would be waited for.
const STORE_TIMEOUT: Duration = Duration::from_secs(5);

/// Lets a request through to a page whose visitor has the role.
pub(crate) async fn guard(
    needed: Role,
    mut request: ServiceRequest,
    next: Next<BoxBody>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let Some(dashboard) = request.app_data::<Data<Dashboard>>().cloned() else {
        return Ok(request.error_response(PageError::Internal));
    };
    let visitor = match visitor_of(request.request()).await {
        Ok(Some(visitor)) => visitor,
        Ok(None) => {
            let answer = ask_to_sign_in(&mut request).await;
            return Ok(request.into_response(answer));
        }
        Err(error) => {
            error.log();
            let answer = error.page(None, again(request.request()));
            return Ok(request.into_response(answer));
        }
    };
    let admitted = match admit_page(&request, &visitor.caller, needed).await {
        Ok(admitted) => admitted,
        Err(refused) => {
            let error = PageError::of_refusal(refused.status, needed);
            let mut answer = error.page(Some(&visitor), again(request.request()));
            if let Some(seconds) = refused.retry_after {
                answer.headers_mut().insert(RETRY_AFTER, seconds.into());
            }
            return Ok(request.into_response(answer));
        }
    };
    request.extensions_mut().insert(visitor.clone());
    let answer = next.call(request).await?;
    let mut answer = with_navigation(answer, &visitor);
    let ends = answer.response().cookies().next().is_some();
    if let Some(used) = visitor.session.used(visitor.now).filter(|_| !ends)
        && let Some(cookie) = session::sealed(&used, &dashboard.options, visitor.now)
    {
        answer.response_mut().add_cookie(&cookie)?;
    }
    Ok(admitted.answer(answer))
}

/// The visitor, if there is a session that lasts, of a key that is valid.
pub(crate) async fn visitor_of(request: &HttpRequest) -> Result<Option<Visitor>, PageError> {
    let dashboard = request.app_data::<Data<Dashboard>>();
    let application = request.app_data::<Data<Integration>>();
    let (Some(dashboard), Some(application)) = (dashboard, application) else {
        return Err(PageError::Internal);
    };
    let found = find_visitor(request, dashboard, application);
    let found = tokio::time::timeout(STORE_TIMEOUT, found).await;
    found.unwrap_or_else(|_| {
        let why = "it did not say within 5 s who the visitor is";
        let error = StoreError::Unavailable(why.into());
        Err(PageError::UseCase(error.into()))
    })
}

async fn find_visitor(
    request: &HttpRequest,
    dashboard: &Dashboard,
    application: &Integration,
) -> Result<Option<Visitor>, PageError> {
    let now = application.clock().now();
    let Some(session) = session::of_request(request, &dashboard.options, now) else {
        return Ok(None);
    };
    let found = application.caller_of(&session.organization, &session.key);
    let Some(caller) = found.await? else {
        return Ok(None);
    };
    let is_partial = is_partial(request.headers());
    let organization_name = if is_partial {
        String::new()
    } else {
        application.organization(&session.organization).await?.name
    };
    Ok(Some(Visitor {
        caller,
        session,
        organization_name,
        now,
        is_partial,
    }))
}

/// Whether a script asks for a part of a page, which it swaps.
fn is_partial(headers: &HeaderMap) -> bool {
    let kind = headers.get("hx-request-type");
    kind.is_some_and(|kind| kind.as_bytes() == b"partial")
}

/// Sends the browser to sign in and then back. What was typed into a form is kept on the way.
async fn ask_to_sign_in(request: &mut ServiceRequest) -> HttpResponse {
    let is_form = request.method() == Method::POST;
    if is_form {
        let mut payload = request.take_payload();
        let typed = read_form(request.request(), &mut payload).await;
        let path = request.path().to_owned();
        return sign_in::after_expiry(&path, &typed.unwrap_or_default());
    }
    let here = request
        .uri()
        .path_and_query()
        .map_or("/app", PathAndQuery::as_str);
    let query = Fields::default().set("next", Some(here)).query();
    let address = format!("/auth/sign-in{query}");
    if is_partial(request.headers()) {
        // A redirection would be followed by the script, and swapped into the page.
        return HttpResponse::Unauthorized()
            .insert_header(("hx-redirect", address))
            .finish();
    }
    HttpResponse::SeeOther()
        .insert_header((LOCATION, address))
        .finish()
}

/// The same answer; an error becomes a page with the visitor's navigation.
fn with_navigation(answer: ServiceResponse, visitor: &Visitor) -> ServiceResponse {
    let error = answer.response().error();
    let Some(page) = error
        .and_then(|error| error.as_error::<PageError>())
        .map(|error| error.page(Some(visitor), again(answer.request())))
    else {
        return answer;
    };
    let (request, _) = answer.into_parts();
    ServiceResponse::new(request, page)
}

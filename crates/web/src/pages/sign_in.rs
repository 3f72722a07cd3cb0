//! `/auth/sign-in` and `/auth/sign-out`.

use std::net::SocketAddr;

use actix_web::http::StatusCode;
use actix_web::http::header::{HOST, HeaderMap, ORIGIN, RETRY_AFTER};
use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};
use fanfare_sync::Integration;
use maud::{Markup, html};
use secrecy::SecretString;

use crate::Dashboard;
use crate::components::{field, notice};
use crate::error::PageError;
use crate::fields::{Fields, Form, Query, read_form};
use crate::layout;
use crate::router::{PageRoute, page};
use crate::session::{self, Session};
use crate::texts;
use crate::visitor::see;

/// The routes of this file.
pub(super) fn routes() -> Vec<PageRoute> {
    vec![
        page!(GET "/auth/sign-in", show),
        page!(POST "/auth/sign-in", sign_in),
        page!(POST Viewer "/auth/sign-out", sign_out),
    ]
}

/// Where somebody goes who has signed in, unless they came from elsewhere.
const HOME: &str = "/app";

/// Prefix of the fields that a form has kept while its sender signed in again.
const KEPT: &str = "kept.";

/// Fields that are never kept: a secret, and what the new session has its own of.
const NEVER_KEPT: [&str; 2] = ["apiKey", "csrf"];

/// The sign-in page as it is shown.
#[derive(Default)]
struct SignIn<'a> {
    next: &'a str,
    /// What is wrong with the key.
    fault: Option<&'a str>,
    /// Fields of a form whose session had ended.
    kept: Fields,
    is_expired: bool,
}

async fn show(query: Query) -> HttpResponse {
    let Query(fields) = query;
    let page = SignIn {
        next: safe_path(fields.get("next")),
        is_expired: fields.has("next"),
        ..SignIn::default()
    };
    page.answer(StatusCode::OK)
}

/// The sign-in page for somebody whose session ended while they filled in the form of this path.
pub(crate) fn after_expiry(path: &str, typed: &Fields) -> HttpResponse {
    let kept = typed.iter().filter(|(name, _)| !NEVER_KEPT.contains(name));
    let kept = kept.map(|(name, value)| (format!("{KEPT}{name}"), value.to_owned()));
    let page = SignIn {
        next: safe_path(Some(path)),
        kept: kept.collect(),
        is_expired: true,
        fault: None,
    };
    page.answer(StatusCode::UNAUTHORIZED)
}

async fn sign_in(
    request: HttpRequest,
    payload: Payload,
    dashboard: Data<Dashboard>,
    application: Data<Integration>,
) -> Result<HttpResponse, PageError> {
    // There is no session yet whose token could show that the form is ours; the browser says which page sent it.
    if !is_from_here(request.headers()) {
        return Err(PageError::Forged);
    }
    let typed = read_form(&request, &mut payload.into_inner()).await?;
    let now = application.clock().now();
    let kept = typed.iter().filter(|(name, _)| name.starts_with(KEPT));
    let kept = kept.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let mut page = SignIn {
        next: safe_path(typed.get("next")),
        kept: kept.collect(),
        ..SignIn::default()
    };
    let from = request.peer_addr().as_ref().map(SocketAddr::ip);
    if let Err(wait) = dashboard.attempts.count(from, now) {
        let seconds = wait.as_secs().max(1);
        let fault = format!("Too many tries. Try again in {}.", texts::duration(seconds));
        page.fault = Some(&fault);
        let mut answer = page.answer(StatusCode::TOO_MANY_REQUESTS);
        answer.headers_mut().insert(RETRY_AFTER, seconds.into());
        return Ok(answer);
    }
    let secret = typed.text("secretKey").unwrap_or_default();
    page.fault = match secret {
        "" => Some("Enter a secret key."),
        key if key.starts_with("sk_") => None,
        key if key.starts_with("pk_") => Some(
            "This is not a secret key of Fanfare's. A secret key begins with sk_live_ or sk_test_.",
        ),
        _ => Some("A secret key begins with sk_live_ or sk_test_."),
    };
    if page.fault.is_some() {
        return Ok(page.answer(StatusCode::BAD_REQUEST));
    }
    let Some(caller) = application
        .authenticate(&SecretString::from(secret))
        .await?
    else {
        page.fault = Some("This key is not known, or it was revoked.");
        return Ok(page.answer(StatusCode::UNAUTHORIZED));
    };
    let session = Session::begin(&caller, application.ids(), now);
    let cookie = session::sealed(&session, &dashboard.options, now).ok_or(PageError::Internal)?;
    let mut answer = if page.kept.iter().next().is_some() {
        let token = session.form_token(application.ids());
        let token = token.ok_or(PageError::Internal)?;
        let markup = send_again(page.next, &page.kept, &token);
        crate::visitor::html(&layout::bare("Signed in", &markup))
    } else {
        see(page.next)
    };
    answer
        .add_cookie(&cookie)
        .map_err(|_| PageError::Internal)?;
    Ok(answer)
}

async fn sign_out(_: Form, dashboard: Data<Dashboard>) -> Result<HttpResponse, PageError> {
    let mut answer = see("/auth/sign-in");
    let cookie = session::ended(&dashboard.options);
    answer
        .add_cookie(&cookie)
        .map_err(|_| PageError::Internal)?;
    Ok(answer)
}

impl SignIn<'_> {
    fn answer(&self, status: StatusCode) -> HttpResponse {
        let markup = layout::bare("Sign in", &self.markup());
        HttpResponse::build(status)
            .content_type("text/html; charset=utf-8")
            .body(markup.0)
    }

    fn markup(&self) -> Markup {
        let fault = self.fault.map(|_| "true");
        let input = html! {
            input #secretKey name="secretKey" type="password" required autofocus autocomplete="current-password"
                spellcheck="false" aria-describedby="secretKey-hint" aria-invalid=[fault];
        };
        let hint = "It begins with sk_live_ or sk_test_. Its role decides what you see and may do.";
        html! {
            div.sign-in {
                h1 { "Sign in to Fanfare" }
                @if self.is_expired && self.fault.is_none() {
                    (notice("info", &html! {
                        "Sign in to go on. "
                        @if self.kept.iter().next().is_some() { "What you typed is kept." }
                    }))
                }
                form method="post" action="/auth/sign-in" hx-boost="false" {
                    input type="hidden" name="next" value=(self.next);
                    @for (name, value) in self.kept.iter() {
                        input type="hidden" name=(name) value=(value);
                    }
                    (field("secretKey", "Secret key", hint, self.fault, &input))
                    button type="submit" { "Sign in" }
                }
            }
        }
    }
}

/// The form that was sent when its session had ended, to be sent once more by somebody who has looked at it.
fn send_again(path: &str, kept: &Fields, token: &str) -> Markup {
    html! {
        div.sign-in {
            h1 { "You are signed in again" }
            p { "This is what you typed before your session ended. Nothing of it has been done yet." }
            form method="post" action=(path) hx-boost="false" {
                input type="hidden" name="csrf" value=(token);
                dl {
                    @for (name, value) in kept.iter() {
                        @let name = name.strip_prefix(KEPT).unwrap_or(name);
                        dt { (label(name)) }
                        dd { bdi { (texts::cut(value, 200)) } }
                        input type="hidden" name=(name) value=(value);
                    }
                }
                button type="submit" { "Continue" }
                " "
                a href=(HOME) { "Leave it" }
            }
        }
    }
}

/// What the form's page calls a field.
fn label(name: &str) -> &str {
    match name {
        "name" => "Name",
        "description" => "Description",
        "sync" => "Sync",
        "refreshIntervalSeconds" => "Refresh every, in seconds",
        "list" => "List",
        "segment" => "Segment",
        "search" => "Search",
        other => other,
    }
}

/// A path of ours, where to go after signing in. An address of elsewhere, or one that a browser could take for it, is
/// replaced by [`HOME`].
fn safe_path(path: Option<&str>) -> &str {
    let is_ours = |path: &&str| {
        (*path == "/app" || path.starts_with("/app/") || path.starts_with("/app?"))
            && !path.contains('\\')
            && !path.contains("//")
            && !path.contains(char::is_control)
    };
    path.filter(is_ours).unwrap_or(HOME)
}

/// Whether a form was sent from a page of this origin, as far as the browser says.
fn is_from_here(headers: &HeaderMap) -> bool {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    if let Some(site) = text("sec-fetch-site") {
        return matches!(site, "same-origin" | "none");
    }
    let (origin, host) = (text(ORIGIN.as_str()), text(HOST.as_str()));
    match (origin, host) {
        (None, _) => true,
        (Some(origin), Some(host)) => origin
            .split_once("://")
            .is_some_and(|(_, of)| of.eq_ignore_ascii_case(host)),
        (Some(_), None) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::safe_path;

    #[test]
    fn only_paths_of_the_dashboard_are_gone_to() {
        for ours in ["/app", "/app/audiences?search=a", "/app?x=1"] {
            assert_eq!(safe_path(Some(ours)), ours);
        }
        for other in [
            "https://evil.example/app",
            "//evil.example",
            "/app//evil.example",
            "/app\\evil",
            "/application",
            "/auth/sign-out",
            "javascript:alert(1)",
            "",
        ] {
            assert_eq!(safe_path(Some(other)), "/app", "{other}");
        }
        assert_eq!(safe_path(None), "/app");
    }
}

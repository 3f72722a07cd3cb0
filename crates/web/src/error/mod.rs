//! What cannot be shown or done: each error as a page that says what happened and what to do.

mod use_case;

use std::fmt;

use actix_web::http::StatusCode;
use actix_web::http::header::RETRY_AFTER;
use actix_web::{HttpResponse, ResponseError};
use fanfare_domain::organization::Role;
use fanfare_domain::ports::StoreError;
use fanfare_sync::Error;
use maud::Markup;

use crate::components::error_panel;
use crate::layout::{self, Section};
use crate::visitor::Visitor;

/// After how many seconds a store that is away may be asked again, as in the API.
const STORE_RETRY_SECONDS: u64 = 5;

/// Why a page is not what was asked for.
#[derive(Debug)]
pub(crate) enum PageError {
    /// A use case failed.
    UseCase(Error),
    /// The visitor's role may not have it.
    Forbidden(Role),
    /// A form did not come from a page of the visitor's session.
    Forged,
    /// There is no such page.
    NoPage,
    /// The organization has made too many requests.
    TooMany,
    /// The request cannot be used, for the reason that the status names.
    Unusable(StatusCode),
    /// A defect of this program.
    Internal,
}

/// An error in words: what happened, what to do, and the way out.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Told<'a> {
    pub(crate) status: StatusCode,
    pub(crate) heading: String,
    pub(crate) text: String,
    pub(crate) way_out: (&'static str, &'a str),
}

/// An error in these words.
fn told(
    status: StatusCode,
    heading: &str,
    text: &str,
    way_out: (&'static str, &'static str),
) -> Told<'static> {
    Told {
        status,
        heading: heading.to_owned(),
        text: text.to_owned(),
        way_out,
    }
}

const TO_AUDIENCES: (&str, &str) = ("Go to Audiences", "/app/audiences");
const TO_INTEGRATIONS: (&str, &str) = ("Open Integrations", "/app/settings/integrations");
const AGAIN: (&str, &str) = ("Try again", "");
/// What leads to the page of a form that was not taken.
const BACK: &str = "Back to the page";

impl From<Error> for PageError {
    fn from(error: Error) -> Self {
        Self::UseCase(error)
    }
}

impl PageError {
    /// The error of a request that the limits of its organization refuse.
    pub(crate) fn of_refusal(status: StatusCode, needed: Role) -> Self {
        match status {
            StatusCode::FORBIDDEN => Self::Forbidden(needed),
            StatusCode::TOO_MANY_REQUESTS => Self::TooMany,
            _ => Self::Internal,
        }
    }

    /// The error in words.
    pub(crate) fn told<'a>(&self) -> Told<'a> {
        match self {
            Self::UseCase(error) => use_case::told(error),
            Self::Forbidden(needed) => told(
                StatusCode::FORBIDDEN,
                "Your key may not do this",
                &format!(
                    "It needs the role {needed}. Sign in with a key of that role, or ask an admin of your organization.",
                    needed = needed.as_str(),
                ),
                TO_AUDIENCES,
            ),
            Self::Forged => told(
                StatusCode::FORBIDDEN,
                "This form is out of date",
                "It belongs to a session that has ended, or it did not come from this page. Nothing was changed. Open the \
                 page again and send the form from there.",
                TO_AUDIENCES,
            ),
            Self::NoPage => told(
                StatusCode::NOT_FOUND,
                "Page not found",
                "There is no page at this address.",
                TO_AUDIENCES,
            ),
            Self::TooMany => told(
                StatusCode::TOO_MANY_REQUESTS,
                "Too many requests",
                "Your organization has made as many requests this minute as it may. Wait a minute, then try again.",
                AGAIN,
            ),
            Self::Unusable(StatusCode::PAYLOAD_TOO_LARGE) => told(
                StatusCode::PAYLOAD_TOO_LARGE,
                "The form is too large",
                "Nothing was changed. Send less at once, for example fewer lists.",
                TO_AUDIENCES,
            ),
            Self::Unusable(status) => told(
                *status,
                "The request could not be used",
                "Nothing was changed. Go back and try again.",
                TO_AUDIENCES,
            ),
            Self::Internal => told(
                StatusCode::INTERNAL_SERVER_ERROR,
                "Something went wrong",
                "This is a fault of the service, and its logs tell more. Try again in a moment.",
                AGAIN,
            ),
        }
    }

    /// The error as a page, with the visitor's navigation where there is one; as a part of a page for a script. Whoever wants to
    /// try again goes to the address `again`; where that is empty, to the one that was asked for.
    pub(crate) fn page(&self, visitor: Option<&Visitor>, again: &str) -> HttpResponse {
        let mut told = self.told();
        if told.way_out == AGAIN && !again.is_empty() {
            told.way_out = (BACK, again);
        }
        let body = error_panel(&told);
        let markup: Markup = match visitor {
            Some(visitor) if visitor.is_partial => body,
            Some(visitor) => layout::page(visitor, &told.heading, Section::None, &body),
            None => layout::bare(&told.heading, &body),
        };
        let mut answer = HttpResponse::build(told.status);
        match self {
            Self::UseCase(Error::KlaviyoThrottled(wait)) => {
                answer.insert_header((RETRY_AFTER, wait.as_secs().max(1)));
            }
            Self::UseCase(Error::Store(StoreError::Unavailable(_))) => {
                answer.insert_header((RETRY_AFTER, STORE_RETRY_SECONDS));
            }
            _ => {}
        }
        answer
            .content_type("text/html; charset=utf-8")
            .body(markup.0)
    }

    pub(crate) fn log(&self) {
        let Self::UseCase(error) = self else {
            if matches!(self, Self::Internal) {
                tracing::error!("a page was put together without its parts");
            }
            return;
        };
        let cause = error as &dyn std::error::Error;
        match self.told().status {
            StatusCode::INTERNAL_SERVER_ERROR => {
                tracing::error!(error = cause, "a page cannot be shown");
            }
            status if status.is_server_error() => {
                tracing::warn!(error = cause, "a page cannot be shown now");
            }
            _ => {}
        }
    }
}

impl fmt::Display for PageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.told().heading)
    }
}

impl ResponseError for PageError {
    fn status_code(&self) -> StatusCode {
        self.told().status
    }

    fn error_response(&self) -> HttpResponse {
        self.log();
        self.page(None, "")
    }
}

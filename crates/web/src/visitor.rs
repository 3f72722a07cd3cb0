//! Who looks at a page, as the guard has found out.

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpMessage, HttpRequest, HttpResponse};
use fanfare_domain::ids::OrganizationId;
use fanfare_domain::organization::Role;
use fanfare_domain::time::Timestamp;
use fanfare_sync::Caller;
use maud::Markup;

use crate::error::PageError;
use crate::layout::{self, Section};
use crate::session::Session;

/// The person at the browser: a session whose key is valid, and what of a page the browser asks for.
#[derive(Debug, Clone)]
pub(crate) struct Visitor {
    pub(crate) caller: Caller,
    pub(crate) session: Session,
    /// What the forms of this answer send back.
    pub(crate) form_token: String,
    /// The organization's name.
    pub(crate) organization_name: String,
    /// When the request came.
    pub(crate) now: Timestamp,
    /// Whether a script asks for the part of a page that it swaps.
    pub(crate) is_partial: bool,
}

impl Visitor {
    /// The visitor of a request that has passed the guard.
    pub(crate) fn of(request: &HttpRequest) -> Result<Self, PageError> {
        let visitor = request.extensions().get::<Self>().cloned();
        visitor.ok_or(PageError::Internal)
    }

    /// Whether the visitor's key has this role or a higher one.
    pub(crate) fn may(&self, role: Role) -> bool {
        self.caller.role >= role
    }

    pub(crate) fn organization(&self) -> &OrganizationId {
        &self.caller.organization
    }

    /// The name that records bear as their author: the key's id.
    pub(crate) fn actor(&self) -> String {
        self.caller.key.to_string()
    }

    /// A whole page.
    pub(crate) fn page(&self, title: &str, section: Section, body: &Markup) -> HttpResponse {
        html(&layout::page(self, title, section, body))
    }

    /// The part that a script swaps, if a script asks, or the whole page around it.
    pub(crate) fn page_or(
        &self,
        part: Markup,
        title: &str,
        section: Section,
        around: impl FnOnce(Markup) -> Markup,
    ) -> HttpResponse {
        if self.is_partial {
            html(&part)
        } else {
            self.page(title, section, &around(part))
        }
    }
}

impl FromRequest for Visitor {
    type Error = PageError;
    type Future = Ready<Result<Self, PageError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Self::of(request))
    }
}

/// An answer of HTML.
pub(crate) fn html(markup: &Markup) -> HttpResponse {
    HttpResponse::Ok()
        .content_type("text/html; charset=utf-8")
        .body(markup.0.clone())
}

/// The answer to a form that was carried out: the browser asks for this page next.
pub(crate) fn see(path: &str) -> HttpResponse {
    HttpResponse::SeeOther()
        .insert_header((actix_web::http::header::LOCATION, path))
        .finish()
}

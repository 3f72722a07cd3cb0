//! `GET` of the smallest page that needs a capability, to test whether a credential has it.

use fanfare_domain::klaviyo::{Capability, KlaviyoError};
use serde::de::IgnoredAny;

use crate::document::{Single, parse};
use crate::origin::Origin;
use crate::request::Request;

/// Requests one resource with a field that holds no personal data.
pub(crate) fn request(origin: &Origin, capability: Capability) -> Request {
    let fields = format!("fields[{}]", capability.noun());
    let parameters = [(fields.as_str(), "created"), ("page[size]", "1")];
    Request::get(origin, [capability.path()], &parameters, None)
}

/// Checks only that the answer is a document with a list of resources: they are not needed themselves.
pub(crate) fn read(text: &str) -> Result<(), KlaviyoError> {
    parse::<Single<'_>>(text)?
        .data::<Vec<IgnoredAny>>()
        .map(drop)
}

//! Requests that write: their bodies are checked, and what they ask for is done now or later.
//!
//! What Klaviyo does not document is a guess here: after how long something shows ([`crate::Delays`]; a profile's values show at
//! once), in which order identifiers are looked for, that a list write with an unknown profile is a 404, that a bulk
//! request with a repeated event is a 400, that too large a body is a 413, and how the rows of an import are refused.

mod consent;
mod events;
mod lists;
mod profiles;

use serde_json::Value;

use crate::endpoint::{Endpoint, Route};
use crate::fault::Effect;
use crate::refusal::Refusal;
use crate::state::{Account, Named, Pending};
use crate::switches::{Delays, Switches};

/// The largest body, in bytes.
const MOST_BYTES: usize = 5 << 20;

/// A request that may write, and what it writes to.
pub(crate) struct WriteContext<'a> {
    pub(crate) account: &'a mut Account,
    pub(crate) route: &'a Route,
    pub(crate) body: &'a Value,
    pub(crate) bytes: usize,
    /// `http://HOST:PORT`, as the client sees it.
    pub(crate) base: &'a str,
    /// Microseconds since the epoch.
    pub(crate) now: i64,
    pub(crate) switches: &'a Switches,
    pub(crate) effects: &'a [Effect],
}

/// The answer of a write.
pub(crate) enum Answer {
    /// A status alone.
    Empty(u16),
    /// A status with a document.
    Document(u16, Value),
}

impl WriteContext<'_> {
    /// Does what the request asks for.
    pub(crate) fn answer(mut self) -> Result<Answer, Refusal> {
        if self.bytes > MOST_BYTES {
            return Err(Refusal::too_large());
        }
        if !self.body["data"].is_object() && !self.body["data"].is_array() {
            return Err(Refusal::body(
                "/data",
                "The body must be a JSON:API document.",
            ));
        }
        match self.route.endpoint {
            Endpoint::CreateEvent => self.create_event(),
            Endpoint::CreateEvents => self.create_events(),
            Endpoint::UpdateProfile => self.update_profile(),
            Endpoint::UpsertProfile => self.upsert_profile(),
            Endpoint::StartImport => self.start_import(),
            Endpoint::AddToList => self.members(true),
            Endpoint::RemoveFromList => self.members(false),
            Endpoint::CreateList => self.create_list(),
            Endpoint::Unsubscribe => self.unsubscribe(),
            Endpoint::Subscribe => self.subscribe(),
            Endpoint::Suppress => self.suppress(true),
            Endpoint::Unsuppress => self.suppress(false),
            _ => Err(Refusal::method("this method")),
        }
    }

    fn has(&self, effect: &Effect) -> bool {
        self.effects.contains(effect)
    }

    fn delays(&self) -> &Delays {
        &self.switches.delays
    }

    /// Lets something be done after a while; at once where there is no delay.
    fn later(&mut self, delay: std::time::Duration, pending: Pending) {
        if !self.has(&Effect::NoEffect) {
            let at = crate::service::later(self.now, delay);
            self.account.writes.later(at, pending);
            self.account.catch_up(self.now);
        }
    }
}

/// A text of an object.
fn text(of: &Value, name: &str) -> Option<String> {
    let text = of[name].as_str()?;
    (!text.is_empty()).then(|| text.to_owned())
}

/// By whom a profile's resource is meant.
pub(crate) fn named(resource: &Value) -> Named {
    let attributes = &resource["attributes"];
    Named {
        id: text(resource, "id"),
        email: text(attributes, "email"),
        phone: text(attributes, "phone_number"),
        external_id: text(attributes, "external_id"),
    }
}

/// Whether anybody is meant.
fn is_anybody(named: &Named) -> bool {
    named.id.is_some()
        || named.email.is_some()
        || named.phone.is_some()
        || named.external_id.is_some()
}

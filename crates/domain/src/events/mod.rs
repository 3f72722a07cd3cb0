//! What happens in Fanfare, as its webhooks tell it and as Klaviyo is told of it.
//!
//! An [`Envelope`] is what came; [`Act`] is what happened, by which the same act is known under another id; an
//! [`OutgoingEvent`] is what goes to Klaviyo, frozen when the envelope is accepted. [`decide`] makes the one of the other.

mod act;
mod envelope;
mod event_type;
mod mapping;
mod metric_name;
mod outgoing;
mod properties;
mod purchase;
mod signature;
mod value;

pub use act::{Act, ActKey};
pub use envelope::{Envelope, NoEnvelope};
pub use event_type::EventType;
pub use mapping::{EventSettings, EventSettingsUpdate};
pub use metric_name::{InvalidMetricName, MetricName};
pub use outgoing::{Decision, OutgoingEvent, OutgoingPerson, Person, decide};
pub use properties::properties;
pub use purchase::{AMOUNT_TIMEOUT, PurchaseKey};
pub use signature::{OLDEST_SIGNATURE, SECRET_OVERLAP, SignedAt, WebhookSecrets, signature_of};
pub use value::{Currency, Money};

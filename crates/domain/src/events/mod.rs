//! What happens in Fanfare, as its webhooks tell it and as Klaviyo is told of it.
//!
//! An [`Envelope`] is what came; [`Act`] is what happened, by which the same act is known under another id; an
//! [`Event`](crate::writing::Event) is what goes to Klaviyo, frozen when the envelope is accepted. [`decide`] makes the one of
//! the other.

mod act;
mod envelope;
mod event_type;
mod mapping;
mod outgoing;
mod properties;
mod purchase;
mod sample;
mod signature;

pub use act::{Act, ActKey, InboundKey};
pub use envelope::{Envelope, NoEnvelope};
pub use event_type::EventType;
pub use mapping::{EventSettings, EventSettingsUpdate};
pub use outgoing::{Decision, Person, decide};
pub use properties::properties;
pub use purchase::{AMOUNT_TIMEOUT, PurchaseKey};
pub use signature::{OLDEST_SIGNATURE, SECRET_OVERLAP, SignedAt, WebhookSecrets, signature_of};

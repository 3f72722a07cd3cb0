//! What is written to Klaviyo: events, values of profiles, members of lists, and the end of consent.
//!
//! Values that wait to be sent are frozen when they are made: sent again after an answer that was lost, they
//! say the same of the same person, so that Klaviyo recognises them. Nothing here can raise a consent or lift a suppression.

mod batch;
mod content;
mod error;
mod event;
mod flow;
mod import_job;
mod json;
mod money;
mod person;
mod profile_change;
mod unsubscribe;

pub use batch::{AfterRefusal, after_refusal};
pub use content::{ContentRefusal, RowRefusal};
pub use error::{Effect, WriteError};
pub use event::{Event, InvalidMetricName, MetricName, RecordedEvents};
pub use flow::{Flow, FlowStatus, FlowsOf, Metric, MetricPage};
pub use import_job::{ImportErrorPage, ImportJob, ImportJobState, ImportRowError};
pub use json::{InvalidJson, JsonObject, JsonValue};
pub use money::{Currency, InvalidMoney, Money};
pub use person::{PersonIds, PersonalText};
pub use profile_change::{Change, FoundProfile, ProfileChanges, ProfileUpsert, WrittenProfile};
pub use unsubscribe::{
    Channel, MembershipProof, PROOF_LASTS, Unsubscribe, UnsubscribePerson, UnsubscribeScope,
};

/// The most events of one request.
pub const MAX_EVENTS: usize = 1_000;

/// The most profiles of one import job.
pub const MAX_IMPORTED: usize = 10_000;

/// The most members that are added to a list, or removed, by one request.
pub const MAX_LISTED: usize = 1_000;

/// The most people of one unsubscribe job.
pub const MAX_UNSUBSCRIBED: usize = 100;

/// The most e-mails or phone numbers that profiles are looked for by in one request.
pub const MAX_LOOKED_FOR: usize = 100;

//! The use cases of the Klaviyo integration, over the ports of `fanfare-domain`.
//!
//! [`Integration`] is what a program is wired with: one method per thing that a user, an operator
//! or a job can do, each opening the units of work it needs. Handlers and jobs decode, call one of
//! them, and encode. [`engine`] is the part that works a run; the rest answers at once.
//!
//! The crate knows no database, no HTTP and no job runner. See `examples/embedded` for a program that
//! embeds it with a store of its own.

mod access;
mod audiences;
mod browse;
mod consumers;
pub mod engine;
mod error;
mod import;
mod integration;
mod klaviyo;
mod log;
mod resync;
mod runs;
mod saving;
mod settings;
mod sources;

pub use access::{Caller, NewKey};
pub use audiences::{AudienceStatus, AudienceUpdate, Patch};
pub use browse::{BrowsedCollection, Estimate};
pub use error::{Entity, Error, FieldViolation};
pub use import::{ImportOutcome, ImportRequest, Imported, SkipReason, Skipped};
pub use integration::{Integration, Ports};
pub use resync::StartedSync;
pub use settings::{ConnectRequest, ConnectionView, Settings};

/// The name that records made by a worker bear as their author.
pub const SYSTEM_ACTOR: &str = "system:klaviyo";

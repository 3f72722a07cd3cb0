//! The use cases of the Klaviyo integration, on the ports of `fanfare-domain`.
//!
//! [`Integration`] has one method for each thing that a user, an operator or a job can do; each method opens
//! the units of work that it needs. Handlers and jobs decode their input, call one of the methods, and encode
//! the result. [`engine`] works on runs in the background; everything else answers at once.
//!
//! The crate knows no database, no HTTP and no job runner. See `examples/embedded` for a program that
//! embeds it.

mod access;
mod any_run;
mod audiences;
mod batch_queue;
mod browse;
mod consumers;
mod contact_settings;
mod deliveries;
mod door;
mod due_passes;
mod editing;
mod ended_schedules;
pub mod engine;
mod erasing;
mod error;
mod event_preview;
mod explain;
mod hexadecimal;
mod history;
mod import;
mod intake;
mod integration;
mod kept_collections;
mod kept_lists;
mod klaviyo;
mod known_keys;
mod log;
mod mending;
mod quota;
mod read_back;
mod rekey;
mod resync;
mod retaining;
mod runs;
mod saving;
mod scheduling;
mod scopes_in_use;
mod searching;
mod settings;
mod sources;
mod static_audiences;
mod telling;
mod timeline;
mod unblocking;
mod unsubscribing;

pub use access::{Caller, NewKey};
pub use any_run::AnyRun;
pub use audiences::{AudienceStatus, AudienceUpdate, Patch};
pub use browse::{BrowsedCollection, Estimate};
pub use door::Check;
pub use editing::{ConsumerUpdate, NewConsumer};
pub use error::{Entity, Error, FieldViolation, NotConfirmed};
pub use explain::{Explanation, Whom};
pub use import::{ImportOutcome, ImportRequest, Imported, SkipReason, Skipped};
pub use intake::{Received, Webhook, WebhookSecretView};
pub use integration::{Integration, Ports};
pub use kept_lists::{ListChoice, PushPreview};
pub use klaviyo::RateLimitBlock;
pub use mending::QueueMended;
pub use quota::{EndpointQuota, KlaviyoQuota};
pub use read_back::ReadBack;
pub use rekey::Rekeyed;
pub use resync::StartedSync;
pub use retaining::Expired;
pub use settings::{ConnectRequest, ConnectionView, Settings};
pub use static_audiences::{MembersChanged, NewAudience};
pub use timeline::Timeline;
pub use unblocking::Unblocked;
pub use unsubscribing::{Scope, UnsubscribeRequest};

/// The author of records that a worker makes.
pub const SYSTEM_ACTOR: &str = "system:klaviyo";

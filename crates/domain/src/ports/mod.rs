//! The ports: what the use cases need from outside, named by role. Only adapters implement them.
//!
//! * [`Store`] opens a [`UnitOfWork`] for one organization; its repositories ([`Connections`],
//!   [`Sources`], [`Audiences`], [`Consumers`], [`Pages`], [`Runs`],
//!   [`Leases`], [`Schedules`], [`Erasures`], [`History`], [`Retention`], [`Deliveries`], [`Webhooks`], [`Contacts`], [`KeptLists`]) are methods of that
//!   unit.
//! * [`Directory`], [`WorkQueue`], [`QuotaLedger`] and [`RequestLimits`] are the control tables, which belong to no
//!   organization's unit and hold no personal data.
//! * [`Klaviyo`] is what Klaviyo's REST API reads, [`KlaviyoWrites`] what it writes.
//! * [`Clock`], [`Ids`] and [`KeySealer`] are time, ids and the master keys.
//!
//! Every port is object-safe, and the crate `fanfare-testkit` holds a contract suite for each
//! storage port, which every adapter runs.

mod ambient;
mod contacts;
mod control;
mod deliveries;
mod erasures;
mod history;
mod kept_lists;
mod klaviyo;
mod klaviyo_writes;
mod leases;
mod pages;
mod records;
mod request_limits;
mod retention;
mod runs;
mod schedules;
mod store;
mod webhooks;

pub use ambient::{Clock, KeySealer, SealError};
pub use contacts::Contacts;
pub use control::{Directory, QuotaLedger, WorkQueue};
pub use deliveries::Deliveries;
pub use erasures::Erasures;
pub use history::History;
pub use kept_lists::KeptLists;
pub use klaviyo::{AnswerRoom, AnyRoom, Klaviyo};
pub use klaviyo_writes::KlaviyoWrites;
pub use leases::Leases;
pub use pages::{Batch, PageWrite, Pages};
pub use records::{
    AudienceRecord, Audiences, Connections, ConsumerFilter, ConsumerRecord, Consumers, Lookup,
    SourceFilter, SourceRecord, Sources,
};
pub use request_limits::RequestLimits;
pub use retention::Retention;
pub use runs::Runs;
pub use schedules::Schedules;
pub use store::{Store, StoreError, UnitOfWork};
pub use webhooks::Webhooks;

pub use crate::ids::Ids;
pub use crate::klaviyo::{
    Account, Answer, Capability, Collection, CollectionPage, KlaviyoError, MemberPage, MembersFrom,
};

//! A stateful Klaviyo: accounts, keys, lists, segments, profiles, quotas, and faults on demand.
//!
//! Written from Klaviyo's public documentation and from answers that were seen, with wire types of its
//! own, so that a misunderstanding in the service's adapter is not repeated here. What the documentation
//! leaves open is a choice in [`Switches`].
//!
//! ```
//! use fanfare_klaviyo_sim::{AccountPlan, Plan, Simulator};
//!
//! let account = AccountPlan::new("AbC123")
//!     .key("pk_test")
//!     .list("RtPqXs", "Newsletter", 250);
//! let simulator = Simulator::start(Plan::new([account]))?;
//! assert!(simulator.url().starts_with("http://127.0.0.1:"));
//! assert_eq!(simulator.account().members("RtPqXs")?.len(), 250);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! A request goes through `server` (the network, and what can go wrong with it) into `service` (the checks:
//! route, key, scopes, revision, quota, parameters, resource). `read` answers it out of `state`, in the shapes
//! of `wire`. A profile is generated each time that it is read, so a list of a million profiles costs no more
//! memory than the ids and join times of its members. [`EdgeCases`] says how regular the profiles are.
//!
//! What requests write is done by `write`, some of it later ([`Delays`]), and stands in the account's journal ([`Entry`]):
//! [`breaches`] says what in it no client of ours may have done, and a simulator that has seen such a thing fails its test when it
//! is dropped. `write` says which of it are guesses.
//!
//! [`LivingAccount`] lets an account live: a seed decides who joins, leaves, changes and merges, and when.
//! What a test orders while a simulator runs it orders through its [`Handle`], or of the program by its control endpoint
//! ([`GRAMMAR`]).
//!
//! A new endpoint is a variant of [`Endpoint`], a row in `endpoint/table.rs`, and a function in `read` that answers it.
//!
//! Klaviyo's own client for Python reads from it too: `tests/sdk/read_lists.py` says how it is run.

mod clock;
mod control;
mod demo;
mod endpoint;
mod fault;
mod handle;
mod instant;
mod journal;
mod key;
mod kind;
mod living;
mod plan;
mod profiles;
mod proof;
mod query;
mod quota;
mod read;
mod record;
mod refusal;
mod revision;
mod server;
mod service;
mod simulator;
mod state;
mod switches;
mod wire;
mod write;

pub use clock::{Clock, ManualClock, SystemClock};
pub use demo::account as demo_account;
pub use endpoint::{Endpoint, Limit, Parameter, UnknownEndpoint};
pub use fault::{
    Change, Effect, Fault, GRAMMAR, MemberRef, Recomputation, RetryAfter, Shape, SpecError,
    UnknownJoin,
};
pub use handle::{AccountHandle, Handle, Member};
pub use journal::{By, Channel, ConsentLevel, Entry, Summary, Written};
pub use key::{Key, SCOPES};
pub use kind::Kind;
pub use living::{Event, Happened, Life, LivingAccount};
pub use plan::{AccountPlan, CollectionPlan, FlowPlan, FlowTrigger, Latency, Plan, PlanError};
pub use profiles::{Consent, EdgeCases, ListSuppression, Location, Profile, Suppression};
pub use proof::breaches;
pub use quota::Quota;
pub use record::Request;
pub use simulator::{RunningSimulator, Simulator, StartError};
pub use state::ChangeError;
pub use switches::{Delays, Switches};

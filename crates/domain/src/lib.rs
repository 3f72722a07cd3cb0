//! The rules of the Klaviyo integration, as values and pure functions, and the ports through which use
//! cases reach stores, Klaviyo and the clock.
//!
//! Nothing here does I/O, reads a clock or makes a random number: time and ids arrive as arguments. The only
//! `async` in the crate is in the signatures of [`ports`], which adapters implement and use cases
//! call. Start with [`page::plan`], which decides what a page of Klaviyo profiles does to
//! Fanfare's consumers; then [`run`], the life of a sync run; then [`ports::UnitOfWork`], through
//! which both are stored.

pub mod account_changes;
pub mod audience;
pub mod collection;
pub mod connection;
pub mod consent;
pub mod consumer;
pub mod contact;
pub mod delivery;
pub mod door;
pub mod due_pass;
pub mod erasure;
pub mod events;
pub mod explain;
pub mod failure;
pub mod history;
pub mod identity;
pub mod ids;
mod iso8601;
pub mod issue;
pub mod klaviyo;
pub mod lease;
pub mod merge;
pub mod organization;
pub mod page;
pub mod paging;
pub mod pass;
pub mod ports;
pub mod profile;
pub mod push;
pub mod quota;
pub mod rate_limit;
pub mod removal;
pub mod run;
pub mod scan;
pub mod schedule;
pub mod search;
pub mod search_index;
pub mod source;
mod text_enum;
pub mod time;
pub mod timeline;
mod unicode;
pub mod value;
pub mod waiting;
pub mod watermarks;
pub mod work;
pub mod writing;

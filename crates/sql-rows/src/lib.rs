//! What the two SQL stores share: row structs, the conversions between columns and values, and the
//! text that stands once for both.
//!
//! - `sql/`, a folder for each table: statements that are the same on SQLite and Postgres. A statement that
//!   each database needs in its own words has one file name in `sql/` of both stores' crates.
//! - `repositories/`: the repositories. Both stores' crates compile these files as modules of their own (`#[path]`),
//!   so that each statement is checked against that crate's database. This crate does not compile them.
//!
//! A row struct has the same field types for both databases: each store's `sqlx.toml` names
//! [`DbTimestamp`], [`JsonText`] and `bool` as the types of its columns. The crate runs no
//! statement and decides nothing.

mod audiences;
mod batches;
mod columns;
mod connections;
mod consumers;
mod contacts;
mod db_timestamp;
mod deliveries;
mod directory;
mod door;
mod explain;
mod history;
mod issues;
mod job_notifier;
mod json_text;
mod kept_lists;
mod links;
mod pages;
mod quota;
mod request_counts;
mod runs;
mod schedules;
mod schema;
mod search;
mod shares;
mod sources;
mod webhooks;
mod work;

pub use audiences::{AudienceRow, audience_records, filling_source};
pub use batches::Edge;
pub use columns::{
    SYSTEM_ACTOR, all, contains_pattern, corrupt, count, from_json, id, json, one, parse_enum,
    refused, signed, to_u32,
};
pub use connections::{AccountChangesRow, ConnectionRow, TextSet};
pub use consumers::{ConsumerColumns, ConsumerRow, KnownConsumerRow, Stamps};
pub use contacts::{ContactColumns, ContactRow, ContactSettingsRow, PendingContactRow};
pub use db_timestamp::{DbTimestamp, from_db, to_db};
pub use deliveries::{
    DeliveryRow, DueDeliveryRow, MadeDeliveryColumns, NewDeliveryColumns, PurchaseRow, delivery_id,
    kind_of, payload_json, place, status_of,
};
pub use directory::{KeyRow, OrganizationRow};
pub use door::{DoorRow, door_read};
pub use explain::ProfileIssueRow;
pub use history::{ChangeRow, EndedMembershipRow, MembershipRow, SnapshotRow, run_of, run_text};
pub use issues::{IssueRow, issue_key, issue_key_parts};
pub use job_notifier::{JobNotifier, QUEUE, job_payload};
pub use json_text::JsonText;
pub use kept_lists::{LedgerDbRow, kept_list, push_run};
pub use links::LinkRow;
pub use pages::{MemberProfiles, ProfileLinkRow, SeenProfileRow, profiles_of};
pub use quota::BucketRow;
pub use request_counts::taken_requests;
pub use runs::{RUN_FORM, RunRow, form_of};
pub use schedules::{ContinuousRow, PausedRow, ScheduleRow, continuous_audiences};
pub use schema::{SCHEMA_MARK, SchemaMark, SchemaVersion, compare_schema};
pub use search::{GramRow, PlacesRow};
pub use shares::{Permit, Shares};
pub use sources::{SourceRow, merge_records, record, sources_by_id, wants_links};
pub use webhooks::{EventSettingsRow, WebhookSecretsRow, metrics_json};
pub use work::{CandidateRow, WorkRow, log_clock_set_back};

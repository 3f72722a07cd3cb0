//! Klaviyo's REST API, revision 2026-07-15, behind the ports `Klaviyo` and `KlaviyoWrites` of `fanfare-domain`.
//!
//! [`KlaviyoHttp`] makes one request per call, and returns the answer or a typed error. It never retries, never
//! waits for quota, follows no redirect and no link to another origin, and trusts nothing that it receives:
//! answers are limited in size and time, a broken attribute does not affect the others, and no error shows
//! anything of a body that could be personal data.
//!
//! Each call has a file that makes its request and reads its answer: `account.rs`, `collection.rs`,
//! `member.rs` and `probe.rs`. `request.rs`, `document.rs` and `cursor.rs` hold what they share, `lenient.rs` and
//! `text.rs` read attributes and texts that may be broken, and `refusal.rs` reads answers with an unexpected status.

mod account;
mod body;
mod client;
mod collection;
mod consent;
mod cursor;
mod document;
#[cfg(any(test, fuzzing))]
pub mod fuzzing;
mod lenient;
mod member;
mod origin;
mod probe;
mod profile;
mod rate_limits;
mod refusal;
mod request;
mod retry_after;
mod text;
mod write;

pub use client::{BuildError, KlaviyoHttp, Timeouts};
pub use origin::{InvalidOrigin, Origin};

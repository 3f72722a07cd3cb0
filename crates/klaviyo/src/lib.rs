//! Klaviyo's REST API, revision 2026-07-15, behind the `Klaviyo` port of `fanfare-domain`.
//!
//! [`KlaviyoHttp`] makes one request per call and says in a typed error what came of it. It never
//! retries, never waits for a quota, follows no redirect and no link to another origin, and trusts
//! nothing it is sent: answers are bounded in size and time, one broken attribute costs that
//! attribute and no more, and no error shows anything of a body that could be a person's.
//!
//! Each call has a file that makes its request and reads its answer: `account.rs`, `collection.rs`,
//! `member.rs` and `probe.rs`. `request.rs` and `document.rs` hold what they share, `lenient.rs` reads
//! values of which one may be broken, and `refusal.rs` names what any other status means.

mod account;
mod body;
mod client;
mod collection;
mod document;
mod lenient;
mod member;
mod origin;
mod probe;
mod rate_limits;
mod refusal;
mod request;
mod retry_after;

pub use client::{BuildError, KlaviyoHttp, Timeouts};
pub use origin::{InvalidOrigin, Origin};

//! Klaviyo's REST API, revision 2026-07-15, behind the `Klaviyo` port of `fanfare-domain`.
//!
//! [`KlaviyoHttp`] makes one request per call and says in a typed error what came of it. It never
//! retries, never waits for a quota, follows no redirect and no link to another origin, and trusts
//! nothing it is sent: answers are bounded in size and time, one broken attribute costs that
//! attribute and no more, and no error shows anything of a body that could be a person's.
//!
//! Start with `request.rs` (what is asked) and `refusal.rs` (what is made of other answers than
//! 200); `document.rs` and `member.rs` read the rest, by `lenient.rs` where one value may be broken.

mod body;
mod client;
mod document;
mod lenient;
mod member;
mod origin;
mod refusal;
mod request;
mod retry_after;

pub use client::{BuildError, KlaviyoHttp, Timeouts};
pub use origin::{InvalidOrigin, Origin};

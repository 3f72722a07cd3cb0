//! The adapter against bytes: what it sends, what it makes of every answer, and what it refuses.
//!
//! wiremock answers where whole HTTP messages do; a raw listener where they are cut, trickle or never
//! come.

mod answers;
mod bytes;
mod recorded;
mod refusals;
mod requests;
mod specification;
mod support;

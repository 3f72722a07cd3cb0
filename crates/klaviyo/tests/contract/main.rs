//! The adapter on the level of HTTP: what it sends, what it returns for every answer, and what it refuses.
//!
//! wiremock gives complete HTTP answers. A raw listener gives answers that are cut off, slow or never sent.

mod answers;
mod broken_values;
mod bytes;
mod cursors;
mod recorded;
mod refusals;
mod requests;
mod schema;
mod specification;
mod support;
mod write_answers;
mod write_specification;
mod writes;

//! Contacts that Fanfare and Klaviyo both write, kept equal without either overwriting what the other has meant.
//!
//! For each field three values are compared: what both sides last agreed on (the base), ours and theirs. [`decide()`] says
//! what a read of a profile means for one field, [`Contact`] remembers what is known of one person, and [`Turns`] stops a
//! field that both sides write again and again. An echo of a write of ours is known by its value, never by its time.

mod decide;
mod looking;
mod names;
mod settings;
mod state;
mod telling;
mod turns;
mod values;

pub use decide::{Decision, Ours, Ownership, Rule, Theirs, UNCERTAINTY, Winner, decide};
pub use looking::{Seen, lookups, whose};
pub use names::split_name;
pub use settings::{ContactSettings, ContactSettingsUpdate};
pub use state::{Contact, Outcome, Read, Shared};
pub use telling::{NewProfile, Telling, tell};
pub use turns::{HELD_FOR, MAX_TURNS, Side, TURNS_WITHIN, Turns};
pub use values::ours_of;

use crate::text_enum::text_enum;

text_enum! {
    /// A field that both sides have. The e-mail is not among them: it identifies the person, and is only read.
    #[derive(serde::Serialize, serde::Deserialize)]
    ContactField {
        /// Klaviyo's `first_name` and `last_name`, joined.
        #[serde(rename = "full_name")]
        FullName = "full_name",
        /// Klaviyo's `phone_number`.
        #[serde(rename = "phone_number")]
        Phone = "phone_number",
    }
}

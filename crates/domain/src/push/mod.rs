//! Audiences that are kept as Klaviyo lists: who is added and removed, what may feed what, and what a person has to confirm.

mod confirmation;
mod cycle;
mod difference;

pub use confirmation::{
    Confirmation, ConfirmationRefused, MustConfirm, PREVIEW_LASTS, Preview, must_confirm,
};
pub use cycle::{Feeds, Node, circle};
pub use difference::{Correction, Difference, Presence, Standing, correct, difference};

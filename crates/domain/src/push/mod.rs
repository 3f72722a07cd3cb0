//! Audiences that are kept as Klaviyo lists: who is added and removed, what may feed what, and what a person has to confirm.

mod confirmation;
mod cycle;
mod difference;
mod kept_list;
mod run;

pub use confirmation::{
    Confirmation, ConfirmationRefused, MustConfirm, PREVIEW_LASTS, Preview, PushCounts, may_follow,
    must_confirm,
};
pub use cycle::{Feeds, Node, circle};
pub use difference::{Correction, Difference, Presence, Standing, correct, difference};
pub use kept_list::{
    COALESCED_FOR, KeptList, LedgerRow, PUSH_LIMIT, RowStanding, SCANNED_EVERY, SETTLES,
};
pub use run::{ImportUnderWay, PushMode, PushPhase, PushProgress, PushRun};

//! Deliveries: what Klaviyo is to be told, in the order in which it happened, until it was told.
//!
//! A delivery is written in the unit of work of what it tells, and what it says is frozen then. One worker at a time sends
//! an organization's deliveries, and of each consumer only the first that is pending: the next one follows when Klaviyo has
//! taken it.

mod batch;
mod code;
mod place;
mod record;
mod retry;
mod sample;
mod status;

pub use batch::{Batch, MAX_BULK, MAX_SINGLE, next_batch};
pub use code::DeliveryCode;
pub use place::Place;
pub use record::{
    ConsentEnd, Delivery, DeliveryFilter, DueDelivery, MadeDelivery, NewDelivery, Payload,
    PendingContact, PurchaseDelivery, Settled, Summary, SummaryOfKind,
};
pub use retry::next_try;
pub use sample::{PERIOD, SAMPLED, Sample, Sampled};
pub use status::{DeliveryKind, DeliveryStatus};

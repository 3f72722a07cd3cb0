//! What Klaviyo is to be told: an organization's outbox.

use async_trait::async_trait;

use super::{Batch, StoreError};
use crate::delivery::{
    Delivery, DeliveryCode, DeliveryFilter, DueDelivery, MadeDelivery, NewDelivery, Payload, Place,
    PurchaseDelivery, Settled, Summary,
};
use crate::events::PurchaseKey;
use crate::ids::{AccountId, DeliveryId};
use crate::paging::{Page, PageRequest};
use crate::time::Timestamp;

/// Deliveries of an organization, in the order in which they were written.
///
/// Of one consumer, a pending delivery is never due before the consumer's pending ones that were written before it. So in
/// the order of their times and places, those that are due come in the order in which they have to be sent.
#[async_trait]
pub trait Deliveries {
    /// Writes deliveries, in this order, after all that there are.
    async fn insert_deliveries(
        &mut self,
        new: &[NewDelivery],
        now: Timestamp,
    ) -> Result<(), StoreError>;

    /// Writes deliveries that were made already, in this order, after all that there are. They are never pending.
    async fn record_deliveries(
        &mut self,
        made: &[MadeDelivery],
        now: Timestamp,
    ) -> Result<(), StoreError>;

    /// One delivery.
    async fn delivery(&mut self, id: &DeliveryId) -> Result<Option<Delivery>, StoreError>;

    /// Deliveries, the latest first. The key of a page is a [`Place`]; one that is none is the beginning.
    async fn deliveries(
        &mut self,
        filter: &DeliveryFilter,
        page: &PageRequest,
    ) -> Result<Page<Delivery>, StoreError>;

    /// How many there are, and since when one is pending.
    async fn delivery_summary(&mut self) -> Result<Summary, StoreError>;

    /// Pending deliveries that are due, in the order of their times and places.
    async fn due_deliveries(
        &mut self,
        now: Timestamp,
        limit: u32,
    ) -> Result<Vec<DueDelivery>, StoreError>;

    /// When the first pending delivery is due; `None` if none is pending.
    async fn next_delivery_due(&mut self) -> Result<Option<Timestamp>, StoreError>;

    /// Counts a try of each of these that is pending still, before it is made. Returns them.
    async fn begin_tries(
        &mut self,
        ids: &[DeliveryId],
        now: Timestamp,
    ) -> Result<Vec<DeliveryId>, StoreError>;

    /// Keeps what has become of deliveries that were tried. Those that are not pending any more stay as they are: they were
    /// erased, or dropped for another account.
    async fn settle_deliveries(
        &mut self,
        settled: &[(DeliveryId, Settled)],
        now: Timestamp,
    ) -> Result<(), StoreError>;

    /// Keeps of those of these that are sent that Klaviyo does not show them ([`DeliveryCode::Missing`]).
    async fn mark_missing(&mut self, ids: &[DeliveryId]) -> Result<(), StoreError>;

    /// The latest delivery of a purchase.
    async fn purchase_delivery(
        &mut self,
        purchase: &PurchaseKey,
    ) -> Result<Option<PurchaseDelivery>, StoreError>;

    /// Replaces what a pending delivery says that was never tried, and makes it due now, or with the consumer's before it.
    async fn replace_payload(
        &mut self,
        id: &DeliveryId,
        payload: &Payload,
        now: Timestamp,
    ) -> Result<(), StoreError>;

    /// Makes a failed delivery pending, due now. `false` if there is no such delivery, or it is not failed.
    async fn retry_delivery(&mut self, id: &DeliveryId, now: Timestamp)
    -> Result<bool, StoreError>;

    /// Drops about `size` pending deliveries. Returns how many.
    async fn drop_pending(&mut self, code: DeliveryCode, size: u32) -> Result<u64, StoreError>;

    /// Looks at the next `size` deliveries after `after`, and deletes those that are not pending and were written before this
    /// time. `affected` counts them; none that comes after them is as old where `next` is `None`.
    async fn delete_deliveries(
        &mut self,
        before: Timestamp,
        after: Option<Place>,
        size: u32,
    ) -> Result<Batch<Place>, StoreError>;

    /// The Klaviyo account that pending deliveries are for, if that is known.
    async fn outbox_account(&mut self) -> Result<Option<AccountId>, StoreError>;

    /// Keeps the account that pending deliveries are for from now on.
    async fn put_outbox_account(&mut self, account: &AccountId) -> Result<(), StoreError>;
}

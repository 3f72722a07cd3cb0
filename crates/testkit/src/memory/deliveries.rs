//! What Klaviyo is to be told.

use async_trait::async_trait;
use fanfare_domain::delivery::{
    Delivery, DeliveryCode, DeliveryFilter, DeliveryStatus, DueDelivery, MadeDelivery, NewDelivery,
    Payload, Place, PurchaseDelivery, Settled, Summary,
};
use fanfare_domain::events::PurchaseKey;
use fanfare_domain::ids::{AccountId, ConsumerId, DeliveryId};
use fanfare_domain::paging::{Page, PageRequest};
use fanfare_domain::ports::{Batch, Deliveries, StoreError};
use fanfare_domain::time::Timestamp;

use super::rows::{DeliveryRow, Rows, refuse};
use super::unit::Unit;

impl Rows {
    fn delivery_row(&mut self, id: &DeliveryId) -> Option<&mut DeliveryRow> {
        let mut rows = self.deliveries.values_mut();
        rows.find(|row| row.delivery.id == *id)
    }

    /// When the last pending delivery of a consumer is due that was written before a place.
    fn due_before(&self, consumer: Option<&ConsumerId>, place: Place) -> Option<Timestamp> {
        let rows = self.deliveries.range(..place).map(|(_, row)| row);
        let of =
            rows.filter(|row| consumer.is_some() && row.delivery.consumer.as_ref() == consumer);
        of.filter_map(|row| row.due).max()
    }
}

impl DeliveryRow {
    fn end(&mut self, status: DeliveryStatus, code: Option<DeliveryCode>, detail: Option<String>) {
        self.delivery.status = status;
        self.delivery.code = code;
        self.delivery.detail = detail;
        self.due = None;
        if status != DeliveryStatus::Failed {
            self.payload = None;
        }
    }
}

#[async_trait]
impl Deliveries for Unit {
    async fn insert_deliveries(
        &mut self,
        new: &[NewDelivery],
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let rows = self.rows_mut()?;
        for one in new {
            if rows.delivery_row(&one.id).is_some() {
                return Err(refuse("there is such a delivery already"));
            }
            rows.last_place.0 += 1;
            let place = rows.last_place;
            let before = rows.due_before(one.consumer.as_ref(), place);
            let (payload, due, code) = match &one.outcome {
                Ok((payload, due)) => {
                    let due = before.map_or(*due, |before| before.max(*due));
                    (Some(payload.clone()), Some(due), None)
                }
                Err(code) => (None, None, Some(*code)),
            };
            let delivery = Delivery {
                id: one.id.clone(),
                place,
                kind: one.kind,
                type_name: one.type_name.clone(),
                consumer: one.consumer.clone(),
                target: one.target.clone(),
                status: one.status(),
                attempts: 0,
                created_at: now,
                sent_at: None,
                code,
                detail: None,
            };
            let row = DeliveryRow {
                delivery,
                due,
                first_tried_at: None,
                purchase: one.purchase.clone().filter(|_| due.is_some()),
                payload,
            };
            rows.deliveries.insert(place, row);
        }
        Ok(())
    }

    async fn record_deliveries(
        &mut self,
        made: &[MadeDelivery],
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let rows = self.rows_mut()?;
        for one in made {
            rows.last_place.0 += 1;
            let delivery = Delivery {
                id: one.id.clone(),
                place: rows.last_place,
                kind: one.kind,
                type_name: one.type_name.clone(),
                consumer: one.consumer.clone(),
                target: one.target.clone(),
                status: one.status(),
                attempts: u32::from(one.dropped.is_none()),
                created_at: now,
                sent_at: one.dropped.is_none().then_some(now),
                code: one.dropped,
                detail: None,
            };
            let row = DeliveryRow {
                delivery,
                due: None,
                first_tried_at: None,
                purchase: None,
                payload: None,
            };
            rows.deliveries.insert(rows.last_place, row);
        }
        Ok(())
    }

    async fn delivery(&mut self, id: &DeliveryId) -> Result<Option<Delivery>, StoreError> {
        let mut rows = self.rows().deliveries.values();
        let found = rows.find(|row| row.delivery.id == *id);
        Ok(found.map(|row| row.delivery.clone()))
    }

    async fn deliveries(
        &mut self,
        filter: &DeliveryFilter,
        page: &PageRequest,
    ) -> Result<Page<Delivery>, StoreError> {
        let after = page.after.as_deref().and_then(Place::parse);
        let rows = self.rows().deliveries.values().rev();
        let found = rows.map(|row| &row.delivery).filter(|delivery| {
            after.is_none_or(|after| delivery.place < after)
                && filter.status.is_none_or(|status| delivery.status == status)
                && filter.kind.is_none_or(|kind| delivery.kind == kind)
                && (filter.consumer.is_none() || delivery.consumer == filter.consumer)
        });
        let found = found.take(page.first as usize).cloned().collect();
        Ok(Page::of(found, |delivery: &Delivery| {
            delivery.place.to_text()
        }))
    }

    async fn delivery_summary(&mut self) -> Result<Summary, StoreError> {
        let mut summary = Summary::new();
        for row in self.rows().deliveries.values() {
            let delivery = &row.delivery;
            let of_kind = summary.entry(delivery.kind).or_default();
            *of_kind.counts.entry(delivery.status).or_default() += 1;
            if delivery.status == DeliveryStatus::Pending && of_kind.oldest_pending_at.is_none() {
                of_kind.oldest_pending_at = Some(delivery.created_at);
            }
        }
        Ok(summary)
    }

    async fn due_deliveries(
        &mut self,
        now: Timestamp,
        limit: u32,
    ) -> Result<Vec<DueDelivery>, StoreError> {
        let rows = self.rows().deliveries.values();
        let mut due: Vec<&DeliveryRow> = rows
            .filter(|row| row.due.is_some_and(|due| due <= now))
            .collect();
        due.sort_by_key(|row| (row.due, row.delivery.place));
        due.truncate(limit as usize);
        let due = due.into_iter().filter_map(|row| {
            Some(DueDelivery {
                id: row.delivery.id.clone(),
                place: row.delivery.place,
                consumer: row.delivery.consumer.clone(),
                attempts: row.delivery.attempts,
                first_tried_at: row.first_tried_at,
                payload: row.payload.clone()?,
            })
        });
        Ok(due.collect())
    }

    async fn next_delivery_due(&mut self) -> Result<Option<Timestamp>, StoreError> {
        let rows = self.rows().deliveries.values();
        Ok(rows.filter_map(|row| row.due).min())
    }

    async fn begin_tries(
        &mut self,
        ids: &[DeliveryId],
        now: Timestamp,
    ) -> Result<Vec<DeliveryId>, StoreError> {
        let rows = self.rows_mut()?;
        let mut begun = Vec::new();
        for id in ids {
            let row = rows.delivery_row(id);
            if let Some(row) = row.filter(|row| row.delivery.status == DeliveryStatus::Pending) {
                row.delivery.attempts += 1;
                row.first_tried_at.get_or_insert(now);
                begun.push(id.clone());
            }
        }
        Ok(begun)
    }

    async fn settle_deliveries(
        &mut self,
        settled: &[(DeliveryId, Settled)],
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let rows = self.rows_mut()?;
        for (id, settled) in settled {
            let row = rows.delivery_row(id);
            let Some(row) = row.filter(|row| row.delivery.status == DeliveryStatus::Pending) else {
                continue;
            };
            match settled {
                Settled::Sent(code) => {
                    row.end(DeliveryStatus::Sent, *code, None);
                    row.delivery.sent_at = Some(now);
                }
                Settled::Failed(code, detail) => {
                    row.end(DeliveryStatus::Failed, Some(*code), detail.clone());
                }
                Settled::Dropped(code) => row.end(DeliveryStatus::Dropped, Some(*code), None),
                Settled::NotTried => {
                    row.delivery.attempts -= 1;
                    if row.delivery.attempts == 0 {
                        row.first_tried_at = None;
                    }
                }
                Settled::Again(at) => {
                    row.due = row.due.max(Some(*at));
                    let of = row.delivery.consumer.clone().filter(|_| row.due.is_some());
                    let pending = rows.deliveries.values_mut();
                    for later in pending.filter(|row| of.is_some() && row.delivery.consumer == of) {
                        later.due = later.due.map(|due| due.max(*at));
                    }
                }
            }
        }
        Ok(())
    }

    async fn mark_missing(&mut self, ids: &[DeliveryId]) -> Result<(), StoreError> {
        let rows = self.rows_mut()?;
        for id in ids {
            let row = rows.delivery_row(id);
            if let Some(row) = row.filter(|row| row.delivery.status == DeliveryStatus::Sent) {
                row.delivery.code = Some(DeliveryCode::Missing);
            }
        }
        Ok(())
    }

    async fn purchase_delivery(
        &mut self,
        purchase: &PurchaseKey,
    ) -> Result<Option<PurchaseDelivery>, StoreError> {
        let mut rows = self.rows().deliveries.values().rev();
        let found = rows.find(|row| row.purchase.as_ref() == Some(purchase));
        Ok(found.map(|row| PurchaseDelivery {
            id: row.delivery.id.clone(),
            status: row.delivery.status,
            attempts: row.delivery.attempts,
            payload: row.payload.clone(),
        }))
    }

    async fn replace_payload(
        &mut self,
        id: &DeliveryId,
        payload: &Payload,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let rows = self.rows_mut()?;
        let row = rows.delivery_row(id);
        let Some(row) = row.filter(|row| row.due.is_some() && row.delivery.attempts == 0) else {
            return Ok(());
        };
        row.payload = Some(payload.clone());
        let (place, consumer) = (row.delivery.place, row.delivery.consumer.clone());
        let before = rows.due_before(consumer.as_ref(), place);
        let due = before.map_or(now, |before| before.max(now));
        for (at, row) in rows.deliveries.range_mut(place..) {
            let is_later = consumer.is_some() && row.delivery.consumer == consumer;
            if *at == place || is_later {
                row.due = row.due.map(|was| was.min(due));
            }
        }
        Ok(())
    }

    async fn retry_delivery(
        &mut self,
        id: &DeliveryId,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let row = self.rows_mut()?.delivery_row(id);
        let Some(row) = row.filter(|row| row.delivery.status == DeliveryStatus::Failed) else {
            return Ok(false);
        };
        row.delivery.status = DeliveryStatus::Pending;
        row.delivery.attempts = 0;
        row.delivery.code = None;
        row.delivery.detail = None;
        row.first_tried_at = None;
        row.due = Some(now);
        Ok(true)
    }

    async fn drop_pending(&mut self, code: DeliveryCode, size: u32) -> Result<u64, StoreError> {
        let rows = self.rows_mut()?.deliveries.values_mut();
        let pending = rows.filter(|row| row.due.is_some()).take(size as usize);
        let dropped = pending.map(|row| row.end(DeliveryStatus::Dropped, Some(code), None));
        Ok(dropped.count() as u64)
    }

    async fn delete_deliveries(
        &mut self,
        before: Timestamp,
        after: Option<Place>,
        size: u32,
    ) -> Result<Batch<Place>, StoreError> {
        let rows = self.rows_mut()?;
        let from = Place(after.map_or(0, |after| after.0 + 1));
        let looked_at: Vec<Place> = rows
            .deliveries
            .range(from..)
            .map(|(place, _)| *place)
            .take(size as usize)
            .collect();
        let last_at = looked_at
            .last()
            .map(|place| rows.deliveries[place].delivery.created_at);
        let mut affected = 0;
        for place in &looked_at {
            let row = &rows.deliveries[place];
            if row.due.is_none() && row.delivery.created_at < before {
                rows.deliveries.remove(place);
                affected += 1;
            }
        }
        let next = looked_at.last().copied();
        let may_be_more = looked_at.len() == size as usize && last_at.is_some_and(|at| at < before);
        let next = next.filter(|_| may_be_more);
        Ok(Batch { affected, next })
    }

    async fn outbox_account(&mut self) -> Result<Option<AccountId>, StoreError> {
        Ok(self.rows().outbox_account.clone())
    }

    async fn put_outbox_account(&mut self, account: &AccountId) -> Result<(), StoreError> {
        self.rows_mut()?.outbox_account = Some(account.clone());
        Ok(())
    }
}

//! What Klaviyo is to be told.
//!
//! A delivery is pending while it has a due time. Numbers of deliveries are kept beside them: counting 90 days of them would
//! read them all.

mod counts;
mod erasing;
mod settling;

use std::collections::BTreeMap;

use async_trait::async_trait;
use fanfare_domain::delivery::{
    Delivery, DeliveryCode, DeliveryFilter, DeliveryKind, DeliveryStatus, DueDelivery,
    MadeDelivery, NewDelivery, Payload, Place, PurchaseDelivery, Settled, Summary,
};
use fanfare_domain::events::PurchaseKey;
use fanfare_domain::ids::{AccountId, ConsumerId, DeliveryId};
use fanfare_domain::paging::{Page, PageRequest};
use fanfare_domain::ports::{Batch, Deliveries, StoreError};
use fanfare_domain::time::Timestamp;
use fanfare_sql_rows::{
    DbTimestamp, DeliveryRow, DueDeliveryRow, JsonText, MadeDeliveryColumns, NewDeliveryColumns,
    PurchaseRow, all, count, id, json, kind_of, one, payload_json, place, signed, status_of,
};

use self::counts::Counts;
pub(super) use self::erasing::delete_of_consumer;
use super::pages::Scope;
use crate::parameters::texts;
use crate::timeout::WithTimeout;
use crate::unit::Unit;

#[async_trait]
impl Deliveries for Unit {
    async fn insert_deliveries(
        &mut self,
        new: &[NewDelivery],
        now: Timestamp,
    ) -> Result<(), StoreError> {
        if new.is_empty() {
            return Ok(());
        }
        let mut scope = Scope::of(self.writing()?);
        let number = new.len() as u64;
        let last = take_places(scope.reborrow(), number).await?;
        let mut due = last_due(scope.reborrow(), new).await?;
        let (mut columns, mut counts) = (Vec::new(), Counts::default());
        for (one, at) in new.iter().zip(last + 1 - number..) {
            let before = one.consumer.as_ref().and_then(|of| due.get(of)).copied();
            let row = NewDeliveryColumns::of(one, Place(at), before);
            if let (Some(of), Some(due_at)) = (&one.consumer, row.due_at) {
                let due_at = Timestamp::from_micros(due_at).unwrap_or(Timestamp::MAX);
                due.insert(of.clone(), due_at);
            }
            counts.add(one.kind, one.status(), 1);
            columns.push(row);
        }
        let insert = sqlx::query_file!(
            "sql/deliveries/insert.sql",
            scope.organization,
            JsonText(json(&columns)) as _,
            DbTimestamp(now)
        );
        let insert = insert.execute(&mut *scope.connection);
        insert.with_timeout().await?;
        counts.write(scope).await
    }

    async fn record_deliveries(
        &mut self,
        made: &[MadeDelivery],
        now: Timestamp,
    ) -> Result<(), StoreError> {
        if made.is_empty() {
            return Ok(());
        }
        let mut scope = Scope::of(self.writing()?);
        let number = made.len() as u64;
        let last = take_places(scope.reborrow(), number).await?;
        let (mut columns, mut counts) = (Vec::new(), Counts::default());
        for (one, at) in made.iter().zip(last + 1 - number..) {
            counts.add(one.kind, one.status(), 1);
            columns.push(MadeDeliveryColumns::of(one, Place(at)));
        }
        let record = sqlx::query_file!(
            "sql/deliveries/record.sql",
            scope.organization,
            JsonText(json(&columns)) as _,
            DbTimestamp(now)
        );
        let record = record.execute(&mut *scope.connection);
        record.with_timeout().await?;
        counts.write(scope).await
    }

    async fn delivery(&mut self, id: &DeliveryId) -> Result<Option<Delivery>, StoreError> {
        let (organization, connection) = self.reading();
        let get = sqlx::query_file_as!(
            DeliveryRow,
            "../sql-rows/sql/deliveries/get.sql",
            organization,
            id.as_str()
        );
        one(get.fetch_optional(connection).with_timeout().await?)
    }

    async fn deliveries(
        &mut self,
        filter: &DeliveryFilter,
        page: &PageRequest,
    ) -> Result<Page<Delivery>, StoreError> {
        let (organization, connection) = self.reading();
        let after = page.after.as_deref().and_then(Place::parse);
        let after = after.map_or(i64::MAX, |after| signed(after.0));
        let kind = filter.kind.map(DeliveryKind::as_str);
        let status = filter.status.map(DeliveryStatus::as_str);
        let first = i64::from(page.first);
        let rows = if let Some(consumer) = &filter.consumer {
            sqlx::query_file_as!(
                DeliveryRow,
                "../sql-rows/sql/deliveries/page_of_consumer.sql",
                organization,
                after,
                kind,
                first,
                consumer.as_str(),
                status
            )
            .fetch_all(connection)
            .with_timeout()
            .await?
        } else if let Some(status) = status {
            sqlx::query_file_as!(
                DeliveryRow,
                "../sql-rows/sql/deliveries/page_of_status.sql",
                organization,
                after,
                kind,
                first,
                status
            )
            .fetch_all(connection)
            .with_timeout()
            .await?
        } else {
            sqlx::query_file_as!(
                DeliveryRow,
                "../sql-rows/sql/deliveries/page.sql",
                organization,
                after,
                kind,
                first
            )
            .fetch_all(connection)
            .with_timeout()
            .await?
        };
        let deliveries: Vec<Delivery> = all(rows)?;
        Ok(Page::of(deliveries, |delivery| delivery.place.to_text()))
    }

    async fn delivery_summary(&mut self) -> Result<Summary, StoreError> {
        let mut scope = Scope::of(self.reading());
        let mut summary = counts::read(scope.reborrow()).await?;
        for (kind, of_kind) in &mut summary {
            if !of_kind.counts.contains_key(&DeliveryStatus::Pending) {
                continue;
            }
            let find = sqlx::query_file_scalar!(
                "../sql-rows/sql/deliveries/oldest_pending.sql",
                scope.organization,
                kind.as_str()
            );
            let find = find.fetch_optional(&mut *scope.connection);
            let oldest: Option<DbTimestamp> = find.with_timeout().await?;
            of_kind.oldest_pending_at = oldest.map(|at| at.0);
        }
        Ok(summary)
    }

    async fn due_deliveries(
        &mut self,
        now: Timestamp,
        limit: u32,
    ) -> Result<Vec<DueDelivery>, StoreError> {
        let (organization, connection) = self.reading();
        let find = sqlx::query_file_as!(
            DueDeliveryRow,
            "../sql-rows/sql/deliveries/due.sql",
            organization,
            DbTimestamp(now),
            i64::from(limit)
        );
        all(find.fetch_all(connection).with_timeout().await?)
    }

    async fn next_delivery_due(&mut self) -> Result<Option<Timestamp>, StoreError> {
        let (organization, connection) = self.reading();
        let find = sqlx::query_file_scalar!(
            "../sql-rows/sql/deliveries/next_due.sql",
            organization,
            DbTimestamp(Timestamp::EPOCH)
        );
        let due: Option<DbTimestamp> = find.fetch_optional(connection).with_timeout().await?;
        Ok(due.map(|due| due.0))
    }

    async fn begin_tries(
        &mut self,
        ids: &[DeliveryId],
        now: Timestamp,
    ) -> Result<Vec<DeliveryId>, StoreError> {
        settling::begin_tries(Scope::of(self.writing()?), ids, now).await
    }

    async fn settle_deliveries(
        &mut self,
        settled: &[(DeliveryId, Settled)],
        now: Timestamp,
    ) -> Result<(), StoreError> {
        settling::settle(Scope::of(self.writing()?), settled, now).await
    }

    async fn mark_missing(&mut self, ids: &[DeliveryId]) -> Result<(), StoreError> {
        settling::mark_missing(Scope::of(self.writing()?), ids).await
    }

    async fn purchase_delivery(
        &mut self,
        purchase: &PurchaseKey,
    ) -> Result<Option<PurchaseDelivery>, StoreError> {
        let (organization, connection) = self.reading();
        let find = sqlx::query_file_as!(
            PurchaseRow,
            "../sql-rows/sql/deliveries/of_purchase.sql",
            organization,
            purchase.as_str()
        );
        one(find.fetch_optional(connection).with_timeout().await?)
    }

    async fn replace_payload(
        &mut self,
        id: &DeliveryId,
        payload: &Payload,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let Some(stored) = self.delivery(id).await? else {
            return Ok(());
        };
        if stored.status != DeliveryStatus::Pending || stored.attempts > 0 {
            return Ok(());
        }
        let scope = Scope::of(self.writing()?);
        let consumer = stored.consumer.as_ref().map(ConsumerId::as_str);
        let mut due = now;
        if let Some(consumer) = consumer {
            let find = sqlx::query_file_scalar!(
                "../sql-rows/sql/deliveries/last_due_before.sql",
                scope.organization,
                consumer,
                signed(stored.place.0)
            );
            let find = find.fetch_optional(&mut *scope.connection);
            let before: Option<DbTimestamp> = find.with_timeout().await?;
            due = before.map_or(due, |before| before.0.max(due));
        }
        let replace = sqlx::query_file!(
            "../sql-rows/sql/deliveries/replace_payload.sql",
            scope.organization,
            id.as_str(),
            payload_json(payload),
            DbTimestamp(due)
        );
        let replace = replace.execute(&mut *scope.connection);
        replace.with_timeout().await?;
        if let Some(consumer) = consumer {
            let bring = sqlx::query_file!(
                "../sql-rows/sql/deliveries/bring_forward.sql",
                scope.organization,
                consumer,
                DbTimestamp(due),
                signed(stored.place.0)
            );
            bring.execute(scope.connection).with_timeout().await?;
        }
        Ok(())
    }

    async fn retry_delivery(
        &mut self,
        id: &DeliveryId,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let Some(stored) = self.delivery(id).await? else {
            return Ok(false);
        };
        if stored.status != DeliveryStatus::Failed {
            return Ok(false);
        }
        let scope = Scope::of(self.writing()?);
        let retry = sqlx::query_file!(
            "../sql-rows/sql/deliveries/retry.sql",
            scope.organization,
            id.as_str(),
            DbTimestamp(now)
        );
        let retry = retry.execute(&mut *scope.connection);
        retry.with_timeout().await?;
        let mut counts = Counts::default();
        counts.add(stored.kind, DeliveryStatus::Failed, -1);
        counts.add(stored.kind, DeliveryStatus::Pending, 1);
        counts.write(scope).await?;
        Ok(true)
    }

    async fn drop_pending(&mut self, code: DeliveryCode, size: u32) -> Result<u64, StoreError> {
        let scope = Scope::of(self.writing()?);
        let find = sqlx::query_file!(
            "../sql-rows/sql/deliveries/some_pending.sql",
            scope.organization,
            i64::from(size)
        );
        let pending = find.fetch_all(&mut *scope.connection);
        let pending = pending.with_timeout().await?;
        let mut counts = Counts::default();
        for row in &pending {
            counts.moved(kind_of(&row.kind)?, DeliveryStatus::Dropped);
        }
        let ids: Vec<&str> = pending.iter().map(|row| row.id.as_str()).collect();
        let drop = sqlx::query_file!(
            "sql/deliveries/dropped.sql",
            scope.organization,
            texts(&ids) as _,
            code.as_str()
        );
        drop.execute(&mut *scope.connection).with_timeout().await?;
        counts.write(scope).await?;
        Ok(pending.len() as u64)
    }

    async fn delete_deliveries(
        &mut self,
        before: Timestamp,
        after: Option<Place>,
        size: u32,
    ) -> Result<Batch<Place>, StoreError> {
        let scope = Scope::of(self.writing()?);
        let find = sqlx::query_file!(
            "../sql-rows/sql/deliveries/of_place.sql",
            scope.organization,
            after.map_or(0, |after| signed(after.0)),
            i64::from(size)
        );
        let rows = find.fetch_all(&mut *scope.connection);
        let rows = rows.with_timeout().await?;
        let (mut affected, mut counts) = (0, Counts::default());
        for row in &rows {
            let status = status_of(&row.status)?;
            if status != DeliveryStatus::Pending && row.created_at.0 < before {
                counts.add(kind_of(&row.kind)?, status, -1);
                affected += 1;
            }
        }
        if let Some(last) = rows.last().filter(|_| affected > 0) {
            let delete = sqlx::query_file!(
                "../sql-rows/sql/deliveries/delete.sql",
                scope.organization,
                after.map_or(0, |after| signed(after.0)),
                last.place,
                DbTimestamp(before)
            );
            let delete = delete.execute(&mut *scope.connection);
            delete.with_timeout().await?;
        }
        let is_full = rows.len() == size as usize;
        let last = rows
            .last()
            .filter(|row| is_full && row.created_at.0 < before);
        let next = last.map(|row| place(row.place)).transpose()?;
        counts.write(scope).await?;
        Ok(Batch { affected, next })
    }

    async fn outbox_account(&mut self) -> Result<Option<AccountId>, StoreError> {
        let (organization, connection) = self.reading();
        let get = sqlx::query_file_scalar!("../sql-rows/sql/outboxes/account.sql", organization);
        let account = get.fetch_optional(connection).with_timeout().await?;
        let parse = |text| id(text, AccountId::parse, "outboxes.account_id");
        account.flatten().map(parse).transpose()
    }

    async fn put_outbox_account(&mut self, account: &AccountId) -> Result<(), StoreError> {
        let (organization, connection) = self.writing()?;
        let put = sqlx::query_file!(
            "../sql-rows/sql/outboxes/put_account.sql",
            organization,
            account.as_str()
        );
        put.execute(connection).with_timeout().await?;
        Ok(())
    }
}

/// Takes so many places, and returns the last of them; it makes sure that the organization's row is there.
pub(super) async fn take_places(scope: Scope<'_>, number: u64) -> Result<u64, StoreError> {
    let take = sqlx::query_file_scalar!(
        "../sql-rows/sql/outboxes/take_places.sql",
        scope.organization,
        signed(number)
    );
    let last = take.fetch_one(scope.connection).with_timeout().await?;
    count(last, "outboxes.last_place")
}

/// When the last pending delivery of each of these consumers is due.
async fn last_due(
    scope: Scope<'_>,
    new: &[NewDelivery],
) -> Result<BTreeMap<ConsumerId, Timestamp>, StoreError> {
    let pending = new.iter().filter(|one| one.outcome.is_ok());
    let mut consumers: Vec<&str> = pending
        .filter_map(|one| one.consumer.as_ref().map(ConsumerId::as_str))
        .collect();
    consumers.sort_unstable();
    consumers.dedup();
    let find = sqlx::query_file!(
        "sql/deliveries/last_due.sql",
        scope.organization,
        texts(&consumers) as _
    );
    let rows = find.fetch_all(scope.connection).with_timeout().await?;
    let mut due = BTreeMap::new();
    for row in rows {
        if let Some(due_at) = row.due_at {
            let consumer = id(row.consumer_id, ConsumerId::parse, "deliveries.consumer_id")?;
            due.insert(consumer, due_at.0);
        }
    }
    Ok(due)
}

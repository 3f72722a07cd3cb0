//! Tries of deliveries, and what has become of them.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use fanfare_domain::delivery::{DeliveryCode, DeliveryKind, DeliveryStatus, Settled};
use fanfare_domain::ids::DeliveryId;
use fanfare_domain::ports::StoreError;
use fanfare_domain::time::Timestamp;
use fanfare_sql_rows::{DbTimestamp, kind_of};

use super::counts::Counts;
use crate::parameters::texts;
use crate::repositories::pages::Scope;
use crate::timeout::WithTimeout;

/// What is known of a pending delivery.
struct Pending {
    kind: DeliveryKind,
    consumer: Option<String>,
}

/// Those of the deliveries that are pending still.
async fn pending(scope: Scope<'_>, ids: &[&str]) -> Result<HashMap<String, Pending>, StoreError> {
    let find = sqlx::query_file!(
        "sql/deliveries/statuses.sql",
        scope.organization,
        texts(ids) as _
    );
    let rows = find.fetch_all(scope.connection).with_timeout().await?;
    let mut pending = HashMap::new();
    for row in rows {
        if row.status == DeliveryStatus::Pending.as_str() {
            let kind = kind_of(&row.kind)?;
            let consumer = row.consumer_id;
            pending.insert(row.id, Pending { kind, consumer });
        }
    }
    Ok(pending)
}

pub(super) async fn begin_tries(
    mut scope: Scope<'_>,
    ids: &[DeliveryId],
    now: Timestamp,
) -> Result<Vec<DeliveryId>, StoreError> {
    let texts_of: Vec<&str> = ids.iter().map(DeliveryId::as_str).collect();
    let pending = pending(scope.reborrow(), &texts_of).await?;
    let begun = ids.iter().filter(|id| pending.contains_key(id.as_str()));
    let begun: Vec<DeliveryId> = begun.cloned().collect();
    let texts_of: Vec<&str> = begun.iter().map(DeliveryId::as_str).collect();
    let count = sqlx::query_file!(
        "sql/deliveries/begin_tries.sql",
        scope.organization,
        texts(&texts_of) as _,
        DbTimestamp(now)
    );
    count.execute(scope.connection).with_timeout().await?;
    Ok(begun)
}

pub(super) async fn settle(
    mut scope: Scope<'_>,
    settled: &[(DeliveryId, Settled)],
    now: Timestamp,
) -> Result<(), StoreError> {
    let ids: Vec<&str> = settled.iter().map(|(id, _)| id.as_str()).collect();
    let pending = pending(scope.reborrow(), &ids).await?;
    let (mut sent, mut not_tried) = (Vec::new(), Vec::new());
    let mut put_off: BTreeMap<Timestamp, PutOff<'_>> = BTreeMap::new();
    let mut counts = Counts::default();
    for (id, settled) in settled {
        let Some(Pending { kind, consumer }) = pending.get(id.as_str()) else {
            continue;
        };
        match settled {
            Settled::Sent(None) => {
                sent.push(id.as_str());
                counts.moved(*kind, DeliveryStatus::Sent);
            }
            Settled::Sent(Some(code)) => {
                let put = sqlx::query_file!(
                    "../sql-rows/sql/deliveries/sent_without.sql",
                    scope.organization,
                    id.as_str(),
                    DbTimestamp(now),
                    code.as_str()
                );
                put.execute(&mut *scope.connection).with_timeout().await?;
                counts.moved(*kind, DeliveryStatus::Sent);
            }
            Settled::Failed(code, detail) => {
                let put = sqlx::query_file!(
                    "../sql-rows/sql/deliveries/failed.sql",
                    scope.organization,
                    id.as_str(),
                    code.as_str(),
                    detail.as_deref()
                );
                put.execute(&mut *scope.connection).with_timeout().await?;
                counts.moved(*kind, DeliveryStatus::Failed);
            }
            Settled::Dropped(code) => {
                let one = [id.as_str()];
                let drop = sqlx::query_file!(
                    "sql/deliveries/dropped.sql",
                    scope.organization,
                    texts(&one) as _,
                    code.as_str()
                );
                drop.execute(&mut *scope.connection).with_timeout().await?;
                counts.moved(*kind, DeliveryStatus::Dropped);
            }
            Settled::NotTried => not_tried.push(id.as_str()),
            Settled::Again(at) => {
                let to = put_off.entry(*at).or_default();
                match consumer {
                    Some(consumer) => to.consumers.insert(consumer),
                    None => to.deliveries.insert(id.as_str()),
                };
            }
        }
    }
    for (at, who) in &put_off {
        who.write(scope.reborrow(), *at).await?;
    }
    if !not_tried.is_empty() {
        let put = sqlx::query_file!(
            "sql/deliveries/not_tried.sql",
            scope.organization,
            texts(&not_tried) as _
        );
        put.execute(&mut *scope.connection).with_timeout().await?;
    }
    if !sent.is_empty() {
        let put = sqlx::query_file!(
            "sql/deliveries/sent.sql",
            scope.organization,
            texts(&sent) as _,
            DbTimestamp(now)
        );
        put.execute(&mut *scope.connection).with_timeout().await?;
    }
    counts.write(scope).await
}

/// Keeps that Klaviyo does not show what it has taken.
pub(super) async fn mark_missing(scope: Scope<'_>, ids: &[DeliveryId]) -> Result<(), StoreError> {
    let texts_of: Vec<&str> = ids.iter().map(DeliveryId::as_str).collect();
    let put = sqlx::query_file!(
        "sql/deliveries/missing.sql",
        scope.organization,
        texts(&texts_of) as _,
        DeliveryCode::Missing.as_str()
    );
    put.execute(scope.connection).with_timeout().await?;
    Ok(())
}

/// What is due at one time at the earliest. After an outage that is a whole batch: waits depend on how often something was tried.
#[derive(Default)]
struct PutOff<'a> {
    /// Everything that is pending of these consumers.
    consumers: BTreeSet<&'a str>,
    /// Deliveries of nobody.
    deliveries: BTreeSet<&'a str>,
}

impl PutOff<'_> {
    async fn write(&self, scope: Scope<'_>, at: Timestamp) -> Result<(), StoreError> {
        if !self.consumers.is_empty() {
            let ids: Vec<&str> = self.consumers.iter().copied().collect();
            let put = sqlx::query_file!(
                "sql/deliveries/put_off_consumers.sql",
                scope.organization,
                texts(&ids) as _,
                DbTimestamp(at)
            );
            put.execute(&mut *scope.connection).with_timeout().await?;
        }
        if !self.deliveries.is_empty() {
            let ids: Vec<&str> = self.deliveries.iter().copied().collect();
            let put = sqlx::query_file!(
                "sql/deliveries/put_off.sql",
                scope.organization,
                texts(&ids) as _,
                DbTimestamp(at)
            );
            put.execute(&mut *scope.connection).with_timeout().await?;
        }
        Ok(())
    }
}

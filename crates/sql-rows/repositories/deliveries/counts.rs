//! How many deliveries there are, kept beside them.

use std::collections::BTreeMap;

use fanfare_domain::delivery::{DeliveryKind, DeliveryStatus, Summary};
use fanfare_domain::ports::StoreError;
use fanfare_sql_rows::{count, kind_of, status_of};

use crate::repositories::pages::Scope;
use crate::timeout::WithTimeout;

/// By how much the numbers change.
#[derive(Default)]
pub(super) struct Counts(BTreeMap<(DeliveryKind, DeliveryStatus), i64>);

impl Counts {
    pub(super) fn add(&mut self, kind: DeliveryKind, status: DeliveryStatus, by: i64) {
        *self.0.entry((kind, status)).or_default() += by;
    }

    /// A pending one has become one of another status.
    pub(super) fn moved(&mut self, kind: DeliveryKind, to: DeliveryStatus) {
        self.add(kind, DeliveryStatus::Pending, -1);
        self.add(kind, to, 1);
    }

    pub(super) async fn write(self, scope: Scope<'_>) -> Result<(), StoreError> {
        for ((kind, status), by) in self.0 {
            if by == 0 {
                continue;
            }
            let add = sqlx::query_file!(
                "../sql-rows/sql/delivery_counts/add.sql",
                scope.organization,
                kind.as_str(),
                status.as_str(),
                by
            );
            add.execute(&mut *scope.connection).with_timeout().await?;
        }
        Ok(())
    }
}

/// The numbers. What there is none of is left out.
pub(super) async fn read(scope: Scope<'_>) -> Result<Summary, StoreError> {
    let find = sqlx::query_file!(
        "../sql-rows/sql/delivery_counts/all.sql",
        scope.organization,
        ""
    );
    let rows = find.fetch_all(scope.connection).with_timeout().await?;
    let mut summary = Summary::new();
    for row in rows {
        let deliveries = count(row.deliveries, "delivery_counts.deliveries")?;
        if deliveries > 0 {
            let of_kind = summary.entry(kind_of(&row.kind)?).or_default();
            of_kind.counts.insert(status_of(&row.status)?, deliveries);
        }
    }
    Ok(summary)
}

//! Reconciling batch after batch, to the end.

use fanfare_domain::ids::{AudienceId, ConsumerId, RunId};
use fanfare_domain::ports::{Batch, UnitOfWork};
use fanfare_domain::run::SyncRun;

use super::test_organization::TestOrganization;
use crate::seen;

/// Does batch after batch, each in a unit of its own. Returns how many rows they affected, after checking that
/// there were as many batches as the rows need.
async fn do_batches<K>(
    org: &TestOrganization<'_>,
    (rows, size): (u32, u32),
    mut batch: impl AsyncFnMut(&mut dyn UnitOfWork, Option<&K>, u32) -> Batch<K>,
) -> u64 {
    let (mut after, mut affected, mut batches) = (None, 0, 0);
    loop {
        let mut unit = org.begin().await;
        let done = batch(unit.as_mut(), after.as_ref(), size).await;
        unit.commit().await.expect("a commit");
        batches += 1;
        affected += done.affected;
        after = done.next;
        if after.is_none() {
            assert_eq!(
                batches,
                rows.div_ceil(size).max(1),
                "batches of {size} over {rows} rows"
            );
            return affected;
        }
    }
}

/// A run, and the audience whose members it is reconciled with.
pub(super) type RunAndAudience<'a> = (&'a RunId, &'a AudienceId);

pub(super) async fn add_missing(
    org: &TestOrganization<'_>,
    (run, audience): RunAndAudience<'_>,
    rows: (u32, u32),
) -> u64 {
    do_batches(
        org,
        rows,
        async |unit: &mut dyn UnitOfWork, after: Option<&u64>, size| {
            let after = after.copied().unwrap_or(0);
            let batch = unit.add_missing_members(run, audience, after, size);
            batch.await.expect("a batch")
        },
    )
    .await
}

pub(super) async fn count_absent(
    org: &TestOrganization<'_>,
    (run, audience): RunAndAudience<'_>,
    rows: (u32, u32),
) -> u64 {
    do_batches(
        org,
        rows,
        async |unit: &mut dyn UnitOfWork, after: Option<&ConsumerId>, size| {
            let seen = seen::seen_set(unit, run).await.expect("what it has seen");
            let batch = unit.count_absent_members(run, audience, &seen, after, size);
            batch.await.expect("a batch")
        },
    )
    .await
}

pub(super) async fn remove_absent(
    org: &TestOrganization<'_>,
    (run, audience): RunAndAudience<'_>,
    rows: (u32, u32),
) -> u64 {
    do_batches(
        org,
        rows,
        async |unit: &mut dyn UnitOfWork, after: Option<&ConsumerId>, size| {
            let seen = seen::seen_set(unit, run).await.expect("what it has seen");
            let batch = unit.remove_absent_members(run, audience, &seen, after, size);
            batch.await.expect("a batch")
        },
    )
    .await
}

pub(super) fn own_audience(run: &SyncRun) -> RunAndAudience<'_> {
    (&run.id, &run.audience)
}

//! Kept lists, their ledgers and pushes.

use std::ops::Bound;

use async_trait::async_trait;
use fanfare_domain::ids::{AudienceId, CollectionId, ConsumerId, ProfileId, RunId};
use fanfare_domain::paging::{Page, PageRequest};
use fanfare_domain::ports::{KeptLists, StoreError};
use fanfare_domain::push::{KeptList, LedgerRow, PushRun, RowStanding};
use fanfare_domain::time::Timestamp;

use super::rows::{Rows, refuse};
use super::unit::Unit;

impl Rows {
    fn ledger_rows(&self, list: &CollectionId) -> impl Iterator<Item = &LedgerRow> {
        self.ledgers
            .get(list)
            .into_iter()
            .flat_map(|rows| rows.values())
    }
}

#[async_trait]
impl KeptLists for Unit {
    async fn kept_list(&mut self, audience: &AudienceId) -> Result<Option<KeptList>, StoreError> {
        Ok(self.rows().kept_lists.get(audience).cloned())
    }

    async fn kept_lists(&mut self) -> Result<Vec<KeptList>, StoreError> {
        Ok(self.rows().kept_lists.values().cloned().collect())
    }

    async fn put_kept_list(&mut self, kept: &KeptList) -> Result<(), StoreError> {
        let rows = self.rows_mut()?;
        let mut others = rows.kept_lists.values();
        let is_taken = others.any(|it| it.list == kept.list && it.audience != kept.audience);
        if is_taken || !rows.audiences.contains_key(&kept.audience) {
            return Err(refuse(
                "the list keeps another audience, or there is no such audience",
            ));
        }
        rows.kept_lists.insert(kept.audience.clone(), kept.clone());
        Ok(())
    }

    async fn delete_kept_list(&mut self, audience: &AudienceId) -> Result<(), StoreError> {
        self.rows_mut()?.kept_lists.remove(audience);
        Ok(())
    }

    async fn forget_kept_lists(&mut self) -> Result<(), StoreError> {
        self.rows_mut()?.kept_lists.clear();
        Ok(())
    }

    async fn ledger_of_profiles(
        &mut self,
        list: &CollectionId,
        profiles: &[ProfileId],
    ) -> Result<Vec<LedgerRow>, StoreError> {
        let rows = self.rows().ledger_rows(list);
        let found = rows.filter(|row| profiles.contains(&row.profile));
        Ok(found.cloned().collect())
    }

    async fn ledger_of_consumers(
        &mut self,
        list: &CollectionId,
        consumers: &[ConsumerId],
    ) -> Result<Vec<LedgerRow>, StoreError> {
        let rows = self.rows().ledger_rows(list);
        let is_asked = |row: &&LedgerRow| {
            let consumer = row.consumer.as_ref();
            consumer.is_some_and(|consumer| consumers.contains(consumer))
        };
        Ok(rows.filter(is_asked).cloned().collect())
    }

    async fn ledger(
        &mut self,
        list: &CollectionId,
        after: Option<&ProfileId>,
        size: u32,
    ) -> Result<Vec<LedgerRow>, StoreError> {
        let Some(rows) = self.rows().ledgers.get(list) else {
            return Ok(Vec::new());
        };
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        let page = rows.range((from, Bound::Unbounded)).take(size as usize);
        Ok(page.map(|(_, row)| row.clone()).collect())
    }

    async fn open_ledger(
        &mut self,
        list: &CollectionId,
        size: u32,
    ) -> Result<Vec<LedgerRow>, StoreError> {
        let rows = self.rows().ledger_rows(list);
        let open = rows.filter(|row| row.standing.is_open());
        let mut open: Vec<LedgerRow> = open.cloned().collect();
        open.sort_by_key(|row| row.since);
        open.truncate(size as usize);
        Ok(open)
    }

    async fn put_standings(
        &mut self,
        list: &CollectionId,
        profiles: &[(ProfileId, Option<ConsumerId>)],
        standing: RowStanding,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let rows = self.rows_mut()?.ledgers.entry(list.clone()).or_default();
        for (profile, consumer) in profiles {
            let seen_at = rows.get(profile).and_then(|row| row.seen_at);
            let row = LedgerRow {
                profile: profile.clone(),
                consumer: consumer.clone(),
                standing,
                since: now,
                seen_at,
            };
            rows.insert(profile.clone(), row);
        }
        Ok(())
    }

    async fn note_seen(
        &mut self,
        list: &CollectionId,
        profiles: &[ProfileId],
        began: Timestamp,
    ) -> Result<(), StoreError> {
        let rows = self.rows_mut()?.ledgers.entry(list.clone()).or_default();
        for profile in profiles {
            let row = rows.entry(profile.clone()).or_insert_with(|| LedgerRow {
                profile: profile.clone(),
                consumer: None,
                standing: RowStanding::Theirs,
                since: began,
                seen_at: None,
            });
            row.seen_at = Some(began);
        }
        Ok(())
    }

    async fn forget_standings(
        &mut self,
        list: &CollectionId,
        profiles: &[ProfileId],
    ) -> Result<(), StoreError> {
        if let Some(rows) = self.rows_mut()?.ledgers.get_mut(list) {
            rows.retain(|profile, _| !profiles.contains(profile));
        }
        Ok(())
    }

    async fn push_run(&mut self, id: &RunId) -> Result<Option<PushRun>, StoreError> {
        Ok(self.rows().push_runs.get(id).cloned())
    }

    async fn active_push(&mut self, audience: &AudienceId) -> Result<Option<PushRun>, StoreError> {
        let mut runs = self.rows().push_runs.values();
        let active = runs.find(|run| run.audience == *audience && run.status.is_active());
        Ok(active.cloned())
    }

    async fn push_runs(
        &mut self,
        audience: &AudienceId,
        page: &PageRequest,
    ) -> Result<Page<PushRun>, StoreError> {
        let after = page.after.as_deref();
        let runs = self.rows().push_runs.values().rev();
        let runs = runs.filter(|run| {
            run.audience == *audience && after.is_none_or(|after| run.id.as_str() < after)
        });
        let runs = runs.take(page.first as usize).cloned().collect();
        Ok(Page::of(runs, |run| run.id.to_string()))
    }

    async fn put_push_run(&mut self, run: &PushRun) -> Result<(), StoreError> {
        let rows = self.rows_mut()?;
        let mut others = rows.push_runs.values().filter(|it| it.status.is_active());
        let is_second = others.any(|it| it.audience == run.audience && it.id != run.id);
        if (run.status.is_active() && is_second) || !rows.audiences.contains_key(&run.audience) {
            return Err(refuse(
                "a second active push of the audience, or no such audience",
            ));
        }
        rows.push_runs.insert(run.id.clone(), run.clone());
        Ok(())
    }

    async fn delete_push_run(&mut self, id: &RunId) -> Result<(), StoreError> {
        self.rows_mut()?.push_runs.remove(id);
        Ok(())
    }

    async fn push_limit(&mut self) -> Result<Option<u64>, StoreError> {
        Ok(self.rows().push_limit)
    }

    async fn put_push_limit(&mut self, limit: u64) -> Result<(), StoreError> {
        self.rows_mut()?.push_limit = Some(limit);
        Ok(())
    }
}

//! When continuous audiences are due.

use async_trait::async_trait;
use fanfare_domain::failure::FailureCode;
use fanfare_domain::ids::AudienceId;
use fanfare_domain::ports::{Schedules, StoreError};
use fanfare_domain::schedule::ContinuousAudience;
use fanfare_domain::time::Timestamp;

use super::unit::Unit;

#[async_trait]
impl Schedules for Unit {
    async fn due_at(&mut self, audience: &AudienceId) -> Result<Option<Timestamp>, StoreError> {
        Ok(self.rows().schedules.get(audience).copied())
    }

    async fn put_due(&mut self, audience: &AudienceId, due: Timestamp) -> Result<(), StoreError> {
        self.rows_mut()?.schedules.insert(audience.clone(), due);
        Ok(())
    }

    async fn end_schedule(&mut self, audience: &AudienceId) -> Result<(), StoreError> {
        self.rows_mut()?.schedules.remove(audience);
        Ok(())
    }

    async fn end_schedules(&mut self) -> Result<(), StoreError> {
        let rows = self.rows_mut()?;
        rows.schedules.clear();
        for audience in rows.audiences.values_mut() {
            audience.refresh_interval_seconds = None;
        }
        Ok(())
    }

    async fn due_schedules(
        &mut self,
        now: Timestamp,
        limit: u32,
    ) -> Result<Vec<(AudienceId, Timestamp)>, StoreError> {
        let mut due = self.schedules().await?;
        due.retain(|(_, due)| *due <= now);
        due.sort_by_key(|(_, due)| *due);
        due.truncate(limit as usize);
        Ok(due)
    }

    async fn schedules(&mut self) -> Result<Vec<(AudienceId, Timestamp)>, StoreError> {
        let schedules = self.rows().schedules.iter();
        Ok(schedules.map(|(id, due)| (id.clone(), *due)).collect())
    }

    async fn continuous_audiences(&mut self) -> Result<Vec<ContinuousAudience>, StoreError> {
        let rows = self.rows();
        let audiences = rows.audiences.values().filter(|it| !it.archived);
        let continuous = audiences.filter_map(|audience| {
            Some(ContinuousAudience {
                audience: audience.id.clone(),
                interval_seconds: audience.refresh_interval_seconds?,
                paused_by: rows.sources.get(audience.source.as_ref()?)?.paused_by,
            })
        });
        Ok(continuous.collect())
    }

    async fn end_pauses(&mut self, of: &[FailureCode]) -> Result<(), StoreError> {
        for source in self.rows_mut()?.sources.values_mut() {
            source.paused_by = source.paused_by.filter(|code| !of.contains(code));
        }
        Ok(())
    }
}

//! Audiences and their members.

use async_trait::async_trait;
use fanfare_domain::audience::Audience;
use fanfare_domain::ids::{AudienceId, SourceId};
use fanfare_domain::paging::{Page, PageRequest};
use fanfare_domain::ports::{AudienceRecord, Audiences, ConsumerRecord, StoreError};
use fanfare_domain::time::Timestamp;

use super::consumers::{contains, page_of_consumers};
use super::rows::{Rows, refuse};
use super::unit::Unit;

#[async_trait]
impl Audiences for Unit {
    async fn audience(&mut self, id: &AudienceId) -> Result<Option<AudienceRecord>, StoreError> {
        let rows = self.rows();
        rows.audiences
            .get(id)
            .map(|audience| record(rows, audience))
            .transpose()
    }

    async fn audiences(&mut self, page: &PageRequest) -> Result<Page<AudienceRecord>, StoreError> {
        let rows = self.rows();
        let found: Result<Vec<AudienceRecord>, StoreError> = rows
            .audiences
            .values()
            .filter(|audience| !audience.archived)
            .filter(|audience| {
                page.after
                    .as_deref()
                    .is_none_or(|a| audience.id.as_str() > a)
            })
            .take(page.first as usize)
            .map(|audience| record(rows, audience))
            .collect();
        Ok(Page::of(found?, |record| record.audience.id.to_string()))
    }

    async fn is_name_taken(&mut self, name: &str, except: &AudienceId) -> Result<bool, StoreError> {
        let mut audiences = self.rows().audiences.values();
        Ok(audiences.any(|a| !a.archived && a.name == name && a.id != *except))
    }

    async fn put_audience(&mut self, audience: &Audience) -> Result<(), StoreError> {
        let rows = self.rows_mut()?;
        if !rows.sources.contains_key(&audience.source) {
            return Err(refuse("the audience's source is not there"));
        }
        rows.audiences.insert(audience.id.clone(), audience.clone());
        Ok(())
    }

    async fn archive_unread(
        &mut self,
        audience: &AudienceId,
        actor: &str,
        now: Timestamp,
    ) -> Result<Option<SourceId>, StoreError> {
        let rows = self.rows_mut()?;
        let found = rows.audiences.get_mut(audience);
        let Some(audience) = found.filter(|audience| !audience.archived) else {
            return Ok(None);
        };
        audience.archived = true;
        audience.updated_at = Some(now);
        audience.updated_by = Some(actor.to_owned());
        if let Some(source) = rows.sources.get_mut(&audience.source) {
            source.archived = true;
            source.updated_at = Some(now);
        }
        Ok(Some(audience.source.clone()))
    }

    async fn members(
        &mut self,
        audience: &AudienceId,
        search: Option<&str>,
        page: &PageRequest,
    ) -> Result<Page<ConsumerRecord>, StoreError> {
        let rows = self.rows();
        let members = rows.members.get(audience).into_iter().flatten();
        let found = members
            .filter_map(|(id, _)| rows.consumers.get(id))
            .filter(|row| search.is_none_or(|part| contains(&row.consumer, part)));
        Ok(page_of_consumers(rows, found, page))
    }

    async fn member_count(&mut self, audience: &AudienceId) -> Result<u64, StoreError> {
        let members = self.rows().members.get(audience);
        Ok(members.map_or(0, |members| members.len() as u64))
    }
}

fn record(rows: &Rows, audience: &Audience) -> Result<AudienceRecord, StoreError> {
    let source = rows.sources.get(&audience.source);
    Ok(AudienceRecord {
        audience: audience.clone(),
        source: source
            .cloned()
            .ok_or_else(|| StoreError::Corrupt("audiences.source".to_owned()))?,
    })
}

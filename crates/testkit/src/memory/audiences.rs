//! Audiences and their members.

use async_trait::async_trait;
use fanfare_domain::audience::{Audience, Freshness};
use fanfare_domain::door::{DoorRead, Member, People};
use fanfare_domain::history::{ChangeKey, moment};
use fanfare_domain::ids::{AudienceId, ConsumerId, SourceId};
use fanfare_domain::paging::{Page, PageRequest};
use fanfare_domain::ports::{AudienceRecord, Audiences, ConsumerRecord, StoreError, UnitOfWork};
use fanfare_domain::time::Timestamp;

use super::consumers::{contains, page_of_consumers};
use super::pages::add_members;
use super::rows::{ConsumerRow, Rows, refuse};
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

    async fn audiences_by_id(
        &mut self,
        ids: &[AudienceId],
    ) -> Result<Vec<AudienceRecord>, StoreError> {
        let rows = self.rows();
        let asked = ids.iter().filter_map(|id| rows.audiences.get(id));
        asked.map(|audience| record(rows, audience)).collect()
    }

    async fn is_name_taken(&mut self, name: &str, except: &AudienceId) -> Result<bool, StoreError> {
        let mut audiences = self.rows().audiences.values();
        Ok(audiences.any(|a| !a.archived && a.name == name && a.id != *except))
    }

    async fn put_audience(&mut self, audience: &Audience) -> Result<(), StoreError> {
        let rows = self.rows_mut()?;
        let is_there = |source| rows.sources.contains_key(source);
        if !audience.source.as_ref().is_none_or(is_there) {
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
        let source = audience.source.clone();
        if let Some(source) = source.as_ref().and_then(|id| rows.sources.get_mut(id)) {
            source.archived = true;
            source.updated_at = Some(now);
        }
        Ok(source)
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

    async fn members_among(
        &mut self,
        audience: &AudienceId,
        people: &People,
    ) -> Result<Option<DoorRead>, StoreError> {
        let rows = self.rows();
        let Some(found) = rows.audiences.get(audience) else {
            return Ok(None);
        };
        let source = record(rows, found)?.source;
        let members = rows.members.get(audience).into_iter().flatten();
        let is_asked = |row: &ConsumerRow| match people {
            People::Emails(emails) => {
                let email = row.consumer.email.as_ref();
                email.is_some_and(|email| emails.contains(email))
            }
            People::Consumers(ids) => ids.contains(&row.consumer.id),
        };
        let by_email = matches!(people, People::Emails(_));
        let member = |row: &ConsumerRow| Member {
            email: row.consumer.email.clone().filter(|_| by_email),
            consumer: row.consumer.id.clone(),
        };
        let members = members.filter_map(|(id, _)| rows.consumers.get(id));
        Ok(Some(DoorRead {
            freshness: Freshness {
                last_synced_at: source.as_ref().and_then(|source| source.last_synced_at),
                created_at: source.map_or(found.created_at, |source| source.created_at),
                refresh_interval_seconds: found.refresh_interval_seconds,
            },
            members: members.filter(|row| is_asked(row)).map(member).collect(),
        }))
    }

    async fn member_count(&mut self, audience: &AudienceId) -> Result<u64, StoreError> {
        let members = self.rows().members.get(audience);
        Ok(members.map_or(0, |members| members.len() as u64))
    }

    async fn add_members(
        &mut self,
        audience: &AudienceId,
        consumers: &[ConsumerId],
    ) -> Result<u64, StoreError> {
        let since = moment(self.writing_since()?);
        let rows = self.rows_mut()?;
        add_members(rows, None, audience, since, consumers.iter().cloned())
    }

    async fn remove_members(
        &mut self,
        audience: &AudienceId,
        consumers: &[ConsumerId],
    ) -> Result<u64, StoreError> {
        let at = moment(self.writing_since()?);
        let rows = self.rows_mut()?;
        let members = rows.members.entry(audience.clone()).or_default();
        let history = rows.ended.entry(audience.clone()).or_default();
        let mut removed = 0;
        for id in consumers {
            let Some(row) = members.remove(id) else {
                continue;
            };
            removed += 1;
            if let Some(ended) = row.membership(id).ended(at, None) {
                history.insert(ChangeKey::of_leaving(at, id.clone()), ended);
            }
        }
        Ok(removed)
    }
}

fn record(rows: &Rows, audience: &Audience) -> Result<AudienceRecord, StoreError> {
    let find = |id| {
        let source = rows.sources.get(id).cloned();
        source.ok_or_else(|| StoreError::Corrupt("audiences.source".to_owned()))
    };
    Ok(AudienceRecord {
        audience: audience.clone(),
        source: audience.source.as_ref().map(find).transpose()?,
    })
}

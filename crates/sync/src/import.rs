//! The import: each list or segment gets an audience, a source and a first run.

use std::collections::HashSet;

use fanfare_domain::audience::{Audience, distinct_name, name_from, usable_name};
use fanfare_domain::ids::{AudienceId, OrganizationId, RunId, SourceId};
use fanfare_domain::ports::{Collection, UnitOfWork};
use fanfare_domain::removal::RemovalGuard;
use fanfare_domain::run::{NewRun, SourceRun, SyncStatus, Trigger};
use fanfare_domain::source::{CollectionRef, CollectionSource, SourceData};
use futures_util::{StreamExt, TryStreamExt, stream};

use crate::error::{Entity, Error};
use crate::integration::Integration;
use crate::saving::queue_run;

/// Lists and segments to import.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportRequest {
    /// The lists and segments, in the order of the answer. Repeats are answered once.
    pub collections: Vec<CollectionRef>,
    /// Seconds between the syncs of the new audiences; `None` if they are synced once, and whenever somebody asks.
    pub refresh_interval_seconds: Option<u32>,
    /// The author of the new records, for `createdBy`.
    pub actor: String,
}

/// The result of an import.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ImportOutcome {
    /// The lists and segments that are being imported.
    pub imported: Vec<Imported>,
    /// The lists and segments that are not.
    pub skipped: Vec<Skipped>,
}

/// A list or segment that is being imported.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Imported {
    /// The list or segment in Klaviyo.
    pub collection: CollectionRef,
    /// Its source.
    pub source: SourceId,
    /// Its audience.
    pub audience: AudienceId,
    /// Its first run.
    pub run: RunId,
}

/// A list or segment that is not imported.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Skipped {
    /// The list or segment in Klaviyo.
    pub collection: CollectionRef,
    /// Why it is not imported.
    pub reason: SkipReason,
}

/// Why a list or segment is not imported.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SkipReason {
    /// This audience already syncs it.
    AlreadySynced(AudienceId),
    /// Klaviyo has no list or segment with this id.
    NotFound,
}

/// Where a list or segment was found.
enum Found {
    /// This audience already syncs it.
    Synced(AudienceId),
    /// Klaviyo has it.
    InKlaviyo(Collection),
    /// Klaviyo has no list or segment with this id.
    Nowhere,
}

/// How many lists are looked up at the same time: enough that a hundred take seconds, and few enough for the
/// burst quota.
const LOOKUPS_AT_ONCE: usize = 8;

impl Integration {
    /// Imports all lists and segments that can be imported, in one transaction.
    pub async fn import(
        &self,
        organization: &OrganizationId,
        request: ImportRequest,
    ) -> Result<ImportOutcome, Error> {
        if let Some(seconds) = request.refresh_interval_seconds {
            self.check_interval(seconds)?;
        }
        let connection = self.open_connection(organization).await?;
        let mut seen = HashSet::new();
        let wanted = request.collections.iter();
        let wanted: Vec<CollectionRef> = wanted
            .filter(|c| seen.insert((*c).clone()))
            .cloned()
            .collect();

        // The calls to Klaviyo come before the transaction, and only for what is not synced yet.
        let mut candidates = Vec::new();
        let mut unit = self.read(organization).await?;
        for collection in wanted {
            let synced = unit.source_of(&collection).await?;
            candidates.push((collection, synced));
        }
        drop(unit);
        let looked_up: Vec<(CollectionRef, Found)> = stream::iter(candidates)
            .map(|(collection, synced)| {
                let connection = &connection;
                async move {
                    if let Some(source) = synced {
                        return Ok((collection, Found::Synced(source.audience)));
                    }
                    match self.look_up(connection, &collection, false).await {
                        Ok(found) => Ok((collection, Found::InKlaviyo(found))),
                        Err(Error::NotFound(Entity::KlaviyoCollection(_))) => {
                            Ok((collection, Found::Nowhere))
                        }
                        Err(error) => Err(error),
                    }
                }
            })
            .buffered(LOOKUPS_AT_ONCE)
            .try_collect()
            .await?;

        let mut outcome = ImportOutcome::default();
        let mut unit = self.begin(organization).await?;
        if unit.connection().await?.is_none() {
            return Err(Error::KeyNotFound);
        }
        for (collection, found) in looked_up {
            // Another request may have imported it since.
            let found = match unit.source_of(&collection).await? {
                Some(source) => Found::Synced(source.audience),
                None => found,
            };
            let reason = match found {
                Found::InKlaviyo(found) => {
                    let name = found.name.as_deref();
                    let imported = self
                        .start(unit.as_mut(), collection, name, &request)
                        .await?;
                    outcome.imported.push(imported);
                    continue;
                }
                Found::Synced(audience) => SkipReason::AlreadySynced(audience),
                Found::Nowhere => SkipReason::NotFound,
            };
            outcome.skipped.push(Skipped { collection, reason });
        }
        unit.commit().await?;
        Ok(outcome)
    }

    async fn start(
        &self,
        unit: &mut dyn UnitOfWork,
        collection: CollectionRef,
        name: Option<&str>,
        request: &ImportRequest,
    ) -> Result<Imported, Error> {
        let (actor, interval) = (&request.actor, request.refresh_interval_seconds);
        let (now, ids) = (self.now(), &self.ports.ids);
        let audience_id = AudienceId::new(ids.ulid());
        let source = CollectionSource {
            id: SourceId::new(ids.ulid()),
            collection: collection.clone(),
            audience: audience_id.clone(),
            status: SyncStatus::Pending,
            last_synced_at: None,
            data: SourceData {
                name: name.and_then(usable_name),
                ..SourceData::default()
            },
            created_at: now,
            created_by: actor.clone(),
            updated_at: None,
            archived: false,
            guard: RemovalGuard::default(),
            last_full_pass_at: None,
            paused_by: None,
            watermarks: None,
        };
        let audience = Audience {
            name: free_name(unit, &collection, name, &audience_id).await?,
            id: audience_id,
            source: Some(source.id.clone()),
            named_by_hand: false,
            description: None,
            icon_name: None,
            metadata: None,
            group_id: None,
            group_name: None,
            group_type: None,
            last_refreshed_at: None,
            refresh_interval_seconds: interval,
            created_at: now,
            created_by: actor.clone(),
            updated_at: None,
            updated_by: None,
            archived: false,
        };
        let new = NewRun {
            id: RunId::new(ids.ulid()),
            organization: unit.organization().clone(),
            trigger: Trigger::Import,
            confirm_removals: false,
        };
        unit.put_source(&source).await?;
        unit.put_audience(&audience).await?;
        let run = SourceRun::queue(source, new, now);
        queue_run(unit, &run).await?;
        if let Some(seconds) = interval {
            self.begin_schedule(unit, &audience.id, seconds).await?;
        }
        Ok(Imported {
            collection,
            source: run.source().id.clone(),
            audience: audience.id,
            run: run.run().id.clone(),
        })
    }
}

/// The name that a list gives an audience, made distinct if another audience has it already.
pub(crate) async fn free_name(
    unit: &mut dyn UnitOfWork,
    collection: &CollectionRef,
    name: Option<&str>,
    audience: &AudienceId,
) -> Result<String, Error> {
    let own = name_from(collection, name);
    let is_taken = unit.is_name_taken(&own, audience).await?;
    Ok(if is_taken {
        distinct_name(&own, collection)
    } else {
        own
    })
}

impl Skipped {
    /// The reason as the API shows it.
    pub const fn reason_text(&self) -> &'static str {
        match &self.reason {
            SkipReason::AlreadySynced(_) => "Already synced",
            SkipReason::NotFound => self.collection.kind.descriptor().not_found,
        }
    }
}

//! Which passes are due: what the rules of it ([`FullPasses`], [`AccountChanges`](fanfare_domain::account_changes::AccountChanges))
//! need of the organization's rows.

use std::collections::{HashMap, HashSet};

use fanfare_domain::collection::CollectionKind;
use fanfare_domain::due_pass::{ContinuousSource, FullPasses};
use fanfare_domain::ids::AudienceId;
use fanfare_domain::ports::UnitOfWork;
use fanfare_domain::source::CollectionSource;
use fanfare_domain::time::Timestamp;

use crate::error::Error;
use crate::integration::Integration;

impl Integration {
    /// How the complete passes of the organization's continuous audiences of one kind share the quota. `None` where a row of
    /// them cannot be read by this version.
    pub(crate) async fn full_passes(
        &self,
        unit: &mut dyn UnitOfWork,
        kind: CollectionKind,
    ) -> Result<Option<FullPasses>, Error> {
        let continuous = unit.continuous_audiences().await?;
        let sources = match unit.sources(kind).await {
            Err(error) if error.is_unreadable() => return Ok(None),
            found => found?,
        };
        let unpaused = continuous.into_iter().filter(|it| it.paused_by.is_none());
        let intervals: HashMap<_, _> = unpaused
            .map(|it| (it.audience, self.intervals.in_force(it.interval_seconds)))
            .collect();
        let sources = sources.into_iter().filter_map(|source| {
            Some(ContinuousSource {
                interval: *intervals.get(&source.audience)?,
                source: source.id,
                watermarks: source.watermarks,
            })
        });
        let sources = sources.collect();
        Ok(Some(FullPasses::new(sources, self.full_pass_limits)))
    }

    /// Since when complete passes have read the lists of the organization's continuous audiences: the earliest start of
    /// those that can be followed by an incremental one.
    pub(crate) async fn full_passes_since(
        &self,
        unit: &mut dyn UnitOfWork,
    ) -> Result<Option<Timestamp>, Error> {
        let continuous = unit.continuous_audiences().await?.into_iter();
        let continuous: HashSet<AudienceId> = continuous.map(|it| it.audience).collect();
        let sources = synced_sources(unit).await?.into_iter();
        let of_continuous = sources.filter(|source| continuous.contains(&source.audience));
        Ok(of_continuous
            .filter_map(|source| Some(source.watermarks?.full_pass_began_at))
            .min())
    }
}

/// The sources of the organization's audiences, but for the kinds of which a row cannot be read by this version: a newer one
/// cares for those.
async fn synced_sources(unit: &mut dyn UnitOfWork) -> Result<Vec<CollectionSource>, Error> {
    let mut sources = Vec::new();
    for &kind in CollectionKind::ALL {
        match unit.sources(kind).await {
            Err(error) if error.is_unreadable() => {}
            found => sources.extend(found?),
        }
    }
    Ok(sources)
}

/// The audiences whose members' profiles are followed.
pub(crate) async fn synced_audiences(unit: &mut dyn UnitOfWork) -> Result<Vec<AudienceId>, Error> {
    let sources = synced_sources(unit).await?.into_iter();
    Ok(sources.map(|source| source.audience).collect())
}

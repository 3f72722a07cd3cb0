//! Which passes are due: what the rule of it ([`FullPasses`]) needs of the organization's rows.

use std::collections::HashMap;

use fanfare_domain::collection::CollectionKind;
use fanfare_domain::due_pass::{ContinuousSource, FullPasses};
use fanfare_domain::ports::UnitOfWork;

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
}

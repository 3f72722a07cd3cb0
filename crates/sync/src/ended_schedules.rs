//! Which audiences no longer sync by themselves since Klaviyo was disconnected.

use fanfare_domain::audience::Audience;
use fanfare_domain::ids::OrganizationId;
use fanfare_domain::paging::PageRequest;
use fanfare_domain::ports::UnitOfWork;
use fanfare_domain::run::Trigger;
use fanfare_domain::time::Timestamp;

use crate::error::Error;
use crate::integration::Integration;

/// Audiences that are read at once.
const READ_AT_ONCE: u32 = 500;

/// How many of an audience's latest runs are looked at.
const RUNS: u32 = 3;

impl Integration {
    /// The audiences whose schedule ended when Klaviyo was disconnected, oldest first: they have no interval, and nobody has changed
    /// them since their schedule last started a run. One whose schedule had not started any run yet cannot be told from a one-time
    /// import.
    pub async fn ended_schedules(
        &self,
        organization: &OrganizationId,
    ) -> Result<Vec<Audience>, Error> {
        let mut unit = self.read(organization).await?;
        let mut ended = Vec::new();
        let mut page = PageRequest {
            first: READ_AT_ONCE,
            after: None,
        };
        loop {
            let read = unit.audiences(&page).await?;
            page.after = read.end().map(str::to_owned);
            for record in read.items {
                let audience = record.audience;
                let is_manual = audience.refresh_interval_seconds.is_none();
                if record.source.is_some()
                    && is_manual
                    && was_scheduled(unit.as_mut(), &audience).await?
                {
                    ended.push(audience);
                }
            }
            if page.after.is_none() {
                return Ok(ended);
            }
        }
    }
}

/// Whether one of the audience's latest runs was started by a schedule after somebody last changed the audience.
async fn was_scheduled(unit: &mut dyn UnitOfWork, audience: &Audience) -> Result<bool, Error> {
    let latest = PageRequest {
        first: RUNS,
        after: None,
    };
    let changed_at = audience.updated_at.unwrap_or(Timestamp::EPOCH);
    let runs = unit.runs(&audience.id, &latest).await?.items;
    let mut scheduled = runs.iter().filter(|run| run.trigger == Trigger::Schedule);
    Ok(scheduled.any(|run| run.queued_at > changed_at))
}

//! Looking for a sample of the events that Klaviyo has taken: whether it has recorded them.
//!
//! The sample is this process's and lies in memory: what is lost with the process is a look, and no event.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use fanfare_domain::connection::OpenConnection;
use fanfare_domain::delivery::{Sample, Sampled};
use fanfare_domain::ids::{DeliveryId, MetricId, OrganizationId, UniqueId};
use fanfare_domain::klaviyo::KlaviyoError;
use fanfare_domain::time::Timestamp;
use tracing::{debug, warn};

use crate::error::Error;
use crate::integration::Integration;
use crate::klaviyo::CallError;
use crate::saving::can_push;

/// The most organizations of whose events a process looks for some.
const MOST_ORGANIZATIONS: usize = 10_000;

/// The most pages of events that are read for one of them: it lies in the second at which the first page begins.
const MOST_PAGES: usize = 5;

/// The most pages of metrics, of 200 each.
const MOST_METRIC_PAGES: usize = 50;

/// What has come of looking.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ReadBack {
    /// Events that Klaviyo shows.
    pub shown: u64,
    /// Events that it had taken and does not show after an hour.
    pub missing: u64,
}

/// The samples of a process, by organization, each with the Klaviyo account that has taken the events. Clones are the same.
#[derive(Clone, Default)]
pub(crate) struct Samples(Arc<Mutex<HashMap<OrganizationId, (String, Sample)>>>);

impl Samples {
    /// Takes events that were sent now, as far as they are to be looked for.
    pub(crate) fn offer(
        &self,
        organization: &OrganizationId,
        connection: &OpenConnection,
        sent: Vec<Sampled>,
        now: Timestamp,
    ) {
        let mut samples = self.locked();
        if !samples.contains_key(organization) && samples.len() >= MOST_ORGANIZATIONS {
            return;
        }
        let account = &connection.quota_account;
        let (of, sample) = samples.entry(organization.clone()).or_default();
        if of != account {
            (*of, *sample) = (account.clone(), Sample::default());
        }
        for event in sent {
            sample.offer(event, now);
        }
    }

    /// The organizations of whose events some are to be looked for now.
    fn due(&self, now: Timestamp) -> Vec<(OrganizationId, String, Vec<Sampled>)> {
        let mut samples = self.locked();
        let due = samples.iter_mut().map(|(organization, (account, sample))| {
            (organization.clone(), account.clone(), sample.due(now))
        });
        let due = due.filter(|(_, _, events)| !events.is_empty()).collect();
        samples.retain(|_, (_, sample)| !sample.is_empty());
        due
    }

    fn looked_for(
        &self,
        organization: &OrganizationId,
        events: &[Sampled],
        shown: &BTreeSet<DeliveryId>,
    ) -> Vec<Sampled> {
        let mut samples = self.locked();
        let sample = samples.get_mut(organization);
        sample.map_or_else(Vec::new, |(_, sample)| sample.looked_for(events, shown))
    }

    fn forget(&self, organization: &OrganizationId) {
        self.locked().remove(organization);
    }

    fn locked(&self) -> MutexGuard<'_, HashMap<OrganizationId, (String, Sample)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Integration {
    /// Looks in Klaviyo for those events of the sample for which it is time. What is missing at last is a line in the log, and is not
    /// sent again: nobody knows whether it would be the first.
    pub async fn read_back(&self) -> ReadBack {
        let mut all = ReadBack::default();
        for (organization, account, events) in self.samples.due(self.now()) {
            match self.read_back_of(&organization, &account, &events).await {
                Ok(Some(one)) => {
                    all.shown += one.shown;
                    all.missing += one.missing;
                }
                Ok(None) => self.samples.forget(&organization),
                Err(error) => debug!(
                    organizationId = %organization,
                    error = &error as &dyn std::error::Error,
                    "sent events could not be looked for; trying again"
                ),
            }
        }
        all
    }

    /// Looks for events of one organization; `None` if nobody can: the account is another one, or the key may not read events.
    async fn read_back_of(
        &self,
        organization: &OrganizationId,
        account: &str,
        events: &[Sampled],
    ) -> Result<Option<ReadBack>, Error> {
        let stored = self.read(organization).await?.connection().await?;
        let Some(stored) = stored.filter(|stored| can_push(Some(stored))) else {
            return Ok(None);
        };
        let connection = self.opened(organization, &stored)?;
        if connection.quota_account != account {
            return Ok(None);
        }
        let shown = match self.shown(&connection, events).await {
            Ok(shown) => shown,
            Err(CallError::Store(error)) => return Err(error.into()),
            // Another time there may be room for it.
            Err(CallError::NotBefore(_)) => return Ok(Some(ReadBack::default())),
            Err(CallError::Klaviyo(
                KlaviyoError::KeyRejected
                | KlaviyoError::ScopeMissing(_)
                | KlaviyoError::NotPermitted,
            )) => return Ok(None),
            Err(CallError::Klaviyo(error)) => {
                debug!(organizationId = %organization, error = &error as &dyn std::error::Error,
                    "Klaviyo does not show events; trying again");
                return Ok(Some(ReadBack::default()));
            }
        };
        let missing = self.samples.looked_for(organization, events, &shown);
        for event in &missing {
            warn!(
                organizationId = %organization,
                deliveryId = %event.delivery,
                metric = %event.metric,
                "Klaviyo has taken an event, and does not show it an hour later"
            );
        }
        if !missing.is_empty() {
            let ids: Vec<DeliveryId> = missing.iter().map(|one| one.delivery.clone()).collect();
            let mut unit = self.begin(organization).await?;
            unit.mark_missing(&ids).await?;
            unit.commit().await?;
        }
        Ok(Some(ReadBack {
            shown: shown.len() as u64,
            missing: missing.len() as u64,
        }))
    }

    /// Which of these events Klaviyo shows.
    async fn shown(
        &self,
        connection: &OpenConnection,
        events: &[Sampled],
    ) -> Result<BTreeSet<DeliveryId>, CallError> {
        let metrics = self.metric_ids(connection, events).await?;
        let mut shown = BTreeSet::new();
        for (name, ids) in metrics {
            let mut wanted: Vec<&Sampled> = events
                .iter()
                .filter(|one| one.metric.as_str() == name)
                .collect();
            wanted.sort_by_key(|one| one.at);
            for metric in ids {
                self.find(connection, &metric, &wanted, &mut shown).await?;
            }
        }
        Ok(shown)
    }

    /// Adds those of a metric's events, the earliest first, that Klaviyo shows.
    async fn find(
        &self,
        connection: &OpenConnection,
        metric: &MetricId,
        wanted: &[&Sampled],
        shown: &mut BTreeSet<DeliveryId>,
    ) -> Result<(), CallError> {
        let mut known: BTreeSet<UniqueId> = BTreeSet::new();
        for event in wanted {
            let mut cursor = None;
            for _ in 0..MOST_PAGES {
                if known.contains(&event.unique_id) {
                    break;
                }
                let page = self
                    .klaviyo
                    .recorded_events(connection, metric, event.at, cursor.as_ref())
                    .await?;
                known.extend(page.unique_ids);
                cursor = page.next;
                if cursor.is_none() {
                    break;
                }
            }
            if known.contains(&event.unique_id) {
                shown.insert(event.delivery.clone());
            }
        }
        Ok(())
    }

    /// The ids of the metrics of these names. Several integrations may have one of a name.
    async fn metric_ids(
        &self,
        connection: &OpenConnection,
        events: &[Sampled],
    ) -> Result<BTreeMap<String, Vec<MetricId>>, CallError> {
        let names: BTreeSet<&str> = events.iter().map(|one| one.metric.as_str()).collect();
        let (mut found, mut cursor) = (BTreeMap::<String, Vec<MetricId>>::new(), None);
        for _ in 0..MOST_METRIC_PAGES {
            let page = self.klaviyo.metrics(connection, cursor.as_ref()).await?;
            for metric in page.items {
                if let Some(name) = metric.name.filter(|name| names.contains(name.as_str())) {
                    found.entry(name).or_default().push(metric.id);
                }
            }
            cursor = page.next;
            if cursor.is_none() {
                break;
            }
        }
        Ok(found)
    }
}

//! The rows that syncs leave behind, without our ids, times, attempts and rates, which differ from run to run.

use std::collections::BTreeSet;

use fanfare_domain::ids::ProfileId;
use fanfare_domain::ids::RunId;
use fanfare_domain::ports::{ConsumerFilter, ConsumerRecord, Lookup, SourceFilter};
use fanfare_domain::source::PROFILE_SOURCE_TYPE;

use crate::test_organization::{TestOrganization, everything};

/// Each row as a line of text, so that a failed test shows the rows that differ.
pub(crate) type StoredRows = BTreeSet<String>;

fn values_of(record: &ConsumerRecord) -> String {
    let consumer = &record.consumer;
    let primary = consumer
        .primary
        .as_ref()
        .map(|primary| &primary.stamp.profile);
    format!(
        "{} {} {} primary {primary:?}",
        consumer.email.as_ref().map_or("-", |email| email.as_str()),
        consumer
            .phone
            .as_ref()
            .map_or("-", |phone| phone.value.as_str()),
        consumer
            .full_name
            .as_ref()
            .map_or("-", |name| name.value.as_str()),
    )
}

impl TestOrganization {
    /// The rows after these runs.
    pub(crate) async fn stored_rows(&self, runs: &[RunId]) -> StoredRows {
        let (integration, organization) = (&self.integration, &self.organization);
        let mut rows = StoredRows::new();
        let all = ConsumerFilter::default();
        let consumers = integration
            .consumers(organization, &all, &everything())
            .await
            .unwrap();
        for record in &consumers.items {
            assert!(
                rows.insert(values_of(record)),
                "two consumers have the same values"
            );
        }
        let links = SourceFilter {
            source_type: Some(PROFILE_SOURCE_TYPE.to_owned()),
            ..SourceFilter::default()
        };
        for link in integration
            .search_sources(organization, &links, &everything())
            .await
            .unwrap()
        {
            let profile = Lookup::Profile(ProfileId::parse(link.external_id.clone()).unwrap());
            let linked = integration
                .lookup_consumers(organization, &profile)
                .await
                .unwrap();
            rows.insert(format!("{} is {}", link.external_id, values_of(&linked[0])));
        }
        for id in runs {
            let run = self.run(id).await;
            let record = integration
                .audience(organization, &run.audience)
                .await
                .unwrap();
            let (audience, source) = (record.audience, record.source.unwrap());
            let name = &audience.name;
            let (status, progress, code) =
                (run.status, run.progress, run.error.map(|error| error.code));
            rows.insert(format!("{name}: {status} {code:?} {progress:?}"));
            let has_synced = source.last_synced_at.is_some();
            let mut data = source.data;
            data.last_run_id = None;
            rows.insert(format!(
                "{name}: {data:?} synced {has_synced} archived {}",
                audience.archived
            ));
            for (profile, code) in self.issues(id).await {
                rows.insert(format!("{name}: issue {profile} {code}"));
            }
            let members = integration
                .members(organization, &run.audience, None, &everything())
                .await;
            for record in members.unwrap().items {
                rows.insert(format!("{name}: member {}", values_of(&record)));
            }
        }
        rows
    }
}

//! What the runs left in the store, without ids, times, attempts and rates, which differ from run to run.

use std::collections::{BTreeMap, BTreeSet};

use fanfare_domain::failure::FailureCode;
use fanfare_domain::ids::ConsumerId;
use fanfare_domain::page::Tally;
use fanfare_domain::paging::PageRequest;
use fanfare_domain::ports::{ConsumerFilter, ConsumerRecord, SourceFilter};

use crate::world::World;

/// A consumer: its e-mail, phone number, name and primary profile.
type ConsumerValues = (
    Option<String>,
    Option<String>,
    Option<String>,
    Option<String>,
);

#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Outcome {
    consumers: BTreeSet<ConsumerValues>,
    /// How many profiles are linked to a consumer.
    links: usize,
    audiences: BTreeMap<String, Audience>,
    /// Of all runs together, since either list may be the first to meet a profile that both have.
    counts: Tally,
}

#[derive(Debug, PartialEq, Eq)]
struct Audience {
    error: Option<String>,
    members: BTreeSet<ConsumerValues>,
    processed: u64,
    skipped: u64,
    issues: BTreeSet<(String, &'static str)>,
}

fn everything() -> PageRequest {
    PageRequest {
        first: 1_000,
        after: None,
    }
}

fn values_of(record: &ConsumerRecord) -> (ConsumerId, ConsumerValues) {
    let consumer = &record.consumer;
    let values = (
        consumer
            .email
            .as_ref()
            .map(|email| email.as_str().to_owned()),
        consumer
            .phone
            .as_ref()
            .map(|phone| phone.value.as_str().to_owned()),
        consumer
            .full_name
            .as_ref()
            .map(|name| name.value.as_str().to_owned()),
        consumer
            .primary
            .as_ref()
            .map(|primary| primary.stamp.profile.to_string()),
    );
    (consumer.id.clone(), values)
}

impl World {
    pub(crate) async fn outcome(&self) -> Outcome {
        let (integration, organization) = (&self.integration, &self.organization);
        let all = integration
            .consumers(organization, &ConsumerFilter::default(), &everything())
            .await
            .unwrap();
        let consumers: BTreeMap<ConsumerId, ConsumerValues> =
            all.items.iter().map(values_of).collect();
        let links = SourceFilter {
            source_type: Some("klaviyo:profile".to_owned()),
            ..SourceFilter::default()
        };
        let links = integration
            .search_sources(organization, &links, &everything())
            .await
            .unwrap();
        let mut counts = Tally::default();
        let mut audiences = BTreeMap::new();
        for id in &self.runs {
            let run = integration.run(organization, id).await.unwrap();
            let record = integration
                .audience(organization, &run.audience)
                .await
                .unwrap();
            let members = integration
                .members(organization, &run.audience, None, &everything())
                .await
                .unwrap();
            let issues = integration
                .issues(organization, id, &everything())
                .await
                .unwrap();
            let tally = run.progress.tally;
            assert_eq!(
                tally.processed,
                tally.created + tally.updated + tally.unchanged + tally.skipped
            );
            counts.processed += tally.processed;
            counts.created += tally.created;
            counts.skipped += tally.skipped;
            let fell_short = run
                .progress
                .total
                .is_some_and(|total| tally.processed * 10 < total * 9);
            let code = run.error.as_ref().map(|error| error.code);
            let is_incomplete = code == Some(FailureCode::IncompleteRead);
            // What ended for another reason was not read to its end.
            if is_incomplete || code.is_none() {
                assert_eq!(is_incomplete, fell_short, "{run:?}");
            }
            assert_eq!(record.status(), Some(run.status));
            let audience = Audience {
                // Whether Klaviyo's quota allowed a count at the start differs from run to run, and with it
                // whether a pass can be known to be incomplete.
                error: run
                    .error
                    .filter(|_| !is_incomplete)
                    .map(|error| error.message),
                members: members.items.iter().map(|m| values_of(m).1).collect(),
                processed: tally.processed,
                skipped: tally.skipped,
                issues: issues
                    .items
                    .iter()
                    .map(|issue| (issue.profile.to_string(), issue.kind.code.as_str()))
                    .collect(),
            };
            audiences.insert(record.audience.name, audience);
        }
        assert_eq!(
            consumers.len(),
            consumers.values().collect::<BTreeSet<_>>().len(),
            "no consumer is there twice"
        );
        Outcome {
            consumers: consumers.into_values().collect(),
            links: links.len(),
            audiences,
            counts,
        }
    }
}

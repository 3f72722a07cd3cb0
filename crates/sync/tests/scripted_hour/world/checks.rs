//! What has to be true after an interval, and at the end.

use std::collections::BTreeMap;
use std::time::Duration;

use fanfare_domain::ports::Clock;
use fanfare_domain::run::RunMode;
use fanfare_klaviyo_sim::Endpoint;

use super::{INTERVAL, SEGMENT, SLACK, World};
use crate::oracle::Persons;

impl World {
    /// Notes who is in the lists now.
    pub(super) fn note(&mut self) {
        let now = self.clock.now();
        for audience in self.audiences.values_mut() {
            let persons = self
                .names
                .in_collection(&self.account, &audience.collection);
            audience.presence.note(now, &persons);
        }
    }

    /// After an interval: who has been in a list since its audience's last pass is in the audience, and who is in the
    /// audience was in the list since the last complete pass. Unless there was trouble, both passes are as young as the
    /// audience promises.
    pub(crate) async fn check(&mut self) {
        self.note();
        let now = self.clock.now();
        let is_troubled = self.troubled_until.is_some_and(|until| now < until);
        for audience in self.audiences.values() {
            let status = self
                .integration
                .audience_status(&self.organization, &audience.id);
            let status = status.await.unwrap();
            let (success, mode) = audience.last_success.unwrap();
            let full = audience.last_full.unwrap();
            if !is_troubled {
                assert!(!status.is_stale() && status.paused().is_none());
                assert!(now.since(success) <= INTERVAL + SLACK, "{success}");
                let promised = Duration::from_secs(status.removals_within_seconds().unwrap());
                let is_segment = audience.collection == SEGMENT;
                assert!(
                    is_segment || now.since(full) <= promised + SLACK,
                    "{full}: leavings are seen within {promised:?}"
                );
            }
            // Changes of profiles may have been read for all audiences at once, before this one's own pass.
            let read = match mode {
                RunMode::Full => success,
                RunMode::Incremental => success.minus(INTERVAL),
            };
            let members = self.members(&audience.id).await;
            let since = &audience.presence;
            assert_contains(&audience.collection, &members, &since.all_since(read));
            let allowed = since.any_since(full.minus(SLACK));
            assert_contains(&audience.collection, &allowed, &members);
        }
    }

    /// Fails unless this person is in the audience of the list.
    pub(crate) async fn check_member(&self, collection: &str, person: &str) {
        let mut audiences = self.audiences.values();
        let audience = audiences.find(|one| one.collection == collection).unwrap();
        let members = self.members(&audience.id).await;
        assert!(members.contains(person), "{person} in {collection}");
    }

    /// Fails unless every audience is its list.
    pub(crate) async fn check_that_all_are_equal(&mut self) {
        self.note();
        for audience in self.audiences.values() {
            let persons = self
                .names
                .in_collection(&self.account, &audience.collection);
            let members = self.members(&audience.id).await;
            assert_contains(&audience.collection, &members, &persons);
            assert_contains(&audience.collection, &persons, &members);
        }
    }

    /// Fails if Klaviyo was asked too often, or for more than the passes needed.
    pub(crate) fn check_requests(&self) {
        let requests = self.simulator.requests();
        let throttled = requests.iter().filter(|one| one.status == Some(429));
        assert_eq!(throttled.count(), 0, "the quota is kept");
        let mut by_endpoint: BTreeMap<String, u64> = BTreeMap::new();
        for request in &requests {
            let endpoint = request.endpoint.as_ref().map(Endpoint::to_string);
            *by_endpoint.entry(endpoint.unwrap_or_default()).or_default() += 1;
        }
        println!("requests: {by_endpoint:?}");
        // A page of a hundred, those of ranges that hold fewer, and what a pass asks beside them.
        let most = self.runs.profiles / 100 * 2 + self.runs.runs * 12;
        assert!(requests.len() as u64 <= most, "{by_endpoint:?}");
    }
}

/// Fails unless all of `some` are in `all`.
#[track_caller]
pub(super) fn assert_contains(what: &str, all: &Persons, some: &Persons) {
    let missing: Vec<&String> = some.difference(all).collect();
    assert!(missing.is_empty(), "{what}: {missing:?}");
}

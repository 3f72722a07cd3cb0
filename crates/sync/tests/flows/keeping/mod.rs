//! Audiences that are filled by hand, and audiences that are kept in Klaviyo lists.

mod by_hand;
mod chaos;
mod choosing;
mod following;
mod making;
mod pushing;
mod switching_on;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use fanfare_domain::collection::CollectionRef;
use fanfare_domain::ids::{AudienceId, CollectionId, ConsumerId, ProfileId, RunId};
use fanfare_domain::paging::PageRequest;
use fanfare_domain::ports::{ConsumerFilter, Store, UnitOfWork};
use fanfare_domain::profile::Profile;
use fanfare_domain::push::{KeptList, LedgerRow, PushRun};
use fanfare_domain::run::SyncStatus;
use fanfare_domain::work::{WorkItem, WorkKey};
use fanfare_sync::engine::SliceEnd;
use fanfare_sync::{Error, ListChoice, NewAudience, PushPreview};
use fanfare_testkit::build::list;
use fanfare_testkit::fake_klaviyo::FakeKlaviyo;
use fanfare_testkit::fake_writes::FakeWrites;
use tokio_util::sync::CancellationToken;

use crate::test_organization::{TestOrganization, klaviyo_with};

const ALL: PageRequest = PageRequest {
    first: 10_000,
    after: None,
};

/// A shop that has imported the list `L1` of so many people, and has an audience made by hand, which nobody is in.
pub(crate) struct Shop {
    pub(crate) org: TestOrganization,
    pub(crate) klaviyo: FakeKlaviyo,
    pub(crate) writes: FakeWrites,
    /// Those people, by their e-mails, with their profiles.
    pub(crate) people: Vec<(ConsumerId, ProfileId)>,
    pub(crate) audience: AudienceId,
}

impl Shop {
    /// There is an empty list `L2` besides.
    pub(crate) async fn new(people: i64) -> Self {
        let klaviyo =
            klaviyo_with(&list("L1"), people).with(list("L2"), "Winners", Vec::<Profile>::new());
        let mut org = TestOrganization::on(&klaviyo).await;
        org.synced(&list("L1")).await;
        let writes = FakeWrites::on(&klaviyo).with_profiles(org.clock());
        let port = Arc::new(writes.clone());
        org.integration = org.integration.clone().with_klaviyo_writes(port);
        let new = NewAudience {
            name: "Winners".to_owned(),
            actor: "key_1".to_owned(),
            ..NewAudience::default()
        };
        let made = org
            .integration
            .create_audience(&org.organization, new)
            .await;
        let audience = made.unwrap().audience.id;
        let mut unit = org.store.read(&org.organization).await.unwrap();
        let found = unit
            .consumers(&ConsumerFilter::default(), &ALL)
            .await
            .unwrap();
        let mut people = Vec::new();
        for record in found.items {
            let primary = record.consumer.primary.unwrap();
            people.push((record.consumer.id, primary.stamp.profile));
        }
        drop(unit);
        Self {
            org,
            klaviyo,
            writes,
            people,
            audience,
        }
    }

    /// The same, with the audience kept in `L2`, after a first push of so many people.
    pub(crate) async fn keeping(people: i64, members: usize) -> Self {
        let shop = Self::new(people).await;
        shop.add(0..members).await;
        shop.choose("L2").await.unwrap();
        let run = shop.push().await;
        assert_eq!(run.status, SyncStatus::Success, "{:?}", run.error);
        shop
    }

    fn ids(&self, people: impl IntoIterator<Item = usize>) -> BTreeSet<ConsumerId> {
        people
            .into_iter()
            .map(|n| self.people[n].0.clone())
            .collect()
    }

    pub(crate) async fn add(&self, people: impl IntoIterator<Item = usize>) -> u64 {
        let ids = self.ids(people);
        if ids.is_empty() {
            return 0;
        }
        let (integration, organization) = (&self.org.integration, &self.org.organization);
        let added = integration
            .add_members(organization, &self.audience, &ids)
            .await;
        added.unwrap().changed
    }

    pub(crate) async fn remove(&self, people: impl IntoIterator<Item = usize>) -> u64 {
        let ids = self.ids(people);
        let (integration, organization) = (&self.org.integration, &self.org.organization);
        let removed = integration
            .remove_members(organization, &self.audience, &ids)
            .await;
        removed.unwrap().changed
    }

    pub(crate) async fn choose(&self, list: &str) -> Result<Option<KeptList>, Error> {
        let choice = ListChoice::Existing(list_id(list));
        self.choose_any(choice).await
    }

    pub(crate) async fn choose_any(&self, choice: ListChoice) -> Result<Option<KeptList>, Error> {
        let (integration, organization) = (&self.org.integration, &self.org.organization);
        integration
            .choose_list(organization, &self.audience, choice, "key_1")
            .await
    }

    pub(crate) async fn preview(&self) -> PushPreview {
        let (integration, organization) = (&self.org.integration, &self.org.organization);
        integration
            .preview_push(organization, &self.audience)
            .await
            .unwrap()
    }

    pub(crate) async fn start(&self, confirmation: Option<&str>) -> Result<RunId, Error> {
        let (integration, organization) = (&self.org.integration, &self.org.organization);
        integration
            .push_audience(organization, &self.audience, confirmation)
            .await
    }

    /// Confirms what a preview shows, and works until the push has ended.
    pub(crate) async fn push(&self) -> PushRun {
        let shown = self.preview().await;
        let run = self.start(Some(&shown.confirmation.text)).await.unwrap();
        self.work_to_rest().await;
        self.run(&run).await
    }

    pub(crate) async fn run(&self, id: &RunId) -> PushRun {
        let (integration, organization) = (&self.org.integration, &self.org.organization);
        integration.push_run(organization, id).await.unwrap()
    }

    /// The pushes, the latest first.
    pub(crate) async fn runs(&self) -> Vec<PushRun> {
        let (integration, organization) = (&self.org.integration, &self.org.organization);
        let runs = integration
            .push_runs(organization, &self.audience, &ALL)
            .await;
        runs.unwrap().items
    }

    pub(crate) async fn kept(&self) -> KeptList {
        let (integration, organization) = (&self.org.integration, &self.org.organization);
        let kept = integration.kept_list(organization, &self.audience).await;
        kept.unwrap().unwrap()
    }

    pub(crate) fn work_item(&self) -> WorkItem {
        WorkItem {
            organization: self.org.organization.clone(),
            key: WorkKey::kept_list(&self.audience),
        }
    }

    pub(crate) async fn work(&self) -> SliceEnd {
        let engine = self.org.engine();
        let stop = CancellationToken::new();
        engine.work(&self.work_item(), &stop).await.unwrap()
    }

    /// Works until the list's work waits for longer than a change waits at most, or is out of the queue.
    pub(crate) async fn work_to_rest(&self) {
        for _ in 0..500 {
            match self.work().await {
                SliceEnd::Paused(until) => {
                    let wait = until.since(self.org.now());
                    if wait > Duration::from_mins(5) {
                        return;
                    }
                    self.wait(wait).await;
                }
                SliceEnd::NotDue | SliceEnd::Finished(_) => return,
                SliceEnd::Yielded | SliceEnd::Overtaken => {}
            }
        }
        panic!(
            "the list's work does not come to rest: {:?}",
            self.runs().await
        );
    }

    pub(crate) async fn wait(&self, by: Duration) {
        tokio::time::advance(by).await;
    }

    /// Who is in a list, by their places among the people; those of nobody here are left out.
    pub(crate) fn in_list(&self, list_id: &str) -> BTreeSet<usize> {
        let mut ids = Vec::new();
        self.klaviyo.change(|contents| {
            let (_, members) = &contents.collections[&list(list_id)];
            ids.extend(members.iter().map(|one| one.id.clone()));
        });
        let place = |id: &ProfileId| self.people.iter().position(|(_, profile)| profile == id);
        ids.iter().filter_map(place).collect()
    }

    pub(crate) async fn ledger(&self) -> Vec<LedgerRow> {
        let mut unit: Box<dyn UnitOfWork> =
            self.org.store.read(&self.org.organization).await.unwrap();
        unit.ledger(&list_id("L2"), None, 10_000).await.unwrap()
    }

    pub(crate) fn assert_no_breach(&self) {
        assert_eq!(self.writes.breaches(), Vec::<String>::new());
    }
}

pub(crate) fn list_id(id: &str) -> CollectionId {
    CollectionId::parse(id).unwrap()
}

pub(crate) fn list_ref(id: &str) -> CollectionRef {
    list(id)
}

pub(crate) fn places(of: impl IntoIterator<Item = usize>) -> BTreeSet<usize> {
    of.into_iter().collect()
}

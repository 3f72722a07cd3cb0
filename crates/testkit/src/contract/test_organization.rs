//! One organization in the store under test, and short ways to do what programs do with it.

use std::fmt::Debug;
use std::time::Duration;

use fanfare_domain::ids::{AudienceId, ConsumerId, OrganizationId, ProfileId, RunId};
use fanfare_domain::lease::FencingToken;
use fanfare_domain::page::{Known, PagePlan, keys, plan};
use fanfare_domain::paging::{Page, PageRequest};
use fanfare_domain::ports::{Ids, PageWrite, Store, UnitOfWork};
use fanfare_domain::profile::Profile;
use fanfare_domain::run::{SourceRun, SyncRun};
use fanfare_domain::source::CollectionSource;
use fanfare_domain::time::Timestamp;
use fanfare_domain::work::WorkKey;

use super::harness::{Handle, StoreHarness};
use crate::build::{self, at, audience_id, list, organization_id};
use crate::clock::SeededIds;
use crate::seen;

/// A lease so long that a slow test does not come to its end.
pub(super) const LEASE: Duration = Duration::from_mins(10);

/// A page with more items than any test has.
pub(super) const ALL: PageRequest = PageRequest {
    first: 10_000,
    after: None,
};

pub(super) struct TestOrganization<'a> {
    pub(super) harness: &'a dyn StoreHarness,
    pub(super) organization: OrganizationId,
    pub(super) ids: SeededIds,
}

impl<'a> TestOrganization<'a> {
    /// The organization `org_a`.
    pub(super) fn new(harness: &'a dyn StoreHarness) -> Self {
        Self::of(harness, "org_a")
    }

    /// Another organization. All organizations make the same ids, since an id means nothing without its
    /// organization.
    pub(super) fn of(harness: &'a dyn StoreHarness, organization: &str) -> Self {
        Self {
            harness,
            organization: organization_id(organization),
            ids: SeededIds::default(),
        }
    }

    pub(super) fn handle(&self) -> &Handle {
        &self.harness.handles()[0]
    }

    /// The store, as another process has it.
    pub(super) fn elsewhere(&self) -> &dyn Store {
        self.harness.handles()[1].store.as_ref()
    }

    pub(super) async fn begin(&self) -> Box<dyn UnitOfWork> {
        let unit = self.handle().store.begin(&self.organization).await;
        unit.expect("a unit for writing")
    }

    pub(super) async fn read(&self) -> Box<dyn UnitOfWork> {
        let unit = self.handle().store.read(&self.organization).await;
        unit.expect("a unit for reading")
    }

    pub(super) async fn advance(&self, by: Duration) {
        self.harness.advance(by).await;
    }

    /// The source `sync_LIST` of a list, whose audience is `aud_LIST`.
    pub(super) fn source(list_id: &str) -> CollectionSource {
        let audience = audience_id(&format!("aud_{list_id}"));
        build::source(&format!("sync_{list_id}"), list(list_id), &audience)
    }

    /// A run of a source, with a new id.
    pub(super) fn run(&self, source: &CollectionSource) -> SourceRun {
        let id = RunId::new(self.ids.ulid());
        build::run(&id, &self.organization, source)
    }

    /// Stores the source and audience of a list, without a run.
    pub(super) async fn import(&self, list_id: &str) -> CollectionSource {
        let source = Self::source(list_id);
        let mut unit = self.begin().await;
        unit.put_source(&source).await.expect("a source");
        let audience = build::audience(&source.audience, &source.id);
        unit.put_audience(&audience).await.expect("an audience");
        unit.commit().await.expect("a commit");
        source
    }

    /// Stores a run and puts it into the queue, as programs do.
    pub(super) async fn insert(&self, run: &SourceRun) {
        let mut unit = self.begin().await;
        unit.insert_run(run).await.expect("a run");
        let work = WorkKey::pull(&run.run().id);
        unit.enqueue(&work).await.expect("a row in the queue");
        unit.commit().await.expect("a commit");
    }

    /// Queues a run of a list, after storing the list's source and audience (again).
    pub(super) async fn queue(&self, list_id: &str) -> SyncRun {
        let run = self.run(&self.import(list_id).await);
        self.insert(&run).await;
        run.into_parts().0
    }

    /// Reads a stored run with its source.
    pub(super) async fn load(&self, run: &SyncRun) -> SourceRun {
        let mut unit = self.read().await;
        let source = unit.source(&run.source).await.expect("an answer");
        let run = unit.run(&run.id).await.expect("an answer");
        SourceRun::from_stored(run.expect("a run"), source.expect("its source"))
    }

    /// Saves a run.
    pub(super) async fn save(&self, run: &SourceRun) {
        let mut unit = self.begin().await;
        unit.save_run(run).await.expect("a run saved");
        unit.commit().await.expect("a commit");
    }

    /// Plans and writes a page as the engine does, at [`at`]`(seconds)`. Returns the plan, and how many consumers
    /// became members.
    pub(super) async fn take_at(
        &self,
        seconds: i64,
        run: &SyncRun,
        page: &[Profile],
    ) -> (PagePlan, u64) {
        let now = at(seconds);
        let (emails, profiles) = keys(page);
        let mut unit = self.begin().await;
        let known = seen::known(unit.as_mut(), &run.id, &emails, &profiles).await;
        let plan = plan(page, known.expect("what is known"), now, now, &self.ids);
        let first = next_seen_page(unit.as_mut(), run).await;
        let added = unit.write_page(write(run, &plan, first, now)).await;
        unit.commit().await.expect("a commit");
        (plan, added.expect("a page written"))
    }

    /// The same at a time that is later than every other time in the tests.
    pub(super) async fn take(&self, run: &SyncRun, page: &[Profile]) -> (PagePlan, u64) {
        self.take_at(1_000_000, run, page).await
    }

    /// Writes a plan that the test has made. Returns how many consumers became members.
    pub(super) async fn write(&self, run: &SyncRun, plan: &PagePlan) -> u64 {
        let mut unit = self.begin().await;
        let first = next_seen_page(unit.as_mut(), run).await;
        let page = write(run, plan, first, at(2_000_000));
        let added = unit.write_page(page).await;
        unit.commit().await.expect("a commit");
        added.expect("a page written")
    }

    /// Ends a run in success, and takes it out of the queue. Returns the ended run.
    pub(super) async fn finish(&self, run: &SyncRun) -> SyncRun {
        let run = build::succeeded(self.load(run).await);
        let mut unit = self.begin().await;
        unit.save_run(&run).await.expect("a run saved");
        let work = WorkKey::pull(&run.run().id);
        unit.dequeue(&work).await.expect("an answer");
        unit.commit().await.expect("a commit");
        run.into_parts().0
    }

    /// Claims work for [`LEASE`], and commits.
    pub(super) async fn claim(&self, work: &WorkKey) -> Option<FencingToken> {
        let mut unit = self.begin().await;
        let claim = unit.claim(work, LEASE).await.expect("an answer");
        unit.commit().await.expect("a commit");
        claim.map(|claim| claim.token)
    }

    /// Renews a lease for [`LEASE`], and commits. Returns whether the token still held it.
    pub(super) async fn renew(&self, work: &WorkKey, token: FencingToken) -> bool {
        let mut unit = self.begin().await;
        let was_held = unit.renew(work, token, LEASE).await.expect("an answer");
        unit.commit().await.expect("a commit");
        was_held
    }

    /// Releases work, and commits. Returns whether the token still held it.
    pub(super) async fn release(
        &self,
        work: &WorkKey,
        token: FencingToken,
        due: Option<Timestamp>,
    ) -> bool {
        let mut unit = self.begin().await;
        let was_held = unit.release(work, token, due).await.expect("an answer");
        unit.commit().await.expect("a commit");
        was_held
    }

    pub(super) async fn members(&self, audience: &AudienceId) -> Vec<ConsumerId> {
        let mut unit = self.read().await;
        let members = unit.members(audience, None, &ALL).await.expect("members");
        let ids = members.items.into_iter().map(|record| record.consumer.id);
        ids.collect()
    }

    /// What the store knows of profiles, in order.
    pub(super) async fn known(&self, run: &RunId, profiles: &[ProfileId]) -> Known {
        let mut unit = self.read().await;
        sorted(
            seen::known(unit.as_mut(), run, &[], profiles)
                .await
                .expect("what is known"),
        )
    }
}

/// The number of the page that what a run sees next is written to.
pub(super) async fn next_seen_page(unit: &mut dyn UnitOfWork, run: &SyncRun) -> u64 {
    let seen = seen::seen_index(unit, &run.id).await;
    seen.expect("what it has seen").last_page() + 1
}

/// A page to be written, whose seen profiles go into pages from `first_seen_page` on.
pub(super) fn write<'a>(
    run: &'a SyncRun,
    plan: &'a PagePlan,
    first_seen_page: u64,
    now: Timestamp,
) -> PageWrite<'a> {
    PageWrite {
        run: &run.id,
        audience: &run.audience,
        plan,
        first_seen_page,
        now,
    }
}

/// Sorts what is known, since a store may return it in any order.
pub(super) fn sorted(mut known: Known) -> Known {
    known.consumers.sort_by(|a, b| a.id.cmp(&b.id));
    known.links.sort_by(|a, b| a.profile.cmp(&b.profile));
    known.seen_profiles.sort();
    known
}

/// Reads all items with every size of page, from one item to all, and fails unless the result is `want`, in its
/// order, each time.
pub(super) async fn assert_paged<T: PartialEq + Debug>(
    want: &[T],
    mut page: impl AsyncFnMut(&PageRequest) -> Page<T>,
) {
    let most = u32::try_from(want.len()).expect("few items") + 1;
    for first in 1..=most {
        let (mut items, mut after) = (Vec::new(), None);
        loop {
            let got = page(&PageRequest { first, after }).await;
            assert!(got.items.len() <= first as usize, "pages of {first}");
            assert_eq!(got.start().is_some(), !got.items.is_empty());
            assert_eq!(got.end().is_some(), !got.items.is_empty());
            after = got.end().map(str::to_owned);
            items.extend(got.items);
            if after.is_none() {
                break;
            }
        }
        assert_eq!(items, want, "pages of {first}");
    }
}

/// Numbers that look random and are the same in every run of a test.
pub(super) struct SeededNumbers {
    ids: SeededIds,
}

impl SeededNumbers {
    pub(super) fn new(seed: u64) -> Self {
        let ids = SeededIds::new(seed);
        Self { ids }
    }

    /// A number from 0 to below the limit.
    pub(super) fn below(&mut self, limit: usize) -> usize {
        #[expect(clippy::cast_possible_truncation, reason = "any bits will do")]
        let bits = (self.ids.ulid().random() >> 16) as u32;
        bits as usize % limit
    }

    pub(super) fn shuffle<T>(&mut self, items: &mut [T]) {
        for end in (1..items.len()).rev() {
            items.swap(end, self.below(end + 1));
        }
    }
}

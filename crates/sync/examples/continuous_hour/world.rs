//! Ten accounts of the simulator, a store, the use cases between them, and a clock that skips the time in which nothing is
//! due.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use fanfare_domain::ids::{AudienceId, OrganizationId, RunId};
use fanfare_domain::ports::{Clock, WorkQueue};
use fanfare_domain::run::{RunMode, SyncStatus};
use fanfare_domain::time::Timestamp;
use fanfare_domain::work::{WorkItem, WorkKind};
use fanfare_klaviyo::{KlaviyoHttp, Origin, Timeouts};
use fanfare_klaviyo_sim::{
    AccountHandle, AccountPlan, CollectionPlan, EdgeCases, Endpoint, Kind, Plan, RunningSimulator,
    Simulator,
};
use fanfare_sqlite::{SqliteOptions, SqliteStore};
use fanfare_sync::engine::{Engine, Pace, SliceEnd};
use fanfare_sync::{ConnectRequest, ImportRequest, Integration, Ports};
use fanfare_testkit::build::{api_key, list};
use fanfare_testkit::clock::{PlainSealer, SeededIds, SkippingClock};
use tempfile::TempDir;
use time::OffsetDateTime;
use tokio_util::sync::CancellationToken;

use crate::Result;
use crate::changes::Changes;
use crate::tally::Tally;

pub(crate) const ACCOUNTS: usize = 10;

/// The lists of each account.
pub(crate) const LISTS: usize = 20;

pub(crate) const INTERVAL: Duration = Duration::from_mins(15);

/// How often somebody looks for what is due, as workers do.
const LOOK: Duration = Duration::from_secs(1);

/// An account, the organization that is connected to it, and its audiences by their lists.
struct Account {
    handle: AccountHandle,
    organization: OrganizationId,
    audiences: Vec<(String, AudienceId)>,
}

pub(crate) struct World {
    _folder: TempDir,
    clock: SkippingClock,
    simulator: RunningSimulator,
    integration: Integration,
    engine: Engine,
    work_queue: Arc<dyn WorkQueue>,
    accounts: Vec<Account>,
    paused: HashMap<WorkItem, Timestamp>,
    pub(crate) changes: Changes,
    runs: Tally,
}

fn moment(time: Timestamp) -> OffsetDateTime {
    let nanos = i128::from(time.as_micros()) * 1_000;
    OffsetDateTime::from_unix_timestamp_nanos(nanos).unwrap_or(OffsetDateTime::UNIX_EPOCH)
}

impl World {
    /// Imports all lists as continuous audiences.
    pub(crate) async fn open(profiles: u32) -> Result<Self> {
        let of_each = profiles / u32::try_from(ACCOUNTS * LISTS)?;
        let plans = (0..ACCOUNTS).map(|account| {
            let plan = AccountPlan::new(&format!("BeNc{account:02}")).edge_cases(EdgeCases::None);
            let plan = plan.key(&format!("pk_bench_{account:02}"));
            (0..LISTS).fold(plan, |plan, number| {
                let id = list_id(account, number);
                let name = format!("List {number}");
                plan.apart(CollectionPlan::new(Kind::List, &id, &name).generated(of_each))
            })
        });
        let clock = SkippingClock::default();
        let shown = clock.clone();
        let simulator = Simulator::start(Plan::new(plans).clock(move || moment(shown.now())))?;
        let klaviyo = KlaviyoHttp::new(Origin::parse(&simulator.url())?, Timeouts::default())?;
        let folder = tempfile::tempdir()?;
        let options = SqliteOptions::at(folder.path().join("store.db"));
        let store = SqliteStore::open(options, Arc::new(clock.clone())).await?;
        let store = Arc::new(store);
        let integration = Integration::new(Ports {
            store: store.clone(),
            directory: store.clone(),
            work_queue: store.clone(),
            ledger: store.clone(),
            request_limits: store.clone(),
            klaviyo: Arc::new(klaviyo),
            sealer: Arc::new(PlainSealer),
            clock: Arc::new(clock.clone()),
            ids: Arc::new(SeededIds::default()),
        });
        let mut world = Self {
            _folder: folder,
            engine: Engine::new(integration.clone(), Pace::default()),
            work_queue: store,
            accounts: Vec::new(),
            paused: HashMap::new(),
            changes: Changes::seeded(13),
            runs: Tally::default(),
            clock,
            simulator,
            integration,
        };
        for account in 0..ACCOUNTS {
            let opened = world.account(account).await?;
            world.accounts.push(opened);
        }
        world.work_to_end().await?;
        Ok(world)
    }

    /// Connects an account, and queues the imports of its lists.
    async fn account(&self, account: usize) -> Result<Account> {
        let made = self
            .integration
            .create_organization(&format!("Shop {account}"))
            .await?;
        let request = ConnectRequest {
            api_key: api_key(&format!("pk_bench_{account:02}")),
            confirm_account_change: false,
        };
        let organization = made.organization;
        self.integration.connect(&organization, request).await?;
        let lists = (0..LISTS).map(|number| list(&list_id(account, number)));
        let request = ImportRequest {
            collections: lists.collect(),
            refresh_interval_seconds: Some(u32::try_from(INTERVAL.as_secs())?),
            actor: "key_1".to_owned(),
        };
        let imported = self.integration.import(&organization, request).await?;
        let audiences = imported.imported.into_iter();
        let id = format!("BeNc{account:02}");
        Ok(Account {
            handle: self.simulator.handle().account_with_id(&id),
            organization,
            audiences: audiences
                .map(|it| (it.collection.id.to_string(), it.audience))
                .collect(),
        })
    }

    /// Lets so much time pass, in which so many changes happen.
    pub(crate) async fn live(&mut self, length: Duration, changes: u32) -> Result<()> {
        let begun = self.clock.now();
        let mut times = self
            .changes
            .times(changes, length.as_secs_f64())
            .into_iter();
        let mut next = times.next();
        loop {
            let now = self.clock.now();
            while let Some(after) = next {
                let at = begun.plus(Duration::from_secs_f64(after));
                if at > now {
                    break;
                }
                self.change(now)?;
                next = times.next();
            }
            while self.integration.start_due_syncs().await? > 0 {}
            self.work_due().await?;
            let now = self.clock.now();
            if now.since(begun) >= length {
                return Ok(());
            }
            self.clock.skip_to(now.plus(LOOK));
        }
    }

    fn change(&mut self, now: Timestamp) -> Result<()> {
        let number = self.changes.any(ACCOUNTS);
        let account = &self.accounts[number];
        let (list, audience) = &account.audiences[self.changes.any(LISTS)];
        self.changes
            .happen(now, (number, &account.handle), list, audience)
    }

    /// Syncs every audience by hand: complete passes.
    pub(crate) async fn sync_everything(&mut self) -> Result<()> {
        for account in &self.accounts {
            for (_, audience) in &account.audiences {
                self.integration
                    .sync_audience(&account.organization, audience, false)
                    .await?;
            }
        }
        self.work_to_end().await
    }

    /// Works until nothing is queued any more.
    async fn work_to_end(&mut self) -> Result<()> {
        loop {
            self.work_due().await?;
            let now = self.clock.now();
            self.paused.retain(|_, until| *until > now);
            match self.paused.values().min() {
                Some(until) => self.clock.skip_to(*until),
                None => return Ok(()),
            }
        }
    }

    /// Works what is due until nothing is.
    async fn work_due(&mut self) -> Result<()> {
        while let Some(next) = self.work_queue.next().await? {
            let work = next.work;
            let end = self.engine.work(&work, &CancellationToken::new()).await?;
            match end {
                SliceEnd::Finished(SyncStatus::Success) if work.key.kind == WorkKind::Pull => {
                    self.paused.remove(&work);
                    self.finished(&work.organization, &work.key.id.as_run())
                        .await?;
                }
                SliceEnd::Yielded => {}
                SliceEnd::Paused(until) => {
                    self.paused.insert(work, until);
                }
                end => return Err(format!("a slice ended otherwise: {end:?}").into()),
            }
        }
        Ok(())
    }

    /// Counts a run that has ended, and looks which changes it has brought.
    async fn finished(&mut self, organization: &OrganizationId, run: &RunId) -> Result<()> {
        let run = self.integration.run(organization, run).await?;
        let (progress, tally) = (run.progress, run.progress.tally);
        self.runs.runs += 1;
        self.runs.full += u64::from(run.pass.mode() == RunMode::Full);
        self.runs.rows += tally.created + tally.updated;
        self.runs.rows += progress.members_added + progress.members_removed;
        if let fanfare_domain::pass::Pass::Incremental(pass) = &run.pass {
            self.runs.rows += pass.changed;
        }
        let mut accounts = self.accounts.iter();
        let account = accounts.position(|it| it.organization == *organization);
        let account = account.ok_or("a run is of an account")?;
        self.changes
            .look(&self.integration, organization, account, &run.audience)
            .await
    }

    /// What all runs so far have cost.
    pub(crate) fn tally(&self) -> Tally {
        let requests = self.simulator.handle().requests();
        let members = Endpoint::Members(Kind::List);
        let pages = requests
            .iter()
            .filter(|request| request.endpoint == Some(members));
        Tally {
            pages: pages.count() as u64,
            requests: requests.len() as u64,
            ..self.runs
        }
    }

    /// How long a leaving can go unseen, at the most of all audiences.
    pub(crate) async fn removals_within(&self) -> Result<u64> {
        let mut longest = 0;
        for account in &self.accounts {
            for (_, audience) in &account.audiences {
                let status = self
                    .integration
                    .audience_status(&account.organization, audience)
                    .await?;
                longest = longest.max(status.removals_within_seconds().unwrap_or_default());
            }
        }
        Ok(longest)
    }
}

fn list_id(account: usize, number: usize) -> String {
    format!("L{account:02}n{number:02}")
}

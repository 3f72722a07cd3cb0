//! From a request to an answer, and a note of both.

mod outgoing;
mod serving;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::Duration;

use rand::RngExt;
use time::OffsetDateTime;

pub(crate) use self::outgoing::{Delivery, Outgoing};
use crate::clock::Clock;
use crate::endpoint::{Endpoint, Parameter, Route};
use crate::fault::{Book, Change, Circumstances, Effect};
use crate::instant;
use crate::plan::{Latency, Plan, PlanError};
use crate::query::Parameters;
use crate::quota::{Counters, costly};
use crate::read::page_number;
use crate::record::{Log, Request};
use crate::refusal::Refusal;
use crate::switches::Switches;
use crate::world::{ChangeError, World};

/// A request as it came in.
pub(crate) struct Incoming<'a> {
    pub(crate) method: &'a str,
    /// Still encoded.
    pub(crate) path: &'a str,
    /// Still encoded.
    pub(crate) query: &'a str,
    pub(crate) host: &'a str,
    pub(crate) authorization: Option<&'a str>,
    pub(crate) revision: Option<&'a str>,
    pub(crate) opts_out: bool,
}

/// The simulated Klaviyo, without a network around it.
pub(crate) struct Service {
    world: RwLock<World>,
    counters: Mutex<Counters>,
    book: Mutex<Book>,
    log: Mutex<Log>,
    clock: Arc<dyn Clock>,
    pub(crate) switches: Switches,
    latency: Latency,
}

/// A request that leads somewhere, and what is known of it.
struct Asked<'a> {
    incoming: &'a Incoming<'a>,
    route: Route,
    parameters: Parameters,
    costly: Vec<Parameter>,
    now: OffsetDateTime,
    page: u32,
}

impl Service {
    pub(crate) fn new(plan: Plan) -> Result<Self, PlanError> {
        let mut book = Book::default();
        plan.faults.into_iter().for_each(|fault| book.add(fault));
        Ok(Self {
            world: RwLock::new(World::new(plan.accounts, plan.seed)?),
            counters: Mutex::new(Counters::new(plan.quota, &plan.switches)),
            book: Mutex::new(book),
            log: Mutex::new(Log {
                keeps: plan.keeps_requests,
                kept: Vec::new(),
                file: plan.request_log,
            }),
            clock: plan.clock,
            switches: plan.switches,
            latency: plan.latency,
        })
    }

    pub(crate) fn now(&self) -> OffsetDateTime {
        self.clock.now()
    }

    /// The world, to be read.
    pub(crate) fn world(&self) -> RwLockReadGuard<'_, World> {
        self.world.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// The world, to be changed. Merges that are over have been carried out.
    pub(crate) fn world_mut(&self) -> RwLockWriteGuard<'_, World> {
        let now = instant::micros_of(self.now());
        let mut world = self.world.write().unwrap_or_else(PoisonError::into_inner);
        for account in &mut world.accounts {
            account.catch_up(now);
        }
        world
    }

    pub(crate) fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn log(&self) -> MutexGuard<'_, Log> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn counters(&self) -> MutexGuard<'_, Counters> {
        self.counters.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Answers a request, and takes note of it.
    pub(crate) fn handle(&self, incoming: &Incoming<'_>) -> Outgoing {
        let now = self.now();
        let parts: Vec<_> = incoming.path.trim_start_matches('/').split('/').collect();
        let mut request = Request {
            at: now,
            account: self.owner(incoming),
            endpoint: None,
            id: String::new(),
            path: incoming.path.to_owned(),
            query: incoming.query.to_owned(),
            page: 1,
            status: None,
            retry_after_until: None,
            faults: Vec::new(),
        };
        let mut outgoing = match Endpoint::route(&parts) {
            None => Outgoing::refusal(&Refusal::no_route(incoming.path), Vec::new()),
            Some(_) if incoming.method != "GET" => {
                Outgoing::refusal(&Refusal::method(incoming.method), Vec::new())
            }
            Some(route) => {
                let parameters = Parameters::parse(incoming.query);
                let costly = costly(
                    route.endpoint,
                    |of, field| parameters.adds(of, field),
                    |name| parameters.includes(name),
                );
                let page = page_number(&parameters);
                request.endpoint = Some(route.endpoint);
                request.id.clone_from(&route.id);
                request.page = page;
                let asked = Asked {
                    incoming,
                    route,
                    parameters,
                    costly,
                    now,
                    page,
                };
                self.answer(&asked, &mut request)
            }
        };
        outgoing.delay += self.latency();
        let is_whole = matches!(outgoing.delivery, Delivery::Whole | Delivery::Stalled(_));
        request.status = is_whole.then_some(outgoing.status);
        if self.log().add(request).is_err() {
            // The log is evidence: a request that cannot be in it is not answered.
            return Outgoing::page(507, Vec::new());
        }
        outgoing
    }

    fn answer(&self, asked: &Asked<'_>, request: &mut Request) -> Outgoing {
        let account = request.account.as_deref();
        let effects = self.book().take(&asked.route, account, asked.page);
        request.faults = effects.iter().map(|effect| format!("{effect:?}")).collect();
        for effect in &effects {
            let Effect::Change(change) = effect else {
                continue;
            };
            if let Err(error) = self.change(asked, account, change) {
                request.faults.push(format!("not changed: {error}"));
            }
        }
        let now = instant::micros_of(asked.now);
        if let Some(account) = account {
            let counters = self.counters();
            let endpoint = asked.route.endpoint;
            let until = counters.promised(account, endpoint, &asked.costly, now);
            request.retry_after_until = until.and_then(|until| {
                OffsetDateTime::from_unix_timestamp_nanos(i128::from(until) * 1_000).ok()
            });
        }
        let mut outgoing = match effects
            .iter()
            .find_map(|effect| self.edge(asked, account, effect))
        {
            Some(outgoing) => outgoing,
            None => self
                .serve(asked, &effects)
                .unwrap_or_else(|refused| Outgoing::refusal(&refused.refusal, refused.headers)),
        };
        for effect in effects {
            match effect {
                Effect::Slow(delay) => outgoing.delay += delay,
                Effect::Stall(delay) => outgoing.delivery = Delivery::Stalled(delay),
                Effect::Truncate => outgoing.delivery = Delivery::Truncated,
                Effect::Reset => outgoing.delivery = Delivery::Reset,
                _ => {}
            }
        }
        outgoing
    }

    /// Makes a change that the fault plan asks for.
    fn change(
        &self,
        asked: &Asked<'_>,
        account: Option<&str>,
        change: &Change,
    ) -> Result<(), ChangeError> {
        let at = Circumstances {
            collection: &asked.route.id,
            key: key(asked.incoming).unwrap_or_default(),
            now: instant::micros_of(asked.now),
            merging_takes: self.switches.merging_takes,
        };
        let mut world = self.world_mut();
        change.make(world.account_mut(account)?, &at)
    }

    fn owner(&self, incoming: &Incoming<'_>) -> Option<String> {
        let world = self.world();
        let (account, _) = world.by_key(key(incoming)?)?;
        Some(account.id.clone())
    }

    fn latency(&self) -> Duration {
        let Latency { least, jitter } = self.latency;
        if jitter.is_zero() {
            return least;
        }
        least + jitter.mul_f64(rand::rng().random_range(0.0..1.0))
    }
}

/// The key in the form that Klaviyo wants it in.
fn key<'a>(incoming: &Incoming<'a>) -> Option<&'a str> {
    let key = incoming.authorization?.strip_prefix("Klaviyo-API-Key ")?;
    Some(key.trim())
}

//! Answers requests, and logs each with its answer.

mod change;
mod outgoing;
mod serving;
mod writing;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::Duration;

use rand::RngExt;
use time::OffsetDateTime;

use self::change::ChangeContext;
pub(crate) use self::change::later;
pub(crate) use self::outgoing::{Delivery, Outgoing};
use crate::clock::Clock;
use crate::endpoint::{Endpoint, Parameter, Route};
use crate::fault::{Change, Effect, Fault, FaultSchedule};
use crate::instant;
use crate::plan::{Latency, Plan, PlanError};
use crate::proof::breaches;
use crate::query::Parameters;
use crate::quota::Counters;
use crate::read::page_number;
use crate::record::{Log, Request};
use crate::refusal::Refusal;
use crate::state::{ChangeError, State};
use crate::switches::Switches;

/// After this time everything shows that was written: an hour.
const LONGEST_DELAY_MICROS: i64 = 3_600_000_000;

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
    pub(crate) body: &'a [u8],
}

/// The simulated Klaviyo, without a network around it.
pub(crate) struct Service {
    state: RwLock<State>,
    counters: Mutex<Counters>,
    schedule: Mutex<FaultSchedule>,
    log: Mutex<Log>,
    clock: Arc<dyn Clock>,
    pub(crate) switches: Switches,
    latency: Latency,
    keeps_bodies: bool,
}

/// A request with a known path, and what was read out of it.
struct RoutedRequest<'a> {
    incoming: &'a Incoming<'a>,
    route: Route,
    parameters: Parameters,
    costly: Vec<Parameter>,
    now: OffsetDateTime,
    page: u32,
}

impl Service {
    pub(crate) fn new(plan: Plan) -> Result<Self, PlanError> {
        let mut schedule = FaultSchedule::default();
        plan.faults
            .into_iter()
            .for_each(|fault| schedule.add(fault));
        Ok(Self {
            state: RwLock::new(State::new(plan.accounts, plan.seed)?),
            counters: Mutex::new(Counters::new(plan.quota, &plan.switches)),
            schedule: Mutex::new(schedule),
            log: Mutex::new(Log {
                keeps: plan.keeps_requests,
                kept: Vec::new(),
                file: plan.request_log,
            }),
            clock: plan.clock,
            switches: plan.switches,
            latency: plan.latency,
            keeps_bodies: plan.keeps_bodies,
        })
    }

    pub(crate) fn now(&self) -> OffsetDateTime {
        self.clock.now()
    }

    /// The state, for reading.
    pub(crate) fn state(&self) -> RwLockReadGuard<'_, State> {
        self.state.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// The state, for changes. What is over by now is carried out first.
    pub(crate) fn state_mut(&self) -> RwLockWriteGuard<'_, State> {
        let now = instant::micros_of(self.now());
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        for account in &mut state.accounts {
            account.catch_up(now);
        }
        state
    }

    /// What the journals of all accounts hold by now that they must not hold.
    pub(crate) fn breaches(&self) -> Vec<String> {
        let state = self.state_mut();
        let journals = state.accounts.iter();
        journals
            .flat_map(|account| breaches(&account.writes.journal))
            .collect()
    }

    /// The same with all that is accepted and does not show yet: the last thing to be asked of a simulator.
    pub(crate) fn breaches_at_last(&self) -> Vec<String> {
        let late = instant::micros_of(self.now()).saturating_add(LONGEST_DELAY_MICROS);
        for account in &mut self.state_mut().accounts {
            account.catch_up(late);
        }
        self.breaches()
    }

    pub(crate) fn schedule(&self) -> MutexGuard<'_, FaultSchedule> {
        self.schedule.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn log(&self) -> MutexGuard<'_, Log> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn counters(&self) -> MutexGuard<'_, Counters> {
        self.counters.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Answers a request, and logs it.
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
        let mut outgoing = match Endpoint::route(incoming.method, &parts) {
            None if Endpoint::is_path(&parts) => {
                Outgoing::refusal(&Refusal::method(incoming.method), Vec::new())
            }
            None => Outgoing::refusal(&Refusal::no_route(incoming.path), Vec::new()),
            Some(route) => {
                let parameters = Parameters::parse(incoming.query);
                let costly = route.endpoint.costly_in(&parameters);
                let page = page_number(&parameters);
                request.endpoint = Some(route.endpoint);
                request.id.clone_from(&route.id);
                request.page = page;
                let routed = RoutedRequest {
                    incoming,
                    route,
                    parameters,
                    costly,
                    now,
                    page,
                };
                self.answer(&routed, &mut request)
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

    fn answer(&self, routed: &RoutedRequest<'_>, request: &mut Request) -> Outgoing {
        let account = request.account.as_deref();
        let is_costly = !routed.costly.is_empty();
        let effects = self.schedule().take(
            &routed.route,
            account,
            is_costly,
            routed.page,
            &routed.parameters,
        );
        request.faults = effects.iter().map(|effect| format!("{effect:?}")).collect();
        for effect in &effects {
            let Effect::Change(change) = effect else {
                continue;
            };
            if let Err(error) = self.change(routed, account, change) {
                request.faults.push(format!("not changed: {error}"));
            }
        }
        let now = instant::micros_of(routed.now);
        if let Some(account) = account {
            let counters = self.counters();
            let endpoint = routed.route.endpoint;
            let until = counters.retry_after(account, endpoint, &routed.costly, now);
            request.retry_after_until = until.and_then(|until| {
                OffsetDateTime::from_unix_timestamp_nanos(i128::from(until) * 1_000).ok()
            });
        }
        let mut outgoing = match effects
            .iter()
            .find_map(|effect| self.edge(routed, account, effect))
        {
            Some(outgoing) => outgoing,
            None => if routed.route.endpoint.is_write() {
                self.serve_write(routed, &effects)
            } else {
                self.serve(routed, &effects)
            }
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
        routed: &RoutedRequest<'_>,
        account: Option<&str>,
        change: &Change,
    ) -> Result<(), ChangeError> {
        let at = ChangeContext {
            collection: &routed.route.id,
            // A request without a key has none that could be revoked.
            key: Some(key(routed.incoming).unwrap_or_default()),
            now: instant::micros_of(routed.now),
            merging_takes: self.switches.merging_takes,
        };
        let mut state = self.state_mut();
        change::apply(change, state.account_mut(account)?, &at)
    }

    /// Makes the change of a fault at once, in the list or segment that the fault names.
    pub(crate) fn change_at_once(&self, fault: &Fault) -> Result<(), ChangeError> {
        let Effect::Change(change) = &fault.effect else {
            return Err(ChangeError::NoChange);
        };
        let at = ChangeContext {
            collection: fault.id.as_deref().unwrap_or_default(),
            key: None,
            now: instant::micros_of(self.now()),
            merging_takes: self.switches.merging_takes,
        };
        let mut state = self.state_mut();
        change::apply(change, state.account_mut(fault.account.as_deref())?, &at)
    }

    fn owner(&self, incoming: &Incoming<'_>) -> Option<String> {
        let state = self.state();
        let (account, _) = state.by_key(key(incoming)?)?;
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

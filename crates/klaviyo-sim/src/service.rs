//! From a request to an answer: the checks, in Klaviyo's order.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::{Duration, SystemTime};

use rand::RngExt;
use time::OffsetDateTime;

use crate::clock::Clock;
use crate::endpoint::{Endpoint, Parameter, Route};
use crate::fault::{Book, Change, Circumstances, Effect, Place, RetryAfter, spoil};
use crate::instant;
use crate::plan::{Latency, Plan, PlanError};
use crate::query::Parameters;
use crate::quota::{Allowance, Counters, Exceeded, costly};
use crate::read::{Reading, page_number};
use crate::record::{Log, Request};
use crate::refusal::Refusal;
use crate::revision;
use crate::switches::Switches;
use crate::world::{Account, World};

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

/// An answer to be sent.
pub(crate) struct Outgoing {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: Vec<u8>,
    /// How long it takes until the first byte.
    pub(crate) delay: Duration,
    pub(crate) delivery: Delivery,
}

/// How much of an answer arrives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Delivery {
    Whole,
    /// Half of it, then the rest after that time.
    Stalled(Duration),
    /// Half of it.
    Truncated,
    /// Nothing: the connection is reset.
    Reset,
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

const JSON: &str = "application/vnd.api+json";
const HTML: &str = "text/html; charset=UTF-8";

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
            None => refuse(&Refusal::no_route(incoming.path)),
            Some(_) if incoming.method != "GET" => refuse(&Refusal::method(incoming.method)),
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
            return page_of_html(507, Vec::new());
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
                .unwrap_or_else(|(refusal, headers)| {
                    let mut outgoing = refuse(&refusal);
                    outgoing.headers.extend(headers);
                    outgoing
                }),
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
    ) -> Result<(), crate::world::ChangeError> {
        let at = Circumstances {
            collection: &asked.route.id,
            key: key(asked.incoming).unwrap_or_default(),
            now: instant::micros_of(asked.now),
            merging_takes: self.switches.merging_takes,
        };
        let mut world = self.world_mut();
        change.make(world.account_mut(account)?, &at)
    }

    /// What the network in front of Klaviyo answers, before Klaviyo sees anything.
    fn edge(&self, asked: &Asked<'_>, account: Option<&str>, effect: &Effect) -> Option<Outgoing> {
        match effect {
            Effect::Status(status, after) => {
                let mut headers = Vec::new();
                if let Some(after) = after {
                    headers = self.promise(asked, account, after, false);
                }
                Some(page_of_html(*status, headers))
            }
            Effect::Challenge => {
                let headers = vec![("cf-mitigated", "challenge".to_owned())];
                Some(page_of_html(403, headers))
            }
            _ => None,
        }
    }

    /// The header, and a note of what it says.
    fn promise(
        &self,
        asked: &Asked<'_>,
        account: Option<&str>,
        after: &RetryAfter,
        refuses: bool,
    ) -> Vec<(&'static str, String)> {
        let seconds = match after {
            RetryAfter::Seconds(seconds) | RetryAfter::Date(seconds) => *seconds,
            RetryAfter::Text(text) => return vec![("retry-after", text.clone())],
            RetryAfter::Missing => return Vec::new(),
        };
        let mut until = asked.now + Duration::from_secs(seconds.min(MOST_SECONDS));
        let text = match after {
            RetryAfter::Date(_) => {
                // A date says no parts of a second.
                until = until.truncate_to_second();
                httpdate::fmt_http_date(SystemTime::from(until))
            }
            _ => seconds.to_string(),
        };
        if let Some(account) = account {
            let until = instant::micros_of(until);
            let endpoint = asked.route.endpoint;
            self.counters().promise(account, endpoint, until, refuses);
        }
        vec![("retry-after", text)]
    }

    /// Klaviyo's own answer. A refusal comes with its headers.
    fn serve(
        &self,
        asked: &Asked<'_>,
        effects: &[Effect],
    ) -> Result<Outgoing, (Refusal, Vec<(&'static str, String)>)> {
        let plain = |refusal| (refusal, Vec::new());
        let mut world = self.world();
        let now = instant::micros_of(asked.now);
        if world.accounts.iter().any(|account| account.is_behind(now)) {
            drop(world);
            drop(self.world_mut());
            world = self.world();
        }
        let account = authorize(&world, asked).map_err(plain)?;
        let revision = revision::Asked {
            revision: asked.incoming.revision,
            opts_out: asked.incoming.opts_out,
        };
        let is_required = self.switches.requires_revision;
        revision::check(revision, asked.now.date(), is_required).map_err(plain)?;
        for effect in effects {
            if let Effect::Throttle(after) = effect {
                let seconds = match after {
                    RetryAfter::Seconds(seconds) => Some(*seconds),
                    _ => None,
                };
                let headers = self.promise(asked, Some(&account.id), after, true);
                return Err((Refusal::throttled(seconds), headers));
            }
        }
        let endpoint = asked.route.endpoint;
        let taken = self
            .counters()
            .take(&account.id, endpoint, &asked.costly, now);
        let headers = match taken {
            Ok(allowance) => quota_headers(allowance),
            Err(Exceeded(seconds)) => {
                let headers = vec![("retry-after", seconds.to_string())];
                return Err((Refusal::throttled(Some(seconds)), headers));
            }
        };
        let path = asked.incoming.path;
        let path = path.strip_suffix('/').unwrap_or(path);
        let base = format!("http://{}", asked.incoming.host);
        let reading = Reading {
            account,
            route: &asked.route,
            path,
            parameters: &asked.parameters,
            base: &base,
            now,
            switches: &self.switches,
        };
        let mut body = match reading.answer() {
            Ok(body) => body,
            Err(refusal) => return Err((refusal, headers)),
        };
        let place = Place {
            base: &base,
            path,
            parameters: &asked.parameters,
            now,
            page: asked.page,
        };
        for effect in effects {
            body = spoil(body, effect, &place);
        }
        Ok(outgoing(200, JSON, headers, body))
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

/// Longer waits are the same to anybody, and later dates cannot be written.
const MOST_SECONDS: u64 = 10 * 365 * 86_400;

/// The account that the request may read.
fn authorize<'a>(world: &'a World, asked: &Asked<'_>) -> Result<&'a Account, Refusal> {
    if asked.incoming.authorization.is_none() {
        return Err(Refusal::no_credentials());
    }
    let known = key(asked.incoming).and_then(|secret| world.by_key(secret));
    let (account, key) = known.ok_or_else(Refusal::bad_credentials)?;
    let needed = asked.route.endpoint.scopes().iter().copied();
    let missing: Vec<_> = needed
        .filter(|&scope| !key.scopes.contains(scope))
        .collect();
    if missing.is_empty() {
        Ok(account)
    } else {
        Err(Refusal::scopes(&missing))
    }
}

fn key<'a>(incoming: &Incoming<'a>) -> Option<&'a str> {
    let key = incoming.authorization?.strip_prefix("Klaviyo-API-Key ")?;
    Some(key.trim())
}

fn quota_headers(allowance: Allowance) -> Vec<(&'static str, String)> {
    let Allowance {
        limit,
        remaining,
        reset,
    } = allowance;
    let (burst, steady) = (limit.burst, limit.steady);
    vec![
        (
            "ratelimit-limit",
            format!("{burst}, {burst};w=1, {steady};w=60"),
        ),
        ("ratelimit-remaining", remaining.to_string()),
        ("ratelimit-reset", reset.to_string()),
    ]
}

fn refuse(refusal: &Refusal) -> Outgoing {
    let body = refusal.document().to_string().into_bytes();
    outgoing(refusal.status, JSON, Vec::new(), body)
}

fn page_of_html(status: u16, headers: Vec<(&'static str, String)>) -> Outgoing {
    let body = format!(
        "<!DOCTYPE html>\n<html><head><title>{status}</title></head>\
         <body><center><h1>{status}</h1></center><hr><center>edge</center></body></html>\n"
    );
    outgoing(status, HTML, headers, body.into_bytes())
}

fn outgoing(
    status: u16,
    content_type: &str,
    mut headers: Vec<(&'static str, String)>,
    body: Vec<u8>,
) -> Outgoing {
    headers.push(("content-type", content_type.to_owned()));
    Outgoing {
        status,
        headers,
        body,
        delay: Duration::ZERO,
        delivery: Delivery::Whole,
    }
}

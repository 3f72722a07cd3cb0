//! The checks that a request goes through, in Klaviyo's order, and its answer.

use std::time::{Duration, SystemTime};

use super::outgoing::{Headers, Outgoing, Refused, quota_headers};
use super::{RoutedRequest, Service, key};
use crate::fault::{Effect, PageLinks, RetryAfter, corrupt};
use crate::instant;
use crate::quota::Exceeded;
use crate::read::ReadContext;
use crate::refusal::Refusal;
use crate::revision::{self, RevisionHeader};
use crate::state::{Account, State};

/// The longest wait in seconds that a `Retry-After` says: later dates cannot be written.
const MOST_SECONDS: u64 = 10 * 365 * 86_400;

impl Service {
    /// What the network in front of Klaviyo answers, before Klaviyo sees anything.
    pub(super) fn edge(
        &self,
        routed: &RoutedRequest<'_>,
        account: Option<&str>,
        effect: &Effect,
    ) -> Option<Outgoing> {
        match effect {
            Effect::Status(status, after) => {
                let after = after.as_ref();
                let headers =
                    after.map(|after| self.retry_after_header(routed, account, after, false));
                Some(Outgoing::page(*status, headers.unwrap_or_default()))
            }
            Effect::Challenge => {
                let headers = vec![("cf-mitigated", "challenge".to_owned())];
                Some(Outgoing::page(403, headers))
            }
            _ => None,
        }
    }

    /// Klaviyo's own answer.
    pub(super) fn serve(
        &self,
        routed: &RoutedRequest<'_>,
        effects: &[Effect],
    ) -> Result<Outgoing, Refused> {
        let mut state = self.state();
        let now = instant::micros_of(routed.now);
        if state.accounts.iter().any(|account| account.is_behind(now)) {
            drop(state);
            drop(self.state_mut());
            state = self.state();
        }
        let account = authorize(&state, routed)?;
        let revision = RevisionHeader {
            revision: routed.incoming.revision,
            opts_out: routed.incoming.opts_out,
        };
        revision::check(revision, routed.now.date(), self.switches.requires_revision)?;
        let headers = self.take(routed, account, effects)?;
        for effect in effects {
            match effect {
                Effect::ForgetCursor => return Err(Refused::with(Refusal::cursor(), headers)),
                Effect::Refuse(status) => {
                    return Err(Refused::with(Refusal::planned(*status), headers));
                }
                _ => {}
            }
        }
        for (effect, parameter) in [
            (Effect::RefuseFilter, "filter"),
            (Effect::RefuseSort, "sort"),
        ] {
            if effects.contains(&effect) {
                let detail = format!("The {parameter} is not available for this resource.");
                let refusal = Refusal::parameter(parameter, detail);
                return Err(Refused::with(refusal, headers));
            }
        }

        let path = routed.incoming.path;
        let path = path.strip_suffix('/').unwrap_or(path);
        let base = format!("http://{}", routed.incoming.host);
        let reading = ReadContext {
            account,
            route: &routed.route,
            path,
            parameters: &routed.parameters,
            base: &base,
            now,
            switches: &self.switches,
        };
        let mut body = match reading.answer() {
            Ok(body) => body,
            Err(refusal) => return Err(Refused::with(refusal, headers)),
        };
        let links = PageLinks {
            base: &base,
            path,
            parameters: &routed.parameters,
            now,
            page: routed.page,
        };
        for effect in effects {
            body = corrupt(body, effect, &links);
        }
        Ok(Outgoing::found(headers, body))
    }

    /// Takes the request out of the account's quota.
    pub(super) fn take(
        &self,
        routed: &RoutedRequest<'_>,
        account: &Account,
        effects: &[Effect],
    ) -> Result<Headers, Refused> {
        let planned = effects.iter().find_map(|effect| match effect {
            Effect::Throttle(after) => Some(after),
            _ => None,
        });
        if let Some(after) = planned {
            let seconds = match after {
                RetryAfter::Seconds(seconds) => Some(*seconds),
                _ => None,
            };
            let headers = self.retry_after_header(routed, Some(&account.id), after, true);
            return Err(Refused::with(Refusal::throttled(seconds), headers));
        }
        let now = instant::micros_of(routed.now);
        let taken = self
            .counters()
            .take(&account.id, routed.route.endpoint, &routed.costly, now);
        match taken {
            Ok(allowance) => Ok(quota_headers(allowance)),
            Err(Exceeded(seconds)) => Err(Refused::with(
                Refusal::throttled(Some(seconds)),
                vec![("retry-after", seconds.to_string())],
            )),
        }
    }

    /// A `Retry-After`, and a note of what it says.
    fn retry_after_header(
        &self,
        routed: &RoutedRequest<'_>,
        account: Option<&str>,
        after: &RetryAfter,
        refuses: bool,
    ) -> Headers {
        let seconds = match after {
            RetryAfter::Seconds(seconds) | RetryAfter::Date(seconds) => *seconds,
            RetryAfter::Text(text) => return vec![("retry-after", text.clone())],
            RetryAfter::Missing => return Headers::new(),
        };
        let mut until = routed.now + Duration::from_secs(seconds.min(MOST_SECONDS));
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
            let endpoint = routed.route.endpoint;
            self.counters()
                .note_retry_after(account, endpoint, &routed.costly, until, refuses);
        }
        vec![("retry-after", text)]
    }
}

/// The account that the request may read.
pub(super) fn authorize<'a>(
    state: &'a State,
    routed: &RoutedRequest<'_>,
) -> Result<&'a Account, Refusal> {
    if routed.incoming.authorization.is_none() {
        return Err(Refusal::no_credentials());
    }
    let known = key(routed.incoming).and_then(|secret| state.by_key(secret));
    let (account, key) = known.ok_or_else(Refusal::bad_credentials)?;
    let needed = routed.route.endpoint.scopes().iter().copied();
    let missing: Vec<_> = needed
        .filter(|&scope| !key.scopes.contains(scope))
        .collect();
    if missing.is_empty() {
        Ok(account)
    } else {
        Err(Refusal::scopes(&missing))
    }
}

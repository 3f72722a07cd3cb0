//! Which faults are still to come.

use super::{Effect, Fault, When};
use crate::endpoint::Route;
use crate::query::Parameters;

/// The planned faults, and how often each was met and caused.
#[derive(Default)]
pub(crate) struct FaultSchedule(Vec<Entry>);

struct Entry {
    fault: Fault,
    seen: u32,
    fired: u32,
}

impl FaultSchedule {
    pub(crate) fn add(&mut self, fault: Fault) {
        self.0.push(Entry {
            fault,
            seen: 0,
            fired: 0,
        });
    }

    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }

    /// The effects on this request, in the order in which the faults were planned.
    pub(crate) fn take(
        &mut self,
        route: &Route,
        account: Option<&str>,
        is_costly: bool,
        page: u32,
        parameters: &Parameters,
    ) -> Vec<Effect> {
        let hit = self.0.iter_mut().filter_map(|entry| {
            entry
                .is_hit(route, account, is_costly, page, parameters)
                .then(|| entry.fault.effect.clone())
        });
        hit.collect()
    }
}

impl Entry {
    fn is_hit(
        &mut self,
        route: &Route,
        account: Option<&str>,
        is_costly: bool,
        page: u32,
        parameters: &Parameters,
    ) -> bool {
        let fault = &self.fault;
        let is_there = fault
            .endpoint
            .is_none_or(|endpoint| endpoint == route.endpoint)
            && fault.id.as_ref().is_none_or(|id| *id == route.id)
            && fault
                .account
                .as_deref()
                .is_none_or(|id| account == Some(id))
            && (is_costly || !fault.is_of_costly);
        let is_possible = match fault.effect {
            // Only later pages are asked for with a cursor.
            Effect::ForgetCursor => page > 1,
            Effect::RefuseFilter => parameters.get("filter").is_some(),
            Effect::RefuseSort => parameters.get("sort").is_some(),
            _ => true,
        };
        if !is_there || !is_possible {
            return false;
        }
        self.seen = self.seen.saturating_add(1);
        let is_time = match fault.when {
            When::Always => true,
            When::Page(number) => page == number,
            When::Request(number) => self.seen >= number,
        };
        let is_left = fault.times.is_none_or(|times| self.fired < times);
        if is_time && is_left {
            self.fired = self.fired.saturating_add(1);
        }
        is_time && is_left
    }
}

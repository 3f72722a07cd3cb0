//! What the connections of a proxy are watched for.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::statement::Kind;

/// On which side of a statement something happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::faults) enum Side {
    /// Before: Postgres never gets it.
    Before,
    /// After: Postgres has executed it, and the sender never gets the answer.
    After,
}

/// A kind of statement that has passed.
#[derive(Debug, Clone)]
pub(in crate::faults) struct Seen {
    pub(in crate::faults) kind: Kind,
    pub(in crate::faults) times: u32,
}

/// What a connection does with a statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Action {
    /// Let it pass.
    Pass,
    /// Hold it, and report that.
    Hold,
    /// Let it pass, hold its answer, and report that.
    Silence {
        /// End the sender's connection then.
        cuts: bool,
    },
}

/// The statement that is waited for.
struct Target {
    side: Side,
    left: u32,
    cuts: bool,
    is_it: Box<dyn Fn(&Kind) -> bool + Send>,
}

#[derive(Default)]
struct State {
    seen: Vec<Seen>,
    wanted: Option<Target>,
    is_caught: bool,
    /// How often all connections have fallen silent.
    silences: u64,
}

#[derive(Default)]
pub(super) struct Watch {
    state: Mutex<State>,
    changed: Condvar,
}

impl Watch {
    pub(super) fn reset(&self) {
        self.state().seen.clear();
    }

    pub(super) fn seen(&self) -> Vec<Seen> {
        self.state().seen.clone()
    }

    /// Whether a statement that begins so has come within this time.
    pub(super) fn passed(&self, beginning: &str, longest: Duration) -> Option<()> {
        let begins_so = |seen: &Seen| seen.kind.text.starts_with(beginning);
        self.until(longest, |state| state.seen.iter().any(begins_so))
    }

    pub(super) fn wait_for(
        &self,
        side: Side,
        nth: u32,
        cuts: bool,
        is_it: Box<dyn Fn(&Kind) -> bool + Send>,
    ) {
        self.state().wanted = Some(Target {
            side,
            left: nth,
            cuts,
            is_it,
        });
    }

    /// Whether the statement has come within this time.
    pub(super) fn wait_until_held(&self, longest: Duration) -> Option<()> {
        self.until(longest, |state| state.is_caught)
    }

    fn until(&self, longest: Duration, is_so: impl Fn(&State) -> bool) -> Option<()> {
        let waits = |state: &mut State| !is_so(state);
        let waited = self
            .changed
            .wait_timeout_while(self.state(), longest, waits);
        let (state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        is_so(&state).then_some(())
    }

    /// From now on nothing goes through the connections that there are.
    pub(super) fn fall_silent(&self) {
        self.state().silences += 1;
    }

    /// How often all connections have fallen silent: one that began at another count is silent.
    pub(super) fn silences(&self) -> u64 {
        self.state().silences
    }

    /// A connection holds the statement or its answer.
    pub(super) fn hold(&self) {
        self.state().is_caught = true;
        self.changed.notify_all();
    }

    /// A statement has come.
    pub(super) fn on_statement(&self, kind: Kind) -> Action {
        let mut state = self.state();
        let order = state.action(&kind);
        match state.seen.iter_mut().find(|seen| seen.kind == kind) {
            Some(seen) => seen.times += 1,
            None => state.seen.push(Seen { kind, times: 1 }),
        }
        drop(state);
        self.changed.notify_all();
        order
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn action(&mut self, kind: &Kind) -> Action {
        let Some(wanted) = self.wanted.as_mut().filter(|wanted| (wanted.is_it)(kind)) else {
            return Action::Pass;
        };
        wanted.left -= 1;
        if wanted.left > 0 {
            return Action::Pass;
        }
        let order = match wanted.side {
            Side::Before => Action::Hold,
            Side::After => Action::Silence { cuts: wanted.cuts },
        };
        self.wanted = None;
        order
    }
}

//! What the wires of a proxy are watched for.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::statement::Kind;

/// On which side of a statement something happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::faults) enum Side {
    /// Postgres never hears of it.
    Before,
    /// Postgres has executed it, and nobody hears of that.
    After,
}

/// A kind of statement that has passed.
#[derive(Debug, Clone)]
pub(in crate::faults) struct Seen {
    pub(in crate::faults) kind: Kind,
    pub(in crate::faults) times: u32,
}

/// What a wire is to do about a statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    /// Let it pass.
    Pass,
    /// Keep it back, and say so.
    Hold,
    /// Let it pass, keep its answer back, and say so.
    Silence {
        /// End the sender's connection then.
        cuts: bool,
    },
}

/// The statement that is waited for.
struct Wanted {
    side: Side,
    left: u32,
    cuts: bool,
    is_it: Box<dyn Fn(&Kind) -> bool + Send>,
}

#[derive(Default)]
struct State {
    seen: Vec<Seen>,
    wanted: Option<Wanted>,
    is_caught: bool,
}

#[derive(Default)]
pub(super) struct Watch {
    state: Mutex<State>,
    changed: Condvar,
}

impl Watch {
    pub(super) fn begin_anew(&self) {
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
        self.state().wanted = Some(Wanted {
            side,
            left: nth,
            cuts,
            is_it,
        });
    }

    /// Whether the statement has come within this time.
    pub(super) fn caught(&self, longest: Duration) -> Option<()> {
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

    /// A wire has kept back what it was told to.
    pub(super) fn catch(&self) {
        self.state().is_caught = true;
        self.changed.notify_all();
    }

    /// A statement has come.
    pub(super) fn meet(&self, kind: Kind) -> Order {
        let mut state = self.state();
        let order = state.order(&kind);
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
    fn order(&mut self, kind: &Kind) -> Order {
        let Some(wanted) = self.wanted.as_mut().filter(|wanted| (wanted.is_it)(kind)) else {
            return Order::Pass;
        };
        wanted.left -= 1;
        if wanted.left > 0 {
            return Order::Pass;
        }
        let order = match wanted.side {
            Side::Before => Order::Hold,
            Side::After => Order::Silence { cuts: wanted.cuts },
        };
        self.wanted = None;
        order
    }
}

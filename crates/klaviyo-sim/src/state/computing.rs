//! How a segment fills after its definition was changed.

use std::collections::VecDeque;

use crate::profiles::ProfileId;

/// Who joins a segment one after the other. All times are microseconds since the epoch.
#[derive(Debug, Clone)]
pub(crate) struct Computing {
    waiting: VecDeque<ProfileId>,
    next_at: i64,
    /// How long after one the next one joins.
    every: i64,
    is_told: bool,
}

impl Computing {
    /// Lets these join from now on, so many in a minute. `is_told` says whether Klaviyo says meanwhile that it computes.
    pub(crate) fn new(who: Vec<ProfileId>, per_minute: u32, is_told: bool, now: i64) -> Self {
        let every = 60_000_000_i64
            .checked_div(i64::from(per_minute))
            .map_or(i64::MAX, |every| every.max(1));
        let is_any = per_minute > 0;
        Self {
            waiting: who.into_iter().filter(|_| is_any).collect(),
            next_at: now.saturating_add(every),
            every,
            is_told,
        }
    }

    /// The next one who has joined by now, and when that was.
    pub(super) fn next(&mut self, now: i64) -> Option<(i64, ProfileId)> {
        if !self.is_behind(now) {
            return None;
        }
        let at = self.next_at;
        self.next_at = at.saturating_add(self.every);
        Some((at, self.waiting.pop_front()?))
    }

    pub(super) fn is_behind(&self, now: i64) -> bool {
        self.next_at <= now && !self.is_over()
    }

    pub(super) fn is_over(&self) -> bool {
        self.waiting.is_empty()
    }

    pub(super) fn is_told(&self) -> bool {
        self.is_told && !self.is_over()
    }

    pub(super) fn waiting(&self) -> impl Iterator<Item = &ProfileId> {
        self.waiting.iter()
    }

    pub(super) fn remove(&mut self, id: &ProfileId) {
        self.waiting.retain(|waiting| waiting != id);
    }

    /// Puts one in place of another.
    pub(super) fn merge(&mut self, from: &ProfileId, into: &ProfileId) {
        if self.waiting.contains(into) {
            return self.remove(from);
        }
        for waiting in self.waiting.iter_mut().filter(|waiting| *waiting == from) {
            into.clone_into(waiting);
        }
    }
}

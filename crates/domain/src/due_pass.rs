//! Which kind of pass a scheduled run makes: a complete one, which alone removes members, or an incremental one.
//!
//! Half of what Klaviyo allows an account in a minute, at the endpoint of a kind of collection, goes round its continuous
//! audiences for complete passes. Each gets an equal share of that half, and what it does not need goes to the others: so
//! a small audience has a complete pass at every interval. Of an audience that needs more than its share, half of the share
//! pays for complete passes by turn, so that none has to wait for ever; the rest is for those that Klaviyo's count calls for.

use std::time::Duration;

use crate::ids::SourceId;
use crate::quota::Endpoint;
use crate::source::CollectionSource;
use crate::time::Timestamp;
use crate::watermarks::Watermarks;

/// How often complete passes are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FullPassLimits {
    /// The longest time between two complete passes of a continuous audience.
    pub longest: Duration,
    /// How many requests for members Klaviyo allows an account in a minute; complete passes take half of them.
    pub steady: u32,
}

impl Default for FullPassLimits {
    fn default() -> Self {
        Self {
            longest: Duration::from_hours(24),
            steady: Endpoint::ListProfiles.documented_limits().steady,
        }
    }
}

/// The kinds of pass that can be due.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum DuePass {
    /// One that reads the whole list.
    #[default]
    Full,
    /// One that reads what has changed since the pass before, from these watermarks on.
    Incremental(Watermarks),
}

/// A continuous audience of the account, as far as its complete passes cost requests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContinuousSource {
    /// The source of the audience.
    pub source: SourceId,
    /// The interval that is in force.
    pub interval: Duration,
    /// What the source remembers of its passes; `None` if a complete pass is due whatever it costs.
    pub watermarks: Option<Watermarks>,
}

impl ContinuousSource {
    fn pages(&self) -> u64 {
        self.watermarks.map_or(1, |marks| marks.pages())
    }

    /// What a complete pass at every interval costs, in thousandths of a page a minute.
    fn need(&self) -> u64 {
        thousandths_a_minute(self.pages(), self.interval)
    }
}

fn thousandths_a_minute(pages: u64, interval: Duration) -> u64 {
    let need = u128::from(pages) * 60_000 * 1_000 / interval.as_millis().max(1);
    u64::try_from(need).unwrap_or(u64::MAX).max(1)
}

/// How the complete passes of an account's continuous audiences of one kind of collection share the quota.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FullPasses {
    sources: Vec<ContinuousSource>,
    /// How many pages a minute they may read.
    pages_a_minute: u64,
    /// The longest time between two complete passes of one audience.
    longest: Duration,
}

impl FullPasses {
    /// Of these audiences, within these limits.
    pub fn new(sources: Vec<ContinuousSource>, limits: FullPassLimits) -> Self {
        Self {
            sources,
            pages_a_minute: u64::from(limits.steady / 2).max(1),
            longest: limits.longest,
        }
    }

    /// The pass that is due for a source whose list Klaviyo counts `count` profiles in, if it says so.
    pub fn due(&self, source: &CollectionSource, count: Option<u64>, now: Timestamp) -> DuePass {
        let Some(marks) = source.watermarks else {
            return DuePass::Full;
        };
        // A complete pass was held: users see that until one is not.
        let is_held = source.guard.is_holding;
        let is_called_for = marks.has_leavings(0, count) && self.has_room(&source.id, now);
        let (turn, interval) = self.turn_and_interval(&source.id);
        // The start of a run is a little sooner or later than its due time: the nearest one counts.
        let age = now.since(marks.full_pass_began_at);
        // The clock was set back since: joins until that time would be passed over.
        let is_ahead = marks.joined_until > now || marks.full_pass_began_at > now;
        let is_its_turn = turn <= interval || age.saturating_add(interval / 2) >= turn;
        if is_held || is_ahead || is_called_for || is_its_turn || age > self.longest {
            DuePass::Full
        } else {
            DuePass::Incremental(marks)
        }
    }

    /// How long somebody who left the list can stay a member: until the next complete pass by turn.
    pub fn removals_within(&self, source: &SourceId) -> Duration {
        let (turn, interval) = self.turn_and_interval(source);
        if turn <= interval {
            interval
        } else {
            turn.saturating_add(interval / 2)
        }
    }

    /// Whether a complete pass that Klaviyo's count calls for fits into what others have left of the half: either it can be
    /// read at once, or all that were begun before are paid for.
    pub fn has_room(&self, source: &SourceId, now: Timestamp) -> bool {
        let mut passes: Vec<(Timestamp, u64)> = self
            .sources
            .iter()
            .filter_map(|one| Some((one.watermarks?.full_pass_began_at, one.pages())))
            .collect();
        passes.sort_unstable();
        let mut debt = 0_u64;
        let mut at = Timestamp::EPOCH;
        for (began_at, pages) in passes.into_iter().chain([(now, 0)]) {
            debt = debt.saturating_sub(self.paid_within(began_at.since(at)));
            debt = debt.saturating_add(pages);
            at = began_at;
        }
        let pages = self.of(source).map_or(1, ContinuousSource::pages);
        debt == 0 || debt.saturating_add(pages) <= self.pages_a_minute
    }

    fn paid_within(&self, time: Duration) -> u64 {
        let paid = u128::from(self.pages_a_minute) * time.as_millis() / 60_000;
        u64::try_from(paid).unwrap_or(u64::MAX)
    }

    /// The time between two complete passes of a source by turn, and its interval. A source that is none of these has one
    /// at each time.
    fn turn_and_interval(&self, source: &SourceId) -> (Duration, Duration) {
        let Some(source) = self.of(source) else {
            return (Duration::ZERO, Duration::ZERO);
        };
        let share = self.share();
        let turn = if source.need() <= share {
            source.interval
        } else {
            let paid_for = source.pages().saturating_mul(2 * 60_000_000);
            Duration::from_millis(paid_for / share).max(source.interval)
        };
        let turn = turn.min(self.longest);
        (turn, source.interval)
    }

    fn of(&self, source: &SourceId) -> Option<&ContinuousSource> {
        self.sources.iter().find(|one| one.source == *source)
    }

    /// The most that one source gets, in thousandths of a page a minute.
    fn share(&self) -> u64 {
        let mut needs: Vec<u64> = self.sources.iter().map(ContinuousSource::need).collect();
        needs.sort_unstable();
        let mut left = self.pages_a_minute.saturating_mul(1_000);
        let mut sources = needs.len() as u64;
        for need in needs {
            let share = (left / sources).max(1);
            if need > share {
                return share;
            }
            left -= need;
            sources -= 1;
        }
        u64::MAX
    }
}

#[cfg(test)]
mod tests;

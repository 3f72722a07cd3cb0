//! The loop breaker: a field that both sides write again and again is left alone for a while.

use std::time::Duration;

use crate::time::Timestamp;

/// A side of the sync.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Side {
    /// Fanfare: a value of ours was written to Klaviyo.
    Fanfare,
    /// Klaviyo: a value of theirs was written to Fanfare.
    Klaviyo,
}

/// How often the writing side may change within [`TURNS_WITHIN`].
pub const MAX_TURNS: usize = 3;

/// The time in which the turns are counted.
pub const TURNS_WITHIN: Duration = Duration::from_mins(10);

/// How long the field of the person is left alone then.
pub const HELD_FOR: Duration = Duration::from_hours(1);

/// When the side that writes a field changed. A side that writes many times in a row has one turn.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Turns {
    /// The last turns, the earliest first.
    last: Vec<(Timestamp, Side)>,
    /// Until when the field is left alone.
    held_until: Option<Timestamp>,
}

impl Turns {
    /// Notes a write. Answers whether this is the write by which the field has become one that is left alone: an issue says so.
    pub fn note(&mut self, side: Side, now: Timestamp) -> bool {
        if self.last.last().is_some_and(|(_, last)| *last == side) {
            return false;
        }
        self.last.push((now, side));
        let excess = self.last.len().saturating_sub(MAX_TURNS + 2);
        self.last.drain(..excess);
        // The first write of all is no turn.
        let Some((since, _)) = self
            .last
            .len()
            .checked_sub(MAX_TURNS + 2)
            .map(|at| self.last[at])
        else {
            return false;
        };
        let is_loop = now.since(since) <= TURNS_WITHIN;
        if is_loop {
            self.held_until = Some(now.plus(HELD_FOR));
            self.last.clear();
        }
        is_loop
    }

    /// Whether the field is left alone now.
    pub fn is_held(&self, now: Timestamp) -> bool {
        // A clock that was set back holds it no longer than it would have been.
        self.held_until
            .is_some_and(|until| now < until && until.since(now) <= HELD_FOR)
    }

    /// Until when it is left alone.
    pub const fn held_until(&self) -> Option<Timestamp> {
        self.held_until
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_micros(second * 1_000_000).unwrap()
    }

    #[test]
    fn only_turns_in_quick_succession_hold_a_field_and_only_for_a_while() {
        let mut turns = Turns::default();
        for second in 0..20 {
            assert!(!turns.note(Side::Fanfare, at(second)), "one side writes");
        }
        let held = [30, 40, 50, 60].map(|second| {
            let side = if second % 20 == 10 {
                Side::Klaviyo
            } else {
                Side::Fanfare
            };
            turns.note(side, at(second))
        });
        assert_eq!(held, [false, false, false, true]);
        assert!(turns.is_held(at(61)) && !turns.is_held(at(60 + 3_600)));
        let mut slow = Turns::default();
        for minute in 0..30 {
            let side = if minute % 2 == 0 {
                Side::Klaviyo
            } else {
                Side::Fanfare
            };
            assert!(!slow.note(side, at(minute * 200)));
        }
    }
}

//! Whether each due time of a continuous audience has had one run, as somebody sees it who looks at its status and runs.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// What was seen of an audience.
pub(super) struct ScheduleWatch {
    interval: Duration,
    /// When somebody looked.
    looks: Vec<OffsetDateTime>,
    /// The due times that the status has told. It tells none while a run is active.
    told: BTreeSet<OffsetDateTime>,
    /// The runs of the schedule, by the time at which they were queued, and whether they are complete passes.
    runs: BTreeMap<OffsetDateTime, bool>,
}

impl ScheduleWatch {
    pub(super) const fn new(interval: Duration) -> Self {
        Self {
            interval,
            looks: Vec::new(),
            told: BTreeSet::new(),
            runs: BTreeMap::new(),
        }
    }

    /// How many runs the schedule has started.
    pub(super) fn runs(&self) -> usize {
        self.runs.len()
    }

    /// Notes a status, and the latest runs as they were after it.
    pub(super) fn look(&mut self, at: OffsetDateTime, status: &Value, runs: &Value) -> Result<()> {
        self.looks.push(at);
        if let Some(due) = status["nextSyncAt"].as_str() {
            self.told.insert(OffsetDateTime::parse(due, &Rfc3339)?);
        }
        for run in runs["data"].as_array().context("a page has runs")? {
            if run["trigger"] == "SCHEDULE" {
                let queued = run["queuedAt"].as_str().context("a run was queued")?;
                let queued = OffsetDateTime::parse(queued, &Rfc3339)?;
                self.runs.insert(queued, run["mode"] == "FULL");
            }
        }
        Ok(())
    }

    /// Fails if a due time that was told has had no run until now, or one has had two.
    pub(super) fn check(&self, now: OffsetDateTime) -> Result<()> {
        for due in self.told.range(..now) {
            let next = self.told.range(after(*due)..).next().copied();
            let run = self.runs.range(*due..).next().map(|(queued, _)| *queued);
            let has_run = run.is_some_and(|queued| next.is_none_or(|next| queued < next));
            ensure!(
                has_run || self.stood_still(*due, *due + self.interval * 2),
                "no run was started at {due}; the next due time was {next:?}, the next run {run:?}"
            );
        }
        let mut before: Option<(OffsetDateTime, bool)> = None;
        for (&queued, &is_full) in &self.runs {
            if let Some((earlier, was_full)) = before {
                // What an incremental pass has found may call for a complete one a second later.
                let is_called_for = is_full && !was_full;
                ensure!(
                    is_called_for
                        || self.is_due_between(earlier, queued)
                        || self.stood_still(earlier, queued),
                    "runs were started at {earlier} and {queued}, between which none was due"
                );
            }
            before = Some((queued, is_full));
        }
        Ok(())
    }

    /// Whether there is a due time after `from` and not after `to`: one that was told, or one in the rhythm of the last that
    /// was told before.
    fn is_due_between(&self, from: OffsetDateTime, to: OffsetDateTime) -> bool {
        if self.told.range(after(from)..=to).next().is_some() {
            return true;
        }
        let last = self.told.range(..=from).next_back();
        last.is_some_and(|last| {
            let mut due = *last;
            while due <= from {
                due += self.interval;
            }
            due <= to
        })
    }

    /// Whether nobody looked for an interval in this time: the whole machine stood still, and what happened was not seen.
    fn stood_still(&self, from: OffsetDateTime, to: OffsetDateTime) -> bool {
        self.looks
            .windows(2)
            .any(|pair| pair[1] - pair[0] > self.interval && pair[0] < to && pair[1] > from)
    }
}

fn after(time: OffsetDateTime) -> OffsetDateTime {
    time + Duration::from_nanos(1)
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use time::macros::datetime;

    use super::*;

    const BEGIN: OffsetDateTime = datetime!(2026-01-01 00:00 UTC);

    fn at(seconds: f64) -> OffsetDateTime {
        BEGIN + Duration::from_secs_f64(seconds)
    }

    fn text(seconds: f64) -> String {
        at(seconds).format(&Rfc3339).unwrap()
    }

    /// An interval of three seconds, looked at each second until ten; due times that are told, and runs.
    fn checked(told: &[f64], runs: &[(f64, &str)]) -> Result<()> {
        let mut watch = ScheduleWatch::new(Duration::from_secs(3));
        let runs: Vec<Value> = runs
            .iter()
            .map(|(queued, mode)| {
                json!({"trigger": "SCHEDULE", "queuedAt": text(*queued), "mode": mode})
            })
            .collect();
        for look in 0..10 {
            let due = told.iter().find(|due| **due >= f64::from(look));
            let status = json!({"nextSyncAt": due.map(|due| text(*due))});
            watch.look(at(look.into()), &status, &json!({"data": runs}))?;
        }
        watch.check(at(10.0))
    }

    #[test]
    fn each_due_time_has_a_run_however_late() {
        let full = "FULL";
        assert!(checked(&[2.0, 5.0, 8.0], &[(2.1, full), (5.0, full), (8.9, full)]).is_ok());
        assert!(checked(&[2.0, 8.0], &[(7.5, full), (8.1, full)]).is_ok());
    }

    #[test]
    fn a_due_time_without_a_run_was_lost() {
        let told = [2.0, 5.0, 8.0];
        assert!(checked(&told, &[(2.1, "FULL"), (8.1, "FULL")]).is_err());
        assert!(checked(&told, &[(2.1, "FULL"), (5.1, "FULL")]).is_err());
    }

    #[test]
    fn a_due_time_with_two_runs_was_run_twice() {
        let full = "FULL";
        let runs = [(2.1, full), (2.9, full), (5.0, full), (8.0, full)];
        assert!(checked(&[2.0, 5.0, 8.0], &runs).is_err());
        // Nobody saw the due time at five, but it is in the rhythm.
        assert!(checked(&[2.0, 8.0], &[(2.1, full), (5.1, full), (8.0, full)]).is_ok());
        // The first has found that somebody has left.
        let followed = [(2.1, "INCREMENTAL"), (3.3, full), (8.0, full)];
        assert!(checked(&[2.0, 8.0], &followed).is_ok());
    }
}

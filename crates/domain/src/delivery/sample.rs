//! Which events are looked for in Klaviyo after it has taken them, and when. Its answer says that an event is valid, and not that it
//! is recorded; what it does not show at last is told of, and not sent again by itself.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::ids::{DeliveryId, UniqueId};
use crate::time::Timestamp;
use crate::writing::{Event, MetricName};

/// How many events of a metric are looked for of those that are sent within a [`PERIOD`].
pub const SAMPLED: usize = 5;

/// After this time others of the metric are chosen.
pub const PERIOD: Duration = Duration::from_mins(10);

/// How long after it was sent an event is looked for, first and again while it does not show: Klaviyo may take minutes to show it.
const LOOKS: [Duration; 3] = [
    Duration::from_mins(1),
    Duration::from_mins(10),
    Duration::from_hours(1),
];

/// An event that is looked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sampled {
    /// The delivery that told of it.
    pub delivery: DeliveryId,
    /// Its metric.
    pub metric: MetricName,
    /// What Klaviyo knows it by.
    pub unique_id: UniqueId,
    /// When it happened.
    pub at: Timestamp,
}

impl Sampled {
    /// Of a delivery's event.
    pub fn of(delivery: &DeliveryId, event: &Event) -> Self {
        Self {
            delivery: delivery.clone(),
            metric: event.metric.clone(),
            unique_id: event.unique_id.clone(),
            at: event.at,
        }
    }
}

/// An event that is looked for, and when.
#[derive(Debug, Clone)]
struct Wanted {
    event: Sampled,
    sent_at: Timestamp,
    /// How often it was looked for.
    looks: usize,
    /// Whether it was found, or given up. It is kept for its period, in which no others are chosen.
    is_over: bool,
}

impl Wanted {
    fn due_at(&self) -> Option<Timestamp> {
        let wait = LOOKS.get(self.looks).filter(|_| !self.is_over)?;
        Some(self.sent_at.plus(*wait))
    }
}

/// The events of one organization that are looked for.
#[derive(Debug, Clone, Default)]
pub struct Sample(Vec<Wanted>);

impl Sample {
    /// Takes an event that was sent now, if it is one of those to be looked for.
    pub fn offer(&mut self, event: Sampled, now: Timestamp) {
        let is_recent = |wanted: &&Wanted| {
            wanted.event.metric == event.metric && now.since(wanted.sent_at) < PERIOD
        };
        if self.0.iter().filter(is_recent).count() < SAMPLED {
            self.0.push(Wanted {
                event,
                sent_at: now,
                looks: 0,
                is_over: false,
            });
        }
    }

    /// The events to be looked for now.
    pub fn due(&mut self, now: Timestamp) -> Vec<Sampled> {
        self.0
            .retain(|wanted| !wanted.is_over || now.since(wanted.sent_at) < PERIOD);
        let due = self.0.iter();
        let due = due.filter(|wanted| wanted.due_at().is_some_and(|at| at <= now));
        due.map(|wanted| wanted.event.clone()).collect()
    }

    /// Keeps that these were looked for, and which of them Klaviyo has shown. Returns those that it does not show at last.
    pub fn looked_for(&mut self, events: &[Sampled], shown: &BTreeSet<DeliveryId>) -> Vec<Sampled> {
        let mut missing = Vec::new();
        for wanted in &mut self.0 {
            if !events.contains(&wanted.event) {
                continue;
            }
            wanted.looks += 1;
            if shown.contains(&wanted.event.delivery) {
                wanted.is_over = true;
            } else if wanted.looks == LOOKS.len() {
                wanted.is_over = true;
                missing.push(wanted.event.clone());
            }
        }
        missing
    }

    /// Whether nothing is looked for, and nothing keeps others from being chosen.
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(number: usize, metric: &str) -> Sampled {
        Sampled {
            delivery: DeliveryId::parse(format!("dlv_{number}")).unwrap(),
            metric: MetricName::parse(metric).unwrap(),
            unique_id: UniqueId::parse(format!("whk_{number}")).unwrap(),
            at: Timestamp::EPOCH,
        }
    }

    fn minutes(number: u64) -> Timestamp {
        Timestamp::EPOCH.plus(Duration::from_mins(number))
    }

    #[test]
    fn a_few_events_of_each_metric_are_chosen_in_each_period() {
        let mut sample = Sample::default();
        for number in 0..100 {
            sample.offer(event(number, "Won"), minutes(0));
        }
        sample.offer(event(100, "Lost"), minutes(0));
        assert_eq!(sample.due(minutes(0)), []);
        assert_eq!(sample.due(minutes(1)).len(), SAMPLED + 1);
        sample.offer(event(101, "Won"), minutes(9));
        sample.offer(event(102, "Won"), minutes(10));
        assert_eq!(sample.due(minutes(11)).len(), SAMPLED + 2);
    }

    #[test]
    fn an_event_that_does_not_show_is_looked_for_three_times_and_then_told_of_once() {
        let mut sample = Sample::default();
        let (shown, missing) = (event(1, "Won"), event(2, "Won"));
        for one in [&shown, &missing] {
            sample.offer(one.clone(), minutes(0));
        }
        let found = BTreeSet::from([shown.delivery.clone()]);
        let due = sample.due(minutes(1));
        assert_eq!(due, [shown, missing.clone()]);
        assert_eq!(sample.looked_for(&due, &found), []);
        for at in [10, 60] {
            assert_eq!(sample.due(minutes(at - 1)), []);
            let due = sample.due(minutes(at));
            assert_eq!(due, std::slice::from_ref(&missing));
            let told = sample.looked_for(&due, &BTreeSet::new());
            assert_eq!(told.len(), usize::from(at == 60));
        }
        assert_eq!(sample.due(minutes(1_000)), []);
        assert!(sample.is_empty());
    }

    #[test]
    fn a_look_that_failed_is_made_again() {
        let mut sample = Sample::default();
        sample.offer(event(1, "Won"), minutes(0));
        assert_eq!(sample.due(minutes(1)).len(), 1);
        assert_eq!(sample.due(minutes(2)).len(), 1);
        assert!(!sample.is_empty());
    }
}

//! Which events become which metrics.

use std::collections::BTreeMap;

use super::event_type::EventType;
use crate::writing::MetricName;

/// What a merchant has chosen of events to Klaviyo. Nothing is sent until it is switched on.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EventSettings {
    /// Whether events are sent.
    pub enabled: bool,
    /// The metrics that were chosen; `None`: the type is not sent. A type that is not in it has its default.
    pub metrics: BTreeMap<EventType, Option<MetricName>>,
}

/// A change of it. What is `None` or not in it stays.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EventSettingsUpdate {
    /// Whether events are sent.
    pub enabled: Option<bool>,
    /// Metrics, by type; `None` turns the type off.
    pub metrics: BTreeMap<EventType, Option<MetricName>>,
}

impl EventSettings {
    /// The metric that a type becomes; `None` if it is not sent.
    pub fn metric_of(&self, event_type: EventType) -> Option<MetricName> {
        match self.metrics.get(&event_type) {
            Some(chosen) => chosen.clone(),
            None => MetricName::parse(event_type.default_metric()?).ok(),
        }
    }

    /// Every type that can be sent, with the metric that it becomes.
    pub fn in_force(&self) -> BTreeMap<EventType, Option<MetricName>> {
        EventType::forwardable()
            .map(|event_type| (event_type, self.metric_of(event_type)))
            .collect()
    }

    /// The same, changed.
    #[must_use]
    pub fn merged(mut self, update: EventSettingsUpdate) -> Self {
        self.enabled = update.enabled.unwrap_or(self.enabled);
        self.metrics.extend(update.metrics);
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> MetricName {
        MetricName::parse(text).unwrap()
    }

    #[test]
    fn what_is_not_chosen_has_its_default() {
        let settings = EventSettings::default();
        assert!(!settings.enabled);
        let in_force = settings.in_force();
        assert_eq!(
            in_force[&EventType::DrawWon],
            Some(name("Fanfare Draw Winner"))
        );
        assert_eq!(in_force[&EventType::QueueDenied], None);
        assert!(!in_force.contains_key(&EventType::DrawCompleted));
    }

    #[test]
    fn a_change_leaves_alone_what_it_does_not_name() {
        let update = |enabled, event_type, metric: Option<&str>| EventSettingsUpdate {
            enabled,
            metrics: BTreeMap::from([(event_type, metric.map(name))]),
        };
        let settings = EventSettings::default()
            .merged(update(Some(true), EventType::DrawWon, Some("Won")))
            .merged(update(None, EventType::DrawLost, None));
        assert!(settings.enabled);
        assert_eq!(settings.metric_of(EventType::DrawWon), Some(name("Won")));
        assert_eq!(settings.metric_of(EventType::DrawLost), None);
        let entered = settings.metric_of(EventType::DrawEntered);
        assert_eq!(entered, Some(name("Fanfare Draw Entered")));
    }
}

//! What is sent of events.

use std::collections::BTreeMap;

use deserr::{Deserr, IntoValue, Map, MergeWithError, Value, ValuePointerRef};
use fanfare_domain::events::{EventSettings, EventSettingsUpdate, EventType};
use fanfare_domain::writing::MetricName;
use serde::Serialize;
use utoipa::ToSchema;

use crate::decode::{DecodeError, InSecret, Place, parse_text, refuse};

/// What is sent of events to Klaviyo.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Events {
    /// Whether events are sent.
    enabled: bool,
    /// The Klaviyo metric of each type of Fanfare's events; null: the type is not sent.
    #[schema(value_type = BTreeMap<String, Option<String>>)]
    metrics: BTreeMap<&'static str, Option<String>>,
}

impl From<EventSettings> for Events {
    fn from(settings: EventSettings) -> Self {
        let in_force = settings.in_force().into_iter();
        let metrics = in_force.map(|(event_type, metric)| {
            let metric = metric.map(|metric| metric.to_string());
            (event_type.as_str(), metric)
        });
        Self {
            enabled: settings.enabled,
            metrics: metrics.collect(),
        }
    }
}

/// What to change of it. What is left out stays.
#[derive(Deserr, ToSchema)]
#[deserr(error = DecodeError<InSecret>, deny_unknown_fields)]
#[schema(as = EventsUpdate)]
pub(crate) struct EventsBody {
    /// Whether events are sent.
    #[deserr(default)]
    #[schema(required = false, nullable = false, value_type = bool)]
    enabled: Option<bool>,
    /// Metrics by type of event; null: the type is not sent. Types that are left out stay as they are.
    #[deserr(default)]
    #[schema(required = false, value_type = BTreeMap<String, Option<String>>)]
    metrics: Metrics,
}

/// Metrics by type.
#[derive(Default)]
struct Metrics(BTreeMap<EventType, Option<MetricName>>);

impl<P: Place> Deserr<DecodeError<P>> for Metrics {
    fn deserialize_from_value<V: IntoValue>(
        value: Value<V>,
        location: ValuePointerRef<'_>,
    ) -> Result<Self, DecodeError<P>> {
        let Value::Map(members) = value else {
            let message = "must be an object of types of events and names of metrics";
            return Err(refuse(&value, location, "Object", message));
        };
        let (mut metrics, mut faults) = (BTreeMap::new(), None::<DecodeError<P>>);
        for (name, value) in members.into_iter() {
            let (at, value) = (location.push_key(&name), value.into_value());
            match metric::<_, P>(&name, value, at) {
                Ok((event_type, metric)) => {
                    metrics.insert(event_type, metric);
                }
                Err(fault) => {
                    let merged = DecodeError::merge(faults.take(), fault, location);
                    faults = Some(match merged {
                        std::ops::ControlFlow::Continue(all)
                        | std::ops::ControlFlow::Break(all) => all,
                    });
                }
            }
        }
        faults.map_or(Ok(Self(metrics)), Err)
    }
}

fn metric<V: IntoValue, P: Place>(
    name: &str,
    value: Value<V>,
    at: ValuePointerRef<'_>,
) -> Result<(EventType, Option<MetricName>), DecodeError<P>> {
    let event_type = EventType::of_name(name).filter(|of| of.is_of_a_consumer());
    let Some(event_type) = event_type else {
        let message = "is no type of event that can be sent; GET /api/settings shows them all";
        return Err(refuse(&value, at, "a type of event", message));
    };
    if matches!(value, Value::Null) {
        return Ok((event_type, None));
    }
    let metric = parse_text(value, at, "length", ">=1 & <=127", MetricName::parse)?;
    Ok((event_type, Some(metric)))
}

impl From<EventsBody> for EventSettingsUpdate {
    fn from(body: EventsBody) -> Self {
        Self {
            enabled: body.enabled,
            metrics: body.metrics.0,
        }
    }
}

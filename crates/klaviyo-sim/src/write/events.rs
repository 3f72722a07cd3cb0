//! `POST /api/events` and `POST /api/event-bulk-create-jobs`.

use std::collections::HashSet;

use serde_json::Value;

use super::{Answer, WriteContext, is_anybody, named, text};
use crate::instant;
use crate::refusal::Refusal;
use crate::state::{Named, NewEvent, Pending};

const MOST_EVENTS: usize = 1_000;
const MOST_PROPERTIES: usize = 400;
/// 1990-01-01.
const EARLIEST: i64 = 631_152_000;
const YEAR: i64 = 366 * 86_400;

impl WriteContext<'_> {
    pub(super) fn create_event(&mut self) -> Result<Answer, Refusal> {
        let attributes = &self.body["data"]["attributes"];
        let who = named(&attributes["profile"]["data"]);
        let event = self.event(attributes, who, false, "/data/attributes")?;
        let delay = self.delays().events;
        self.later(delay, Pending::Event(Box::new(event)));
        Ok(Answer::Empty(202))
    }

    pub(super) fn create_events(&mut self) -> Result<Answer, Refusal> {
        let root = "/data/attributes/events-bulk-create/data";
        let groups = self.body.pointer(root).and_then(Value::as_array);
        let groups = groups.ok_or_else(|| Refusal::body(root, "This field is required."))?;
        let (mut events, mut seen) = (Vec::new(), HashSet::new());
        for (place, group) in groups.iter().enumerate() {
            let attributes = &group["attributes"];
            let backfill = attributes["backfill"] == true;
            let who = named(&attributes["profile"]["data"]);
            let of_group = attributes["events"]["data"].as_array();
            for (number, event) in of_group.into_iter().flatten().enumerate() {
                let at = format!("{root}/{place}/attributes/events/data/{number}/attributes");
                let event = self.event(&event["attributes"], who.clone(), backfill, &at)?;
                let key = (
                    format!("{:?}", event.who),
                    event.metric.clone(),
                    event.unique_id.clone(),
                );
                if event.unique_id.is_some() && !seen.insert(key) {
                    let detail = "The unique_id is repeated for this profile and metric.";
                    return Err(Refusal::body(format!("{at}/unique_id"), detail));
                }
                events.push(event);
            }
        }
        if events.is_empty() || events.len() > MOST_EVENTS {
            return Err(Refusal::body(
                root,
                "Between 1 and 1000 events are allowed.",
            ));
        }
        for event in events {
            let delay = self.delays().events;
            self.later(delay, Pending::Event(Box::new(event)));
        }
        Ok(Answer::Empty(202))
    }

    fn event(
        &self,
        attributes: &Value,
        who: Named,
        backfill: bool,
        pointer: &str,
    ) -> Result<NewEvent, Refusal> {
        let refuse =
            |name: &str, detail: &str| Err(Refusal::body(format!("{pointer}/{name}"), detail));
        if !is_anybody(&who) {
            return refuse("profile", "At least one identifier is required.");
        }
        let Some(metric) = text(&attributes["metric"]["data"]["attributes"], "name") else {
            return refuse("metric", "This field is required.");
        };
        if metric.chars().count() >= 128 {
            return refuse("metric", "The name must have fewer than 128 characters.");
        }
        let Some(properties) = attributes["properties"].as_object() else {
            return refuse("properties", "This field must be an object.");
        };
        if properties.len() > MOST_PROPERTIES {
            return refuse("properties", "At most 400 properties are allowed.");
        }
        let now = self.now.div_euclid(1_000_000);
        let at = match &attributes["time"] {
            Value::Null => now,
            Value::String(text) => match instant::micros(text) {
                Some(at) => at.div_euclid(1_000_000),
                None => return refuse("time", "This is no time."),
            },
            _ => return refuse("time", "This is no time."),
        };
        if at < EARLIEST || at > now + YEAR {
            return refuse("time", "The time is out of range.");
        }
        let mut properties = properties.clone();
        for (name, kept) in [("value", "$value"), ("value_currency", "$value_currency")] {
            if !attributes[name].is_null() {
                properties.insert(kept.to_owned(), attributes[name].clone());
            }
        }
        if !attributes["value"].is_null() && !attributes["value"].is_number() {
            return refuse("value", "This field must be a number.");
        }
        Ok(NewEvent {
            who,
            metric,
            unique_id: text(attributes, "unique_id"),
            at,
            properties,
            backfill: backfill || attributes["backfill"] == true,
        })
    }
}

//! `POST /api/events` and `POST /api/event-bulk-create-jobs`: events; `GET /api/events`: which of them have arrived.

use std::collections::HashSet;

use fanfare_domain::ids::{Cursor, MetricId, ProfileId, UniqueId};
use fanfare_domain::klaviyo::KlaviyoError;
use fanfare_domain::time::Timestamp;
use fanfare_domain::writing::{
    Event, MAX_EVENTS, PersonIds, PersonalText, RecordedEvents, WriteError,
};
use reqwest::{Method, StatusCode};
use serde::Serialize;
use serde_json::value::RawValue;

use super::request::{Data, New, WriteRequest, bytes, raw, refused_row};
use super::{MAX_BATCH_BYTES, rows_that_fit};
use crate::document::{Many, parse};
use crate::lenient::{Object, Raw, object, value};
use crate::origin::Origin;
use crate::request::Request;

const ACCEPTED: &[StatusCode] = &[StatusCode::ACCEPTED];

/// The most properties of an event, by the specification.
const MAX_PROPERTIES: usize = 400;

/// More than the parts of a bulk body take that stand around its rows.
const AROUND: usize = 200;

#[derive(Serialize)]
struct Attributes<'a> {
    properties: Option<&'a RawValue>,
    time: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    value_currency: Option<String>,
    unique_id: &'a str,
    backfill: bool,
    metric: Data<New<Metric<'a>>>,
    /// Absent in a bulk body, where the person stands beside the event.
    #[serde(skip_serializing_if = "Option::is_none")]
    profile: Option<Data<Person<'a>>>,
}

#[derive(Serialize)]
struct Metric<'a> {
    name: &'a str,
}

#[derive(Serialize)]
struct Person<'a> {
    #[serde(rename = "type")]
    of: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<&'a str>,
    attributes: Identifiers<'a>,
}

#[derive(Serialize)]
struct Identifiers<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    phone_number: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    external_id: Option<&'a str>,
}

#[derive(Serialize)]
struct Job<'a> {
    #[serde(rename = "events-bulk-create")]
    groups: Data<Vec<New<Group<'a>>>>,
}

/// One person with one event: so a row that a refusal names is an event.
#[derive(Serialize)]
struct Group<'a> {
    profile: Data<Person<'a>>,
    events: Data<[New<Attributes<'a>>; 1]>,
}

fn person(ids: &PersonIds) -> Person<'_> {
    Person {
        of: "profile",
        id: ids.profile.as_ref().map(ProfileId::as_str),
        attributes: Identifiers {
            email: ids.email.as_ref().map(PersonalText::as_str),
            phone_number: ids.phone.as_ref().map(PersonalText::as_str),
            external_id: ids.external_id.as_ref().map(PersonalText::as_str),
        },
    }
}

fn attributes<'a>(event: &'a Event, profile: Option<Data<Person<'a>>>) -> New<Attributes<'a>> {
    let value = event.value.as_ref();
    New {
        of: "event",
        attributes: Attributes {
            properties: raw(event.properties.as_str()),
            time: event.at.to_whole_seconds(),
            value: value.and_then(|value| raw(value.amount())),
            value_currency: value.map(|value| value.currency().as_str().to_owned()),
            unique_id: event.unique_id.as_str(),
            backfill: event.backfill,
            metric: Data {
                data: New {
                    of: "metric",
                    attributes: Metric {
                        name: event.metric.as_str(),
                    },
                },
            },
            profile,
        },
    }
}

fn group(event: &Event) -> New<Group<'_>> {
    New {
        of: "event-bulk-create",
        attributes: Group {
            profile: Data {
                data: person(&event.person),
            },
            events: Data {
                data: [attributes(event, None)],
            },
        },
    }
}

/// Refuses what Klaviyo is known to refuse, before it is sent.
fn check(event: &Event, row: Option<usize>) -> Result<(), WriteError> {
    if event.person.is_empty() {
        return Err(refused_row(row, Some("profile"), "no_identifier"));
    }
    if event.properties.members() > MAX_PROPERTIES {
        return Err(refused_row(row, Some("properties"), "too_many_properties"));
    }
    Ok(())
}

/// Creates one event.
pub(super) fn create(origin: &Origin, event: &Event) -> Result<WriteRequest, WriteError> {
    check(event, None)?;
    let profile = Data {
        data: person(&event.person),
    };
    let body = Data {
        data: attributes(event, Some(profile)),
    };
    let request = WriteRequest::new(Method::POST, origin, ["events"], &body, ACCEPTED)?;
    if request.body.len() > MAX_BATCH_BYTES {
        return Err(refused_row(None, None, "too_large"));
    }
    Ok(request)
}

/// How many events fit into one request.
pub(super) fn that_fit(events: &[Event]) -> usize {
    rows_that_fit(events, MAX_EVENTS, AROUND, |event| bytes(&group(event)))
}

/// Creates events. Also returns which event each of its rows is: repeated ones are left out, because Klaviyo refuses
/// a request with two events of one profile, metric and unique id.
pub(super) fn create_many(
    origin: &Origin,
    events: &[Event],
) -> Result<(WriteRequest, Vec<usize>), WriteError> {
    let mut seen = HashSet::new();
    let mut places = Vec::new();
    for (place, event) in events.iter().enumerate() {
        check(event, Some(place))?;
        if seen.insert((&event.person, &event.metric, &event.unique_id)) {
            places.push(place);
        }
    }
    let body = Data {
        data: New {
            of: "event-bulk-create-job",
            attributes: Job {
                groups: Data {
                    data: places.iter().map(|place| group(&events[*place])).collect(),
                },
            },
        },
    };
    let path = ["event-bulk-create-jobs"];
    let request = WriteRequest::new(Method::POST, origin, path, &body, ACCEPTED)?;
    if request.body.len() > MAX_BATCH_BYTES || places.len() > MAX_EVENTS {
        let row = (events.len() == 1).then_some(0);
        return Err(refused_row(row, None, "too_large"));
    }
    Ok((request, places))
}

/// How many events are read at once. They come with all their properties, so a page may be large.
const PAGE_SIZE: &str = "200";

/// Requests the events of a metric, the earliest first.
pub(super) fn recorded_request(
    origin: &Origin,
    metric: &MetricId,
    since: Timestamp,
    cursor: Option<&Cursor>,
) -> Result<Request, KlaviyoError> {
    if metric.as_str().contains(['"', '\\']) {
        return Err(KlaviyoError::NotFound);
    }
    let filter = format!(
        "equals(metric_id,\"{metric}\"),greater-or-equal(datetime,{})",
        since.to_whole_seconds()
    );
    let parameters = [
        ("fields[event]", "event_properties"),
        ("filter", &filter),
        ("sort", "datetime"),
        ("page[size]", PAGE_SIZE),
    ];
    Ok(Request::get(origin, ["events"], &parameters, cursor))
}

object! {
    struct Recorded<'a> {
        attributes: Object<RecordedAttributes<'a>>,
    }
}

object! {
    struct RecordedAttributes<'a> {
        event_properties: Raw<'a>,
    }
}

/// Klaviyo's name of an event's `unique_id` when it is read.
const EVENT_ID: &str = "$event_id";

/// Reads a page of events.
pub(super) fn read_recorded(text: &str, origin: &Origin) -> Result<RecordedEvents, KlaviyoError> {
    let document: Many<'_, Object<Recorded<'_>>> = parse(text)?;
    let next = document.next(origin)?;
    let unique_ids = document.data()?.iter().filter_map(|event| {
        let properties = event.0.attributes.0.event_properties;
        let mut properties: std::collections::BTreeMap<String, &RawValue> = value(properties)?;
        let id: String = value(properties.remove(EVENT_ID))?;
        UniqueId::parse(id).ok()
    });
    Ok(RecordedEvents {
        unique_ids: unique_ids.collect(),
        next,
    })
}

//! What was written: events, metrics, flows, import jobs.

use serde_json::{Value, json as value};

use super::{ReadContext, json};
use crate::instant;
use crate::kind::Kind;
use crate::plan::FlowTrigger;
use crate::query::{
    CursorPosition, Fields, Filterable, Operator, SortKey, Tested, ValueKind, is_met,
};
use crate::refusal::Refusal;
use crate::state::{Job, Metric, Recorded};
use crate::wire::{self, Many, One, ProfileResource};

const EVENT_FIELDS: [&str; 4] = ["timestamp", "event_properties", "datetime", "uuid"];
const RANGE: &[Operator] = &[
    Operator::GreaterThan,
    Operator::GreaterOrEqual,
    Operator::LessThan,
    Operator::LessOrEqual,
];
const FILTERABLE: [Filterable; 3] = [
    Filterable {
        name: "metric_id",
        operators: &[Operator::Equals],
        kind: ValueKind::Text,
    },
    Filterable {
        name: "profile_id",
        operators: &[Operator::Equals],
        kind: ValueKind::Text,
    },
    Filterable {
        name: "datetime",
        operators: RANGE,
        kind: ValueKind::Time,
    },
];

impl ReadContext<'_> {
    /// A page of events.
    pub(super) fn events(&self) -> Result<Vec<u8>, Refusal> {
        let known = |name: &str| EVENT_FIELDS.contains(&name) || name == "id";
        let fields = Fields::read(self.parameters, "event", known)?;
        let conditions = self.conditions(&FILTERABLE)?;
        let sort = self.parameters.sort(&["datetime", "timestamp"])?;
        let writes = &self.account.writes;
        let metric_id = |name: &str| {
            let found = writes.metrics.iter().find(|metric| metric.name == name);
            found.map_or("", |metric| metric.id.as_str())
        };
        let met = writes.events.iter().filter(|event| {
            conditions.iter().all(|condition| {
                let tested = match condition.field {
                    "metric_id" => Tested::Text(metric_id(&event.metric)),
                    "profile_id" => Tested::Text(&event.profile),
                    _ => Tested::Time(instant::of_seconds(event.at)),
                };
                is_met(condition, [tested])
            })
        });
        let is_descending = sort.is_none_or(|(_, is_descending)| is_descending);
        self.page(
            met.map(|event| (event.at, event.id.as_str(), event)),
            is_descending,
            |event| shown_event(event, metric_id(&event.metric), &fields, self.base),
        )
    }

    /// A page of metrics.
    pub(super) fn metrics(&self) -> Result<Vec<u8>, Refusal> {
        let known =
            |name: &str| ["id", "name", "created", "updated", "integration"].contains(&name);
        let fields = Fields::read(self.parameters, "metric", known)?;
        let metrics = self.account.writes.metrics.iter();
        self.page(
            metrics.map(|metric| (metric.created, metric.id.as_str(), metric)),
            false,
            |metric| shown_metric(metric, &fields, self.base),
        )
    }

    /// The flows that something starts.
    pub(super) fn flows_of(&self, kind: Kind) -> Result<Vec<u8>, Refusal> {
        let id = &self.route.id;
        if self.account.collection(kind, id).is_none() {
            return Err(Refusal::no_collection(kind.noun(), id));
        }
        self.flows(&match kind {
            Kind::List => FlowTrigger::List(id.clone()),
            Kind::Segment => FlowTrigger::Segment(id.clone()),
        })
    }

    /// The flows that a metric starts.
    pub(super) fn metric_flows(&self) -> Result<Vec<u8>, Refusal> {
        let metrics = &self.account.writes.metrics;
        let found = metrics.iter().find(|metric| metric.id == self.route.id);
        let found = found.ok_or_else(|| Refusal::no_resource("metric", &self.route.id))?;
        self.flows(&FlowTrigger::Metric(found.name.clone()))
    }

    fn flows(&self, of: &FlowTrigger) -> Result<Vec<u8>, Refusal> {
        let known = [
            "id",
            "name",
            "status",
            "archived",
            "created",
            "updated",
            "trigger_type",
        ];
        let fields = Fields::read(self.parameters, "flow", |name| known.contains(&name))?;
        let flows = self.account.writes.flows.iter();
        let data = flows.filter(|flow| flow.trigger == *of).map(|flow| {
            let all = [
                ("name", value!(flow.name)),
                ("status", value!(flow.status)),
                ("archived", value!(flow.is_archived)),
                ("trigger_type", value!(flow.trigger.of_klaviyo())),
            ];
            let link = format!("{}/api/flows/{}/", self.base, flow.id);
            resource("flow", &flow.id, &all, &fields, &link)
        });
        let data: Vec<Value> = data.collect();
        json(&value!({"data": data, "links": {"self": self.own_link()}}))
    }

    fn job(&self) -> Result<&Job, Refusal> {
        let found = self.account.writes.jobs.get(&self.route.id);
        // Errors and states are kept for a week.
        let week = 7 * 86_400;
        let now = self.now.div_euclid(1_000_000);
        let found = found.filter(|job| now < job.created + week);
        found.ok_or_else(|| Refusal::no_resource("profile-bulk-import-job", &self.route.id))
    }

    /// An import job.
    pub(super) fn import_job(&self) -> Result<Vec<u8>, Refusal> {
        let fields = Fields::read(self.parameters, "profile-bulk-import-job", |_| true)?;
        let data = wire::import_job(&self.route.id, self.job()?, &fields, self.base);
        json(&One {
            data,
            included: None,
        })
    }

    /// A page of the rows that were refused.
    pub(super) fn import_errors(&self) -> Result<Vec<u8>, Refusal> {
        let fields = Fields::read(self.parameters, "import-error", |_| true)?;
        let errors = (0_i64..).zip(&self.job()?.errors);
        let errors: Vec<(i64, String, &(String, String, Value))> = errors
            .map(|(place, error)| (place, format!("{place:08}"), error))
            .collect();
        self.page(
            errors
                .iter()
                .map(|error| (error.0, error.1.as_str(), error)),
            false,
            |(_, id, (detail, pointer, row))| {
                let all = [
                    ("code", value!("invalid")),
                    ("title", value!("Invalid input")),
                    ("detail", value!(detail)),
                    ("source", value!({ "pointer": pointer })),
                    // Whether the row comes back as a resource or as its attributes is not known.
                    ("original_payload", row["attributes"].clone()),
                ];
                let link = format!("{}{}/{id}/", self.base, self.path);
                resource("import-error", id, &all, &fields, &link)
            },
        )
    }

    /// A page of the profiles that a job has written.
    pub(super) fn imported_profiles(&self) -> Result<Vec<u8>, Refusal> {
        let view = self.profile_view(false)?;
        let profiles = self.job()?.profiles.iter();
        self.page(profiles.map(|id| (0, id.as_str(), id)), false, |id| {
            let profile = self.account.profiles.find(id);
            let profile = profile.and_then(|id| self.account.profiles.get(&id));
            value!(ProfileResource {
                profile: profile.unwrap_or_default(),
                joined: None,
                view: &view,
                base: self.base,
            })
        })
    }

    /// A page of things by a number and their ids.
    fn page<'a, T: 'a>(
        &self,
        things: impl Iterator<Item = (i64, &'a str, &'a T)>,
        is_descending: bool,
        show: impl Fn(&'a T) -> Value,
    ) -> Result<Vec<u8>, Refusal> {
        let page_query = self.page_query(is_descending)?;
        let mut sorted: Vec<(i64, &str, &T)> = things.collect();
        sorted.sort_by(|a, b| (a.0, a.1).cmp(&(b.0, b.1)));
        let locate = |position: &CursorPosition| {
            let SortKey::Time(number) = position.key else {
                return (0, 0);
            };
            let wanted = (number, position.id.as_str());
            let before = sorted.partition_point(|(number, id, _)| (*number, *id) < wanted);
            let with = sorted.partition_point(|(number, id, _)| (*number, *id) <= wanted);
            (before, with)
        };
        let page = page_query.take_sorted(&sorted, locate, |_| true);
        let links = self.links(&page, |(number, id, _)| CursorPosition {
            key: SortKey::Time(*number),
            id: (*id).to_owned(),
        });
        json(&Many {
            data: page
                .items
                .into_iter()
                .map(|(_, _, thing)| show(thing))
                .collect(),
            included: self.parameters.get("include").map(|_| Vec::new()),
            links,
        })
    }
}

fn resource(kind: &str, id: &str, all: &[(&str, Value)], fields: &Fields, link: &str) -> Value {
    let shown = all.iter().filter_map(|(name, value)| {
        let part = fields.prune(name, || value.clone())?;
        Some(((*name).to_owned(), part))
    });
    let attributes: serde_json::Map<String, Value> = shown.collect();
    value!({"type": kind, "id": id, "attributes": attributes, "links": {"self": link}})
}

fn shown_event(event: &Recorded, metric: &str, fields: &Fields, base: &str) -> Value {
    let all = [
        ("timestamp", value!(event.at)),
        ("event_properties", Value::Object(event.properties.clone())),
        ("datetime", value!(instant::show(event.at))),
        ("uuid", value!(event.id)),
    ];
    let link = format!("{base}/api/events/{}/", event.id);
    let mut shown = resource("event", &event.id, &all, fields, &link);
    shown["relationships"] = value!({
        "profile": {"data": {"type": "profile", "id": event.profile}},
        "metric": {"data": {"type": "metric", "id": metric}},
    });
    shown
}

fn shown_metric(metric: &Metric, fields: &Fields, base: &str) -> Value {
    let all = [
        ("name", value!(metric.name)),
        ("created", value!(instant::show(metric.created))),
        ("updated", value!(instant::show(metric.created))),
        (
            "integration",
            value!({"object": "integration", "name": "API", "category": "API"}),
        ),
    ];
    let link = format!("{base}/api/metrics/{}/", metric.id);
    resource("metric", &metric.id, &all, fields, &link)
}

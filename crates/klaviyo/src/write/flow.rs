//! `GET …/{id}/flow-triggers`: the flows that something starts; `GET /api/metrics`.

use fanfare_domain::ids::{Cursor, MetricId};
use fanfare_domain::klaviyo::KlaviyoError;
use fanfare_domain::writing::{Flow, FlowStatus, FlowsOf, Metric, MetricPage};

use crate::document::{Many, Single, broken_id, parse};
use crate::lenient::{Object, Raw, object, value};
use crate::origin::Origin;
use crate::request::Request;

/// Requests the flows of a list, a segment or a metric.
pub(super) fn request(origin: &Origin, of: &FlowsOf) -> Result<Request, KlaviyoError> {
    let (path, id) = match of {
        FlowsOf::List(id) => ("lists", id.as_str()),
        FlowsOf::Segment(id) => ("segments", id.as_str()),
        FlowsOf::Metric(id) => ("metrics", id.as_str()),
    };
    if matches!(id, "." | "..") {
        return Err(KlaviyoError::NotFound);
    }
    let parameters = [("fields[flow]", "name,status,archived,trigger_type")];
    let path = [path, id, "flow-triggers"];
    Ok(Request::get(origin, path, &parameters, None))
}

object! {
    struct Resource<'a> {
        id: Raw<'a>,
        attributes: Object<Attributes<'a>>,
    }
}

object! {
    struct Attributes<'a> {
        name: Raw<'a>,
        status: Raw<'a>,
        archived: Raw<'a>,
        trigger_type: Raw<'a>,
    }
}

/// Reads flows. One that cannot be read makes the answer invalid: it may be the one that mails.
pub(super) fn read(text: &str) -> Result<Vec<Flow>, KlaviyoError> {
    let flows: Vec<Object<Resource<'_>>> = parse::<Single<'_>>(text)?.data()?;
    let flows = flows.iter().map(|Object(flow)| {
        let attributes = &flow.attributes.0;
        let status: Option<String> = value(attributes.status);
        Ok(Flow {
            id: value(flow.id).ok_or_else(|| broken_id("flow"))?,
            name: value(attributes.name),
            status: FlowStatus::of(status.as_deref().unwrap_or("unknown")),
            archived: value(attributes.archived).unwrap_or(false),
            trigger_type: value(attributes.trigger_type),
        })
    });
    flows.collect()
}

/// Requests a page of metrics.
pub(super) fn metrics_request(origin: &Origin, cursor: Option<&Cursor>) -> Request {
    Request::get(origin, ["metrics"], &[("fields[metric]", "name")], cursor)
}

object! {
    struct MetricResource<'a> {
        id: Raw<'a>,
        attributes: Object<MetricAttributes<'a>>,
    }
}

object! {
    struct MetricAttributes<'a> {
        name: Raw<'a>,
    }
}

/// Reads a page of metrics.
pub(super) fn read_metrics(text: &str, origin: &Origin) -> Result<MetricPage, KlaviyoError> {
    let document: Many<'_, Object<MetricResource<'_>>> = parse(text)?;
    let next = document.next(origin)?;
    let items = document.data()?.iter().filter_map(|Object(metric)| {
        Some(Metric {
            id: MetricId::parse(value::<String>(metric.id)?).ok()?,
            name: value(metric.attributes.0.name),
        })
    });
    Ok(MetricPage {
        items: items.collect(),
        next,
    })
}

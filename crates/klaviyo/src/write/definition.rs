//! `GET /api/segments/{id}` with its definition: which lists and segments it is computed from.

use std::collections::BTreeSet;

use fanfare_domain::ids::CollectionId;
use fanfare_domain::klaviyo::KlaviyoError;
use serde_json::Value;

use crate::document::{Single, parse};
use crate::lenient::{Object, Raw, object};
use crate::origin::Origin;
use crate::request::Request;

/// Requests the definition of a segment.
pub(super) fn request(origin: &Origin, segment: &CollectionId) -> Result<Request, KlaviyoError> {
    let id = match segment.as_str() {
        "." | ".." => return Err(KlaviyoError::NotFound),
        id => id,
    };
    let parameters = [("fields[segment]", "definition")];
    Ok(Request::get(origin, ["segments", id], &parameters, None))
}

object! {
    struct Resource<'a> {
        attributes: Object<Attributes<'a>>,
    }
}

object! {
    struct Attributes<'a> {
        definition: Raw<'a>,
    }
}

/// Reads the lists and segments that a definition names, whether their members are in the segment or left out of it: members of
/// one decide about the other. A definition that cannot be read makes the answer invalid: it may be the one that closes a circle.
pub(super) fn read(text: &str) -> Result<BTreeSet<CollectionId>, KlaviyoError> {
    let resource: Object<Resource<'_>> = parse::<Single<'_>>(text)?.data()?;
    let definition = match resource.0.attributes.0.definition {
        None => Value::Null,
        Some(json) => serde_json::from_str(json.get())
            .map_err(|_| KlaviyoError::Invalid("the definition cannot be read".to_owned()))?,
    };
    let mut named = BTreeSet::new();
    collect(&definition, &mut named);
    Ok(named)
}

/// A `group_ids` stands in a condition, however deep: kinds of conditions come and go.
fn collect(part: &Value, named: &mut BTreeSet<CollectionId>) {
    match part {
        Value::Object(members) => {
            for (name, part) in members {
                if name == "group_ids" {
                    let ids = part.as_array().into_iter().flatten();
                    let ids = ids.filter_map(|id| CollectionId::parse(id.as_str()?).ok());
                    named.extend(ids);
                } else {
                    collect(part, named);
                }
            }
        }
        Value::Array(parts) => parts.iter().for_each(|part| collect(part, named)),
        _ => {}
    }
}

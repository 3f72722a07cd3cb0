//! Lists and segments.

use serde_json::{Map, Value, json};

use crate::instant;
use crate::kind::Kind;
use crate::query::Fields;
use crate::state::Collection;

/// A list or segment as a resource. `count` is how many members it is shown to have, if that is shown; `has_tags` adds
/// the (empty) data of its tags.
pub(crate) fn collection(
    collection: &Collection,
    fields: &Fields,
    count: Option<usize>,
    has_tags: bool,
    base: &str,
) -> Value {
    let (noun, id) = (collection.kind.noun(), &collection.id);
    let own = format!("{base}/api/{}/{id}/", collection.kind.plural());
    let mut attributes = Map::new();
    for (name, value) in all_attributes(collection) {
        if let Some(part) = fields.prune(name, || value.clone()) {
            attributes.insert(name.to_owned(), part);
        }
    }
    if let Some(count) = count {
        attributes.insert("profile_count".to_owned(), count.into());
    }
    let relationship = |name: &str, has_data: bool| {
        let links = json!({
            "self": format!("{own}relationships/{name}/"),
            "related": format!("{own}{name}/"),
        });
        if has_data {
            json!({"data": [], "links": links})
        } else {
            json!({ "links": links })
        }
    };
    json!({
        "type": noun,
        "id": id,
        "attributes": attributes,
        "relationships": {
            "profiles": relationship("profiles", false),
            "tags": relationship("tags", has_tags),
            "flow-triggers": relationship("flow-triggers", false),
        },
        "links": {"self": own},
    })
}

fn all_attributes(collection: &Collection) -> Vec<(&'static str, Value)> {
    let mut attributes = vec![
        ("name", collection.name.clone().into()),
        ("created", instant::show(collection.created).into()),
        ("updated", instant::show(collection.updated).into()),
    ];
    match collection.kind {
        Kind::List => {
            let process = if collection.is_double_opt_in {
                "double_opt_in"
            } else {
                "single_opt_in"
            };
            attributes.push(("opt_in_process", process.into()));
        }
        Kind::Segment => {
            attributes.push((
                "definition",
                definition(collection.redefined, &collection.groups),
            ));
            attributes.push(("is_active", collection.is_active.into()));
            attributes.push(("is_processing", collection.says_processing().into()));
            attributes.push(("is_starred", false.into()));
        }
    }
    attributes
}

/// The definition of a segment that was changed so often, of members of these lists and segments.
fn definition(redefined: u32, groups: &[String]) -> Value {
    let plan = match redefined {
        0 => "pro".to_owned(),
        times => format!("pro-{times}"),
    };
    let property = json!({
        "type": "profile-property",
        "property": "properties['plan']",
        "filter": {"type": "string", "operator": "equals", "value": plan},
    });
    let mut condition_groups = vec![json!({ "conditions": [property] })];
    if !groups.is_empty() {
        let condition = json!({
            "type": "profile-group-membership",
            "is_member": true,
            "group_ids": groups,
            "timeframe_filter": null,
        });
        condition_groups.push(json!({ "conditions": [condition] }));
    }
    json!({ "condition_groups": condition_groups })
}

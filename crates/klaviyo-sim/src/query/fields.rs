//! Sparse fieldsets.

use serde_json::{Map, Value};

use super::parameters::Parameters;
use crate::refusal::Refusal;

/// The attributes that are asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Fields {
    /// All that an answer has if nothing is said.
    All,
    /// These, some with a path into them: `location.city`.
    These(Vec<String>),
}

impl Fields {
    /// Reads `fields[of]`. A field must be one of `known`, or lead into one.
    pub(crate) fn read(
        parameters: &Parameters,
        of: &str,
        known: impl Fn(&str) -> bool,
    ) -> Result<Self, Refusal> {
        let name = format!("fields[{of}]");
        if parameters.get(&name).is_none() {
            return Ok(Self::All);
        }
        let fields: Vec<_> = parameters.values(&name).map(str::to_owned).collect();
        if let Some(bad) = fields.iter().find(|field| !known(field)) {
            let detail = format!("'{bad}' is not a valid field for the resource '{of}'.");
            return Err(Refusal::parameter(&name, detail));
        }
        Ok(Self::These(fields))
    }

    /// Whether the whole attribute is asked for.
    pub(crate) fn has(&self, field: &str) -> bool {
        match self {
            Self::All => true,
            Self::These(fields) => fields.iter().any(|asked| asked == field),
        }
    }

    /// Whether this is a sparse fieldset.
    pub(crate) const fn is_sparse(&self) -> bool {
        matches!(self, Self::These(_))
    }

    /// The paths into an attribute that are asked for.
    pub(crate) fn paths_into<'a>(&'a self, field: &'a str) -> impl Iterator<Item = &'a str> {
        let fields: &[String] = match self {
            Self::All => &[],
            Self::These(fields) => fields,
        };
        fields
            .iter()
            .filter_map(move |asked| asked.strip_prefix(field)?.strip_prefix('.'))
    }

    /// The part of an attribute that is asked for: all of it, some paths of it, or nothing.
    pub(crate) fn prune(&self, field: &str, whole: impl Fn() -> Value) -> Option<Value> {
        if self.has(field) {
            return Some(whole());
        }
        self.paths_into(field).next()?;
        let whole = whole();
        let mut part = Value::Object(Map::new());
        for path in self.paths_into(field) {
            copy(&whole, &mut part, path);
        }
        Some(part)
    }
}

/// Whether a path leads to something in a value.
pub(crate) fn leads_somewhere(value: &Value, path: &str) -> bool {
    path.split('.')
        .try_fold(value, |at, name| at.get(name))
        .is_some()
}

fn copy(from: &Value, to: &mut Value, path: &str) {
    let (name, rest) = path.split_once('.').unwrap_or((path, ""));
    let (Some(from), Value::Object(to)) = (from.get(name), to) else {
        return;
    };
    if rest.is_empty() || !from.is_object() {
        to.insert(name.to_owned(), from.clone());
    } else {
        let place = to.entry(name).or_insert_with(|| Value::Object(Map::new()));
        copy(from, place, rest);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn paths_cut_an_attribute_down() {
        let parameters = Parameters::parse("fields[profile]=a.b.c,a.d,e");
        let fields = Fields::read(&parameters, "profile", |_| true).unwrap();
        let whole = || json!({"b": {"c": 1, "x": 2}, "d": [3], "y": 4});
        let part = fields.prune("a", whole);
        assert_eq!(part, Some(json!({"b": {"c": 1}, "d": [3]})));
        assert_eq!(fields.prune("e", whole), Some(whole()));
        assert_eq!(fields.prune("z", whole), None);
    }
}

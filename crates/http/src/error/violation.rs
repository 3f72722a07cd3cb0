//! What is wrong with a request: all violations, in the shape of the contract.

use serde::Serialize;
use utoipa::ToSchema;

/// One step on the way to a value.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, ToSchema)]
#[serde(untagged)]
#[schema(as = ValidationKey)]
pub(crate) enum Key {
    /// A member of an object, or a query parameter.
    Name(String),
    /// An element of an array.
    Index(usize),
}

/// One rule that the request breaks. It holds nothing that could be a secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Violation {
    /// The way to the value; empty for the request as a whole.
    pub(crate) path: Vec<Key>,
    /// The rule that is broken, in the words of Fanfare's validator: `string`, `max_length`, …
    pub(crate) rule: &'static str,
    /// What would be right.
    pub(crate) expected: String,
    /// What was there.
    pub(crate) received: String,
    /// What is wrong, and what to do.
    pub(crate) message: String,
}

/// Everything wrong with a request so far. Values come before unknown names in the answer.
#[derive(Debug, Default)]
pub(crate) struct Violations {
    of_values: Vec<Violation>,
    of_names: Vec<Violation>,
    unlisted: usize,
}

/// The most violations in one answer. A body of a megabyte can have very many.
const MAX_LISTED: usize = 100;

/// The rule that a name breaks which a request does not know, or has twice.
const NAME_RULE: &str = "strict_object";

/// The rules by which a value is of the wrong shape; any other is about its content.
const SCHEMA_RULES: [&str; 6] = ["json", "object", NAME_RULE, "array", "string", "boolean"];

impl Violation {
    pub(crate) fn new(
        path: Vec<Key>,
        rule: &'static str,
        expected: impl Into<String>,
        received: impl Into<String>,
        message: impl Into<String>,
    ) -> Self {
        Self {
            path,
            rule,
            expected: expected.into(),
            received: received.into(),
            message: message.into(),
        }
    }

    /// The violation of a name that was sent below `path`.
    pub(crate) fn of_name(mut path: Vec<Key>, name: &str, expected: &str, message: String) -> Self {
        let name = if is_showable(name) { name } else { "…" };
        path.push(Key::Name(name.to_owned()));
        let received = serde_json::Value::from(name).to_string();
        Self::new(path, NAME_RULE, expected, received, message)
    }

    /// The violation of a request as a whole.
    pub(crate) fn of_whole(message: &str) -> Self {
        Self::new(Vec::new(), "check", "valid", "unknown", message)
    }
}

impl Violations {
    /// Adds a violation.
    pub(crate) fn add(&mut self, violation: Violation) {
        let listed = match violation.rule {
            NAME_RULE => &mut self.of_names,
            _ => &mut self.of_values,
        };
        if listed.len() < MAX_LISTED {
            listed.push(violation);
        } else {
            self.unlisted += 1;
        }
    }

    /// Adds the violations of a part of the request.
    pub(crate) fn append(&mut self, other: Self) {
        self.unlisted += other.unlisted;
        self.extend(other.of_values);
        self.extend(other.of_names);
    }

    /// Whether nothing is wrong.
    pub(crate) const fn is_empty(&self) -> bool {
        self.of_values.is_empty() && self.of_names.is_empty()
    }

    /// What the answer says in one line.
    pub(crate) fn message(&self) -> String {
        let all = self.of_values.len() + self.of_names.len() + self.unlisted;
        if all <= MAX_LISTED {
            return "Validation failed".to_owned();
        }
        format!("Validation failed; the first {MAX_LISTED} of {all} faults are listed")
    }

    /// The violations as Fanfare's generated reference has them.
    pub(crate) fn issues(&self) -> Vec<ValidationIssue> {
        self.listed()
            .into_iter()
            .map(ValidationIssue::from)
            .collect()
    }

    /// The violations as people read them.
    pub(crate) fn details(&self) -> Vec<ValidationDetail> {
        let detail = |violation: &Violation| ValidationDetail {
            field: dotted(&violation.path),
            message: violation.message.clone(),
        };
        self.listed().into_iter().map(detail).collect()
    }

    /// Values in the order of their paths, then names.
    fn listed(&self) -> Vec<&Violation> {
        let mut listed: Vec<_> = self.of_values.iter().collect();
        listed.sort_by(|one, other| one.path.cmp(&other.path));
        listed.extend(&self.of_names);
        listed.truncate(MAX_LISTED);
        listed
    }
}

impl Extend<Violation> for Violations {
    fn extend<I: IntoIterator<Item = Violation>>(&mut self, violations: I) {
        for violation in violations {
            self.add(violation);
        }
    }
}

impl FromIterator<Violation> for Violations {
    fn from_iter<I: IntoIterator<Item = Violation>>(violations: I) -> Self {
        let mut collected = Self::default();
        collected.extend(violations);
        collected
    }
}

impl From<Violation> for Violations {
    fn from(violation: Violation) -> Self {
        Self::from_iter([violation])
    }
}

/// `klaviyo.apiKey`, `listIds.3`; `body` for the whole.
fn dotted(path: &[Key]) -> String {
    if path.is_empty() {
        return "body".to_owned();
    }
    let steps: Vec<String> = path
        .iter()
        .map(|key| match key {
            Key::Name(name) => name.clone(),
            Key::Index(index) => index.to_string(),
        })
        .collect();
    steps.join(".")
}

/// A violation, for programs.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ValidationIssue {
    /// `schema` where the shape is wrong, `validation` where the content is.
    #[schema(example = "schema")]
    kind: &'static str,
    /// The rule that is broken.
    #[serde(rename = "type")]
    #[schema(example = "string")]
    rule: &'static str,
    /// What would be right.
    #[schema(example = "string")]
    expected: String,
    /// What was there; `undefined` for nothing. Of a secret only its type.
    #[schema(example = "undefined")]
    received: String,
    /// What is wrong, and what to do.
    message: String,
    /// The way to the value.
    path: Vec<ValidationPathItem>,
}

/// A step on the way to the value that is wrong.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ValidationPathItem {
    /// What is stepped into: `object` or `array`.
    #[serde(rename = "type")]
    #[schema(example = "object")]
    container: &'static str,
    /// Whether the value or the key itself is wrong: `value` or `key`.
    #[schema(example = "value")]
    origin: &'static str,
    /// Always null: what was sent is not echoed.
    #[schema(value_type = Option<String>)]
    input: (),
    /// The member's name or the element's index.
    key: Key,
}

/// A violation, for people.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ValidationDetail {
    /// The field, dotted.
    #[schema(example = "klaviyo.apiKey")]
    field: String,
    /// What is wrong, and what to do.
    message: String,
}

impl From<&Violation> for ValidationIssue {
    fn from(violation: &Violation) -> Self {
        let is_schema = SCHEMA_RULES.contains(&violation.rule);
        let origin = if violation.rule == NAME_RULE {
            "key"
        } else {
            "value"
        };
        let step = |key: &Key| ValidationPathItem {
            container: match key {
                Key::Name(_) => "object",
                Key::Index(_) => "array",
            },
            origin,
            input: (),
            key: key.clone(),
        };
        Self {
            kind: if is_schema { "schema" } else { "validation" },
            rule: violation.rule,
            expected: violation.expected.clone(),
            received: violation.received.clone(),
            message: violation.message.clone(),
            path: violation.path.iter().map(step).collect(),
        }
    }
}

/// Whether an error may show a text: a short word, and nothing like a key, an address or a phone
/// number of a person, in whichever field the caller put it.
pub(crate) fn is_showable(text: &str) -> bool {
    /// Fewer digits than any phone number has.
    const MAX_DIGITS: usize = 6;
    let is_of_word = |b: u8| b.is_ascii_alphanumeric() || b"-_.:".contains(&b);
    text.len() <= 64
        && text.bytes().all(is_of_word)
        && text.bytes().filter(u8::is_ascii_digit).count() <= MAX_DIGITS
        && !text.contains("pk_")
        && !text.contains("sk_")
}

//! An object that was sent, member by member.

use serde_json::{Map, Value};

use super::node::Node;
use crate::error::{Key, Violation, Violations, is_showable};

/// An object whose members are taken one by one; what is left at the end is unknown.
#[derive(Debug)]
pub(crate) struct Object {
    members: Map<String, Value>,
    path: Vec<Key>,
    is_masked: bool,
    noun: &'static str,
}

impl Object {
    /// An object at its place, whose members are called so.
    pub(super) const fn new(
        members: Map<String, Value>,
        path: Vec<Key>,
        is_masked: bool,
        noun: &'static str,
    ) -> Self {
        Self {
            members,
            path,
            is_masked,
            noun,
        }
    }

    /// Query parameters as the members of an object.
    pub(crate) const fn of_query(members: Map<String, Value>) -> Self {
        Self::new(members, Vec::new(), false, "parameter")
    }

    /// Its members, whatever they are.
    pub(super) fn into_members(self) -> Map<String, Value> {
        self.members
    }

    /// Takes a member out, there or not.
    pub(crate) fn take(&mut self, name: &str) -> Node {
        let mut path = self.path.clone();
        path.push(Key::Name(name.to_owned()));
        Node::new(self.members.remove(name), path, self.is_masked)
    }

    /// A member that was given more than once is a violation.
    pub(crate) fn refuse_repeated(&self, name: &str, violations: &mut Violations) {
        let message = "is given more than once".to_owned();
        violations.add(self.fault_of_name(name, "once", message));
    }

    /// Every member that was not taken is a violation.
    pub(crate) fn finish(self, violations: &mut Violations) {
        for name in self.members.keys() {
            let message = format!("is not a {} of this request", self.noun);
            violations.add(self.fault_of_name(name, "never", message));
        }
    }

    fn fault_of_name(&self, name: &str, expected: &str, message: String) -> Violation {
        let name = if is_showable(name) { name } else { "…" };
        let mut path = self.path.clone();
        path.push(Key::Name(name.to_owned()));
        Violation {
            path,
            rule: "strict_object",
            expected: expected.to_owned(),
            received: Value::from(name).to_string(),
            message,
        }
    }
}

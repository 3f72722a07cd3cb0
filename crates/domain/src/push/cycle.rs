//! Whether a list would feed itself.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use crate::collection::CollectionRef;
use crate::ids::AudienceId;

/// What has members.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Node {
    /// An audience of ours.
    Audience(AudienceId),
    /// A list or segment of Klaviyo's.
    Collection(CollectionRef),
}

/// That the members of the first become members of the second: a list is synced into an audience, an audience is kept in a list, a
/// segment is defined by a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Feeds {
    /// Where the members come from.
    pub from: Node,
    /// Where they go.
    pub into: Node,
}

/// The shortest circle that a new connection would close, from what it leads into back to where it starts, both
/// included; `None` if it closes none.
pub fn circle(known: &[Feeds], new: &Feeds) -> Option<Vec<Node>> {
    let mut feeds: BTreeMap<&Node, Vec<&Node>> = BTreeMap::new();
    for edge in known {
        feeds.entry(&edge.from).or_default().push(&edge.into);
    }
    let mut came_from: BTreeMap<&Node, &Node> = BTreeMap::new();
    let mut seen = BTreeSet::from([&new.into]);
    let mut waiting = VecDeque::from([&new.into]);
    while let Some(node) = waiting.pop_front() {
        if *node == new.from {
            let mut chain = vec![node.clone()];
            let mut at = node;
            while let Some(before) = came_from.get(at) {
                chain.push((*before).clone());
                at = before;
            }
            chain.reverse();
            return Some(chain);
        }
        for next in feeds.get(node).into_iter().flatten() {
            if seen.insert(next) {
                came_from.insert(next, node);
                waiting.push_back(next);
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collection::CollectionKind;
    use crate::ids::CollectionId;

    fn node(text: &str) -> Node {
        let kind = match &text[..1] {
            "a" => return Node::Audience(AudienceId::parse(text).unwrap()),
            "l" => CollectionKind::List,
            _ => CollectionKind::Segment,
        };
        let id = CollectionId::parse(text).unwrap();
        Node::Collection(CollectionRef { kind, id })
    }

    fn feeds(text: &str) -> Feeds {
        let (from, into) = text.split_once('>').unwrap();
        Feeds {
            from: node(from),
            into: node(into),
        }
    }

    fn check(known: &str, new: &str, want: Option<&str>) {
        let known: Vec<Feeds> = known.split_whitespace().map(feeds).collect();
        let want = want.map(|chain| chain.split('>').map(node).collect::<Vec<_>>());
        assert_eq!(circle(&known, &feeds(new)), want, "{new}");
    }

    #[test]
    fn a_circle_is_named_by_its_chain() {
        check("l1>a1", "a1>l1", Some("l1>a1"));
        check("l1>a1", "a1>l2", None);
        check("l1>a1 a1>l2 l2>a2", "a2>l1", Some("l1>a1>l2>a2"));
        check("l1>s1 s1>a1", "a1>l1", Some("l1>s1>a1"));
        check("l1>a1 l1>a2 a2>l3 l3>a1", "a1>l1", Some("l1>a1"));
        check("", "a1>l1", None);
        // A circle that is there already, and another one's, keeps nothing from ending.
        check("l5>a5 a5>l5", "a1>l5", None);
    }
}

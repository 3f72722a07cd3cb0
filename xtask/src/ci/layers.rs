//! Which crate may use which, and what the crates of a layer must not reach, directly or through others.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use anyhow::Result;
use cargo_metadata::{DependencyKind, Metadata};

use super::Faults;
use crate::workspace;

/// The place of a crate among the layers.
struct Layer {
    /// The package.
    package: &'static str,
    /// The workspace's crates that it may use outside tests.
    may_use: &'static [&'static str],
    /// Crates from outside that it may not reach, directly or through others.
    must_not_reach: &'static [&'static str],
}

/// External crates that only one adapter each may know.
const OUTSIDE: &[&str] = &["actix-web", "apalis", "reqwest", "rustls", "sqlx"];

/// The table. A crate that is not in it is a fault.
const LAYERS: &[Layer] = &[
    Layer {
        package: "fanfare-domain",
        may_use: &[],
        must_not_reach: &[
            "actix-web",
            "apalis",
            "metrics",
            "reqwest",
            "rustls",
            "sqlx",
            "tokio",
            "tracing",
        ],
    },
    Layer {
        package: "fanfare-sync",
        may_use: &["fanfare-domain"],
        must_not_reach: OUTSIDE,
    },
    Layer {
        package: "fanfare-klaviyo",
        may_use: &["fanfare-domain"],
        must_not_reach: &["actix-web", "apalis", "sqlx"],
    },
    Layer {
        package: "fanfare-sql-rows",
        may_use: &["fanfare-domain"],
        must_not_reach: &["actix-web", "apalis", "reqwest"],
    },
    Layer {
        package: "fanfare-sqlite",
        may_use: &["fanfare-domain", "fanfare-sql-rows"],
        // Not rustls: it comes with sqlx, whose features the two stores share.
        must_not_reach: &["actix-web", "apalis", "reqwest"],
    },
    Layer {
        package: "fanfare-postgres",
        may_use: &["fanfare-domain", "fanfare-sql-rows"],
        must_not_reach: &["actix-web", "apalis", "reqwest"],
    },
    Layer {
        package: "fanfare-jobs",
        may_use: &["fanfare-domain", "fanfare-sync"],
        must_not_reach: &["actix-web", "reqwest"],
    },
    Layer {
        package: "fanfare-http",
        may_use: &["fanfare-domain", "fanfare-sync"],
        must_not_reach: &["apalis", "reqwest", "rustls", "sqlx"],
    },
    Layer {
        package: "fanfare-web",
        may_use: &["fanfare-domain", "fanfare-http", "fanfare-sync"],
        must_not_reach: &["apalis", "reqwest", "rustls", "sqlx"],
    },
    Layer {
        package: "fanfare-runtime",
        may_use: &[
            "fanfare-domain",
            "fanfare-http",
            "fanfare-jobs",
            "fanfare-klaviyo",
            "fanfare-postgres",
            "fanfare-sqlite",
            "fanfare-sync",
            "fanfare-web",
        ],
        must_not_reach: &[],
    },
    Layer {
        package: "fanfare-testkit",
        may_use: &["fanfare-domain"],
        must_not_reach: OUTSIDE,
    },
    Layer {
        package: "fanfare-klaviyo-sim",
        may_use: &[],
        must_not_reach: &["apalis", "reqwest", "rustls", "sqlx"],
    },
    Layer {
        package: "fanfare-api",
        may_use: &["fanfare-runtime"],
        must_not_reach: &[],
    },
    Layer {
        package: "fanfare-worker",
        may_use: &["fanfare-runtime"],
        must_not_reach: &[],
    },
    Layer {
        package: "fanfare",
        may_use: &["fanfare-domain", "fanfare-runtime", "fanfare-sync"],
        must_not_reach: &[],
    },
    Layer {
        package: "klaviyo-sim",
        may_use: &["fanfare-klaviyo-sim"],
        must_not_reach: OUTSIDE_BUT_ACTIX,
    },
    Layer {
        package: "fanfare-fuzz",
        may_use: &["fanfare-http", "fanfare-klaviyo", "fanfare-runtime"],
        must_not_reach: &[],
    },
    Layer {
        package: "xtask",
        may_use: &[],
        must_not_reach: &["tokio"],
    },
];

const OUTSIDE_BUT_ACTIX: &[&str] = &["apalis", "reqwest", "rustls", "sqlx"];

/// What needs what outside tests, by package name.
#[derive(Default)]
struct Graph {
    members: BTreeSet<String>,
    edges: BTreeMap<String, BTreeSet<String>>,
}

pub(super) fn check() -> Result<Faults> {
    Ok(faults(&Graph::of(&workspace::metadata()?), LAYERS))
}

fn faults(graph: &Graph, layers: &[Layer]) -> Faults {
    let mut faults = Faults::new();
    for member in &graph.members {
        if !layers.iter().any(|layer| layer.package == member) {
            faults.push(format!("{member} is not in the table of layers"));
        }
    }
    for layer in layers {
        let used = graph.edges.get(layer.package).into_iter().flatten();
        for used in used.filter(|used| graph.members.contains(*used)) {
            if !layer.may_use.contains(&used.as_str()) {
                faults.push(format!("{} may not use {used}", layer.package));
            }
        }
        for forbidden in layer.must_not_reach {
            if let Some(path) = graph.path(layer.package, forbidden) {
                faults.push(format!(
                    "{} may not reach {forbidden}: {path}",
                    layer.package
                ));
            }
        }
    }
    faults
}

impl Graph {
    fn of(metadata: &Metadata) -> Self {
        let names: BTreeMap<_, _> = metadata
            .packages
            .iter()
            .map(|package| (&package.id, package.name.to_string()))
            .collect();
        let mut graph = Self::default();
        graph.members.extend(
            metadata
                .workspace_members
                .iter()
                .map(|id| names[id].clone()),
        );
        for node in metadata.resolve.iter().flat_map(|resolve| &resolve.nodes) {
            // Two versions of a package are one here: a rule about it is about both.
            let edges = graph.edges.entry(names[&node.id].clone()).or_default();
            for needed in &node.deps {
                if needed
                    .dep_kinds
                    .iter()
                    .any(|kind| kind.kind == DependencyKind::Normal)
                {
                    edges.insert(names[&needed.pkg].clone());
                }
            }
        }
        graph
    }

    /// The shortest way from one package to another, written out.
    fn path(&self, from: &str, to: &str) -> Option<String> {
        let mut reached_from: BTreeMap<&str, &str> = BTreeMap::new();
        let mut queue = VecDeque::from([from]);
        while let Some(at) = queue.pop_front() {
            for next in self.edges.get(at).into_iter().flatten().map(String::as_str) {
                if next == from || reached_from.contains_key(next) {
                    continue;
                }
                reached_from.insert(next, at);
                if next == to {
                    let back = std::iter::successors(Some(to), |at| reached_from.get(at).copied());
                    let mut steps: Vec<&str> = back.collect();
                    steps.reverse();
                    return Some(steps.join(" -> "));
                }
                queue.push_back(next);
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MADE_UP: &[Layer] = &[
        Layer {
            package: "core",
            may_use: &[],
            must_not_reach: &["net"],
        },
        Layer {
            package: "app",
            may_use: &["core"],
            must_not_reach: &[],
        },
    ];

    fn graph(members: &[&str], edges: &[(&str, &[&str])]) -> Graph {
        let owned = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect();
        Graph {
            members: owned(members),
            edges: edges
                .iter()
                .map(|(from, to)| ((*from).to_owned(), owned(to)))
                .collect(),
        }
    }

    #[track_caller]
    fn check(members: &[&str], edges: &[(&str, &[&str])], expected: &[&str]) {
        assert_eq!(faults(&graph(members, edges), MADE_UP), expected);
    }

    #[test]
    fn allowed_uses_are_no_fault() {
        check(
            &["core", "app"],
            &[("app", &["core", "net"]), ("core", &["serde"])],
            &[],
        );
    }

    #[test]
    fn a_use_against_the_arrows_is_a_fault() {
        check(
            &["core", "app"],
            &[("core", &["app"])],
            &["core may not use app"],
        );
    }

    #[test]
    fn a_forbidden_crate_is_found_through_other_crates_and_the_path_is_shown() {
        check(
            &["core"],
            &[
                ("core", &["helper", "serde"]),
                ("helper", &["core", "client"]),
                ("client", &["net"]),
            ],
            &["core may not reach net: core -> helper -> client -> net"],
        );
    }

    #[test]
    fn a_crate_without_a_layer_is_a_fault() {
        check(
            &["core", "stray"],
            &[],
            &["stray is not in the table of layers"],
        );
    }
}

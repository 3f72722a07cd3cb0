//! The rules: which statements are refused without a marker.

use super::Dialect;
use super::statement::{Statement, Token};

/// A rule that a statement breaks.
pub(super) struct Broken {
    pub(super) what: &'static str,
    /// The marker that allows the statement.
    pub(super) marker: &'static str,
}

const fn contract(what: &'static str) -> Broken {
    let marker = "contract";
    Broken { what, marker }
}

const fn locks(what: &'static str) -> Broken {
    let marker = "locks";
    Broken { what, marker }
}

/// The rules that a statement breaks. `all` are the statements of its file: a table that the file creates is
/// empty, and the old version of the programs does not know it.
pub(super) fn broken_rules(
    statement: &Statement,
    all: &[Statement],
    dialect: Dialect,
) -> Vec<Broken> {
    let words: Vec<&str> = statement.outer().collect();
    let is_new = |table: &str| all.iter().any(|other| created_table(other) == Some(table));
    match words[..] {
        ["DROP", "TABLE" | "VIEW" | "SCHEMA" | "MATERIALIZED", ..] | ["TRUNCATE", ..] => {
            vec![contract("it removes a table")]
        }
        ["ALTER", "TABLE", ..] => {
            let (table, actions) = alteration(statement);
            if is_new(&table) {
                return Vec::new();
            }
            let broken = actions.iter().filter_map(|action| altered(action, dialect));
            broken.collect()
        }
        ["ALTER", ..] if words.contains(&"RENAME") => vec![contract("it renames")],
        ["CREATE", "INDEX" | "UNIQUE", ..] => {
            let table = words.iter().skip_while(|word| **word != "ON");
            let table = table.copied().find(|word| !matches!(*word, "ON" | "ONLY"));
            let is_built_aside = dialect == Dialect::Sqlite || words.contains(&"CONCURRENTLY");
            if is_built_aside || table.is_some_and(is_new) {
                return Vec::new();
            }
            vec![locks(
                "it locks a table against writes while it builds an index; build it CONCURRENTLY",
            )]
        }
        ["LOCK", ..] => vec![locks("it locks a table")],
        ["DO", ..] => vec![locks("it runs statements that this check cannot see")],
        ["UPDATE" | "DELETE" | "WITH", ..] if changes_all_rows(&words) => {
            vec![locks("it changes every row of a table")]
        }
        _ => Vec::new(),
    }
}

/// The table that a statement creates.
fn created_table(statement: &Statement) -> Option<&str> {
    let mut words = statement.outer();
    (words.next()? == "CREATE").then_some(())?;
    let is_name = |word: &&str| !matches!(*word, "TABLE" | "IF" | "NOT" | "EXISTS");
    let mut from_table = words.skip_while(|word| *word != "TABLE");
    from_table.find(is_name)
}

/// The table and the actions of an `ALTER TABLE`.
fn alteration(statement: &Statement) -> (String, Vec<Vec<&Token>>) {
    let is_filler = |token: &&Token| matches!(token.text.as_str(), "IF" | "EXISTS" | "ONLY");
    let mut tokens = statement.tokens.iter().skip(2).skip_while(is_filler);
    let table = tokens
        .next()
        .map_or(String::new(), |token| token.text.clone());
    let mut actions = vec![Vec::new()];
    for token in tokens {
        if token.text == "," && token.depth == 0 {
            actions.push(Vec::new());
        } else if let Some(action) = actions.last_mut() {
            action.push(token);
        }
    }
    (table, actions)
}

/// The rule that an action of an `ALTER TABLE` breaks.
fn altered(action: &[&Token], dialect: Dialect) -> Option<Broken> {
    let words: Vec<&str> = action.iter().map(|token| token.text.as_str()).collect();
    let has = |pair: [&str; 2]| words.windows(2).any(|words| words == pair);
    match words[..] {
        ["DROP", "CONSTRAINT", ..] => None,
        ["DROP", ..] => Some(contract("it removes a column")),
        ["RENAME", ..] => Some(contract("it renames a table or a column")),
        ["ALTER", ..] if words.contains(&"TYPE") => {
            Some(locks("it rewrites a table for another type"))
        }
        ["ALTER", ..] if has(["SET", "NOT"]) => {
            Some(locks("it reads a whole table under a lock (SET NOT NULL)"))
        }
        [
            "ADD",
            "CONSTRAINT" | "CHECK" | "FOREIGN" | "UNIQUE" | "PRIMARY" | "EXCLUDE",
            ..,
        ] => {
            let is_quick = has(["NOT", "VALID"]) || has(["USING", "INDEX"]);
            (dialect == Dialect::Postgres && !is_quick).then(|| {
                locks("it checks a whole table under a lock; add the constraint NOT VALID")
            })
        }
        ["ADD", ..] => {
            let has_value = words.contains(&"DEFAULT") || words.contains(&"GENERATED");
            (has(["NOT", "NULL"]) && !has_value).then(|| {
                contract("the old version of the programs does not fill a column that is NOT NULL")
            })
        }
        _ => None,
    }
}

/// Whether an `UPDATE` or `DELETE` outside of all brackets has no condition.
fn changes_all_rows(words: &[&str]) -> bool {
    let change = words
        .iter()
        .position(|word| matches!(*word, "UPDATE" | "DELETE"));
    change.is_some_and(|at| !words[at..].contains(&"WHERE"))
}

//! Which statement a message executes.

use std::collections::HashMap;
use std::fmt;

use super::message::Message;

/// A kind of statement: all that have the same text.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(in crate::faults) struct Kind {
    /// The statement, with single blanks between its words.
    pub(in crate::faults) text: String,
    /// Of a commit, the last statement before it: what it commits.
    pub(in crate::faults) of: Option<String>,
}

/// How a store makes sure that a transaction is sound before it commits.
const PROBE: &str = "SELECT 1";

impl Kind {
    pub(in crate::faults) fn is_commit(&self) -> bool {
        self.text == "COMMIT"
    }
}

/// The verb and the table, as far as a line has room for them.
impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&shorten(&self.text))?;
        match &self.of {
            Some(statement) => write!(f, " of {}", shorten(statement)),
            None => Ok(()),
        }
    }
}

/// What a statement does, and to which table.
fn shorten(text: &str) -> String {
    let words: Vec<&str> = text.split(' ').collect();
    // Of a statement with parts, the last that writes is what it is there for.
    let writes = words.iter().enumerate().rev().find_map(|(place, verb)| {
        let is_clause = place > 0 && ["FOR", "DO"].contains(&words[place - 1]);
        let ends_with = match *verb {
            "INSERT" | "DELETE" => place + 2,
            // As far as the first column: some tables are updated for many reasons.
            "UPDATE" => place + 1 + words[place..].iter().position(|word| *word == "SET")?,
            _ => return None,
        };
        let shown = words.get(place..=ends_with)?;
        (!is_clause).then(|| shown.join(" "))
    });
    writes.unwrap_or_else(|| match table(&words) {
        Some(table) => format!("{} … {table}", words[..words.len().min(2)].join(" ")),
        None => words[..words.len().min(3)].join(" "),
    })
}

/// The first table that is read. What is as short as `t` is a part of the statement.
fn table<'a>(words: &[&'a str]) -> Option<&'a str> {
    words.windows(2).enumerate().find_map(|(place, pair)| {
        if !matches!(pair[0].trim_start_matches('('), "FROM" | "JOIN") {
            return None;
        }
        let names = words[place + 1..].iter().take(2);
        names
            .map(|name| name.split(['(', ',', ')']).next().unwrap_or_default())
            .find(|name| name.len() > 2 && !["JOIN", "CROSS", "LATERAL", "unnest"].contains(name))
    })
}

/// The statements that a connection has prepared, and the last it has executed.
#[derive(Default)]
pub(super) struct Statements {
    prepared: HashMap<String, String>,
    last: Option<String>,
}

impl Statements {
    /// The statement that this message is the first to execute, if it does.
    pub(super) fn executed_by(&mut self, message: &Message) -> Option<Kind> {
        let mut texts = message.texts();
        let text = match message.letter() {
            b'P' => {
                let (name, text) = (texts.next()?, texts.next()?);
                self.prepared.insert(name, kind_text(&text));
                return None;
            }
            // A bound statement counts as executed: the worker executes all that it binds.
            b'B' => self.prepared.get(&texts.nth(1)?)?.clone(),
            b'Q' => kind_text(&texts.next()?),
            _ => return None,
        };
        if text == PROBE {
            return Some(Kind { text, of: None });
        }
        let of = (text == "COMMIT").then(|| self.last.take()).flatten();
        self.last = Some(text.clone());
        Some(Kind { text, of })
    }
}

/// The text that statements of a kind have in common. `SET LOCAL` takes no parameter, so its value is part of the
/// text, and another one in each round. A probe may stand in the commit's own message.
fn kind_text(text: &str) -> String {
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match text.split_once(" = ") {
        Some((setting, _)) if setting.contains("SET LOCAL ") => setting.to_owned(),
        _ => match text.split_once("; ") {
            Some((PROBE, probed)) => probed.to_owned(),
            _ => text,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(letter: u8, body: &[u8]) -> Message {
        let mut bytes = vec![letter];
        bytes.extend(u32::try_from(body.len() + 4).unwrap().to_be_bytes());
        bytes.extend(body);
        Message::read(&mut bytes.as_slice()).unwrap()
    }

    fn executed(statements: &mut Statements, letter: u8, body: &[u8]) -> Option<Kind> {
        statements.executed_by(&message(letter, body))
    }

    #[test]
    fn a_prepared_statement_is_known_by_its_text_each_time_it_is_bound() {
        let mut statements = Statements::default();

        let prepared = executed(&mut statements, b'P', b"s1\0SELECT x\n   FROM  t\0\0\0");
        let first = executed(&mut statements, b'B', b"\0s1\0\0\0");
        let second = executed(&mut statements, b'B', b"\0s1\0\0\0");

        assert_eq!(prepared, None);
        assert_eq!(first.unwrap().text, "SELECT x FROM t");
        assert_eq!(second.unwrap().text, "SELECT x FROM t");
    }

    #[test]
    fn a_setting_is_the_same_kind_of_statement_whatever_its_value() {
        let mut statements = Statements::default();
        for begin in ["", "BEGIN; "] {
            let mut set = |value: &str| {
                let text = format!("{begin}SET LOCAL fanfare.organization_id = E'{value}'\0");
                executed(&mut statements, b'Q', text.as_bytes())
            };
            assert_eq!(set("org_1"), set("org_2"));
        }
    }

    #[test]
    fn commits_differ_by_what_they_commit_whatever_probe_stands_between() {
        let mut statements = Statements::default();
        executed(&mut statements, b'Q', b"UPDATE t SET x = 1\0");
        executed(&mut statements, b'Q', b"SELECT 1\0");

        let commit = executed(&mut statements, b'Q', b"COMMIT\0").unwrap();

        assert!(commit.is_commit());
        assert_eq!(commit.of.as_deref(), Some("UPDATE t SET x = 1"));
        executed(&mut statements, b'Q', b"UPDATE t SET x = 1\0");
        let probed = executed(&mut statements, b'Q', b"SELECT 1; COMMIT\0");
        assert_eq!(probed, Some(commit));
    }

    #[test]
    fn messages_that_execute_nothing_are_none() {
        let mut statements = Statements::default();

        assert_eq!(executed(&mut statements, b'S', b""), None);
        assert_eq!(executed(&mut statements, b'B', b"\0unknown\0"), None);
    }

    #[test]
    fn a_kind_is_shown_by_its_verb_and_its_table() {
        let shown = |text: &str| {
            let (text, of) = (text.to_owned(), None);
            Kind { text, of }.to_string()
        };

        assert_eq!(shown("COMMIT"), "COMMIT");
        assert_eq!(
            shown("WITH t AS (SELECT 1) UPDATE work_queue q SET token = 1"),
            "UPDATE work_queue q SET token"
        );
        assert_eq!(
            shown("SELECT a, b FROM t, quota_buckets b FOR UPDATE OF b"),
            "SELECT a, … quota_buckets"
        );
        assert_eq!(
            shown("INSERT INTO meta (x) VALUES ($1) ON CONFLICT (x) DO UPDATE SET x = 1"),
            "INSERT INTO meta"
        );
    }
}

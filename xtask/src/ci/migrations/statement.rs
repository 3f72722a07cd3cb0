//! Splits a migration into statements, and those into words.

use super::Dialect;

/// A statement of a migration.
#[derive(Debug)]
pub(super) struct Statement {
    /// The line that it begins in, counted from 1.
    pub(super) line: usize,
    pub(super) tokens: Vec<Token>,
    pub(super) markers: Vec<Marker>,
}

/// A word, a name, a text or a sign.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Token {
    /// Words are in capitals. The content of texts and of function bodies is left out.
    pub(super) text: String,
    /// How many brackets are open around it.
    pub(super) depth: usize,
}

/// A comment above a statement that allows what is refused otherwise.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Marker {
    pub(super) name: &'static str,
}

/// The names of markers. A marker without a reason is none.
const MARKERS: [&str; 2] = ["contract", "locks"];

impl Statement {
    /// Whether a marker of this name stands above the statement.
    pub(super) fn has_marker(&self, name: &str) -> bool {
        self.markers.iter().any(|marker| marker.name == name)
    }

    /// Whether the word stands outside of all brackets.
    pub(super) fn has_word(&self, word: &str) -> bool {
        self.outer().any(|text| text == word)
    }

    /// The words and signs outside of all brackets.
    pub(super) fn outer(&self) -> impl Iterator<Item = &str> {
        let outer = self.tokens.iter().filter(|token| token.depth == 0);
        outer.map(|token| token.text.as_str())
    }
}

/// The statements of a migration.
pub(super) fn split(text: &str, dialect: Dialect) -> Vec<Statement> {
    let mut splitter = Splitter {
        rest: text,
        line: 1,
        depth: 0,
        comments: Vec::new(),
        current: None,
        done: Vec::new(),
        dialect,
    };
    while !splitter.rest.is_empty() {
        splitter.step();
    }
    splitter.end_statement();
    splitter.done
}

struct Splitter<'a> {
    rest: &'a str,
    line: usize,
    depth: usize,
    /// The comments that stand directly above the next statement, each with its line.
    comments: Vec<(usize, &'a str)>,
    current: Option<Statement>,
    done: Vec<Statement>,
    dialect: Dialect,
}

impl<'a> Splitter<'a> {
    /// Takes one token, comment or blank from the text.
    fn step(&mut self) {
        let rest = self.rest;
        let first = rest.chars().next().unwrap_or_default();
        if first.is_whitespace() {
            self.take(first.len_utf8());
        } else if rest.starts_with("--") {
            let line = self.line;
            let comment = self.take(rest.find('\n').unwrap_or(rest.len()));
            if self.current.is_none() {
                self.comments.push((line, comment));
            }
        } else if rest.starts_with("/*") {
            self.take(rest.find("*/").map_or(rest.len(), |end| end + 2));
        } else if matches!(first, '\'' | '"') {
            let quoted = self.take(quoted_length(rest, first));
            // Names keep their letters, texts are left out.
            let name = quoted.trim_matches('"').to_owned();
            self.push(if first == '"' { name } else { "''".to_owned() });
        } else if let Some(tag) = dollar_tag(rest) {
            let body = rest[tag.len()..].find(tag);
            self.take(body.map_or(rest.len(), |end| end + 2 * tag.len()));
            self.push("''".to_owned());
        } else if is_word(first) {
            let end = rest.find(|c| !is_word(c)).unwrap_or(rest.len());
            let word = self.take(end).to_ascii_uppercase();
            self.push(word);
        } else {
            self.sign(first);
        }
    }

    fn sign(&mut self, sign: char) {
        if sign == ')' {
            self.depth = self.depth.saturating_sub(1);
        }
        let ends = sign == ';' && !self.is_in_trigger_body();
        if !ends {
            self.push(sign.to_string());
        }
        if sign == '(' {
            self.depth += 1;
        }
        self.take(sign.len_utf8());
        if ends {
            self.end_statement();
        }
    }

    /// Whether the body of an SQLite trigger is open, in which a semicolon does not end the statement.
    fn is_in_trigger_body(&self) -> bool {
        let tokens = self.current.as_ref().map_or(&[][..], |one| &one.tokens);
        let count = |word: &str| tokens.iter().filter(|token| token.text == word).count();
        self.dialect == Dialect::Sqlite
            && tokens.iter().take(4).any(|token| token.text == "TRIGGER")
            && count("BEGIN") + count("CASE") > count("END")
    }

    fn push(&mut self, text: String) {
        let current = self.current.get_or_insert_with(|| Statement {
            line: self.line,
            tokens: Vec::new(),
            markers: markers(&self.comments, self.line),
        });
        current.tokens.push(Token {
            text,
            depth: self.depth,
        });
    }

    fn end_statement(&mut self) {
        self.done.extend(self.current.take());
        self.comments.clear();
        self.depth = 0;
    }

    fn take(&mut self, length: usize) -> &'a str {
        let (taken, rest) = self.rest.split_at(length);
        self.line += taken.matches('\n').count();
        self.rest = rest;
        taken
    }
}

/// The markers in the comment lines that stand directly above a line.
fn markers(comments: &[(usize, &str)], line: usize) -> Vec<Marker> {
    let mut above = line;
    let adjacent = comments.iter().rev().take_while(|(at, _)| {
        let is_adjacent = at + 1 == above;
        above = *at;
        is_adjacent
    });
    let named = adjacent.filter_map(|(_, comment)| {
        let (name, why) = comment.trim_start_matches('-').split_once(':')?;
        let name = MARKERS.into_iter().find(|known| *known == name.trim())?;
        (!why.trim().is_empty()).then_some(Marker { name })
    });
    named.collect()
}

const fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_' || c == '.'
}

/// The length of a quoted text or name, with its quotes. A doubled quote does not end it.
fn quoted_length(text: &str, quote: char) -> usize {
    let mut from = 1;
    while let Some(end) = text[from..].find(quote) {
        from += end + 1;
        if !text[from..].starts_with(quote) {
            return from;
        }
        from += 1;
    }
    text.len()
}

/// The tag that begins a body in dollars: `$$` or `$body$`.
fn dollar_tag(text: &str) -> Option<&str> {
    let name = text.strip_prefix('$')?;
    let end = name.find('$')?;
    let is_name = name[..end].chars().all(|c| c.is_alphanumeric() || c == '_');
    is_name.then(|| &text[..end + 2])
}

//! Answers on standard output: tables for a reader, JSON for programs.
//!
//! Names of lists, audiences and organizations are texts that others have written. A terminal obeys some characters instead of
//! drawing them, so everything that is printed goes through [`harmless`] here.

use std::borrow::Cow;
use std::fmt::{self, Display, Write as _};
use std::io::{self, Write};

use anyhow::Result;
use comfy_table::{Table, presets};
use serde_json::Value;

/// Whether a terminal does something else with the character than draw it: control characters, with which escape
/// sequences begin, and those that break lines or turn the direction of the text around them.
fn is_obeyed(c: char) -> bool {
    c.is_control()
        || matches!(
            c,
            '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}'
        )
}

/// The text with every character that a terminal would obey written as `\u{1b}`.
pub(crate) fn harmless(text: &str) -> Cow<'_, str> {
    escape(text, is_obeyed, |c, escaped| {
        escaped.extend(c.escape_unicode());
    })
}

/// JSON with the same characters written as `\u001b`, which is the same JSON: outside of its texts there are none
/// but the line feeds of its indentation.
fn harmless_json(json: &str) -> Cow<'_, str> {
    let is_obeyed = |c| c != '\n' && is_obeyed(c);
    escape(json, is_obeyed, |c, escaped| {
        // All of them have four digits, and writing to a string cannot fail.
        let _ = write!(escaped, "\\u{:04x}", u32::from(c));
    })
}

fn escape(
    text: &str,
    is_obeyed: impl Fn(char) -> bool,
    escape: impl Fn(char, &mut String),
) -> Cow<'_, str> {
    if !text.contains(&is_obeyed) {
        return Cow::Borrowed(text);
    }
    let mut escaped = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        if is_obeyed(c) {
            escape(c, &mut escaped);
        } else {
            escaped.push(c);
        }
    }
    Cow::Owned(escaped)
}

/// Prints a text, of one line or several.
pub(crate) fn print_line(text: impl Display) -> Result<()> {
    let text = text.to_string();
    let lines: Vec<Cow<'_, str>> = text.split('\n').map(harmless).collect();
    write_line(&lines.join("\n"))
}

/// Prints JSON: indented on a terminal, in one line for a program.
pub(crate) fn print_json(value: &Value) -> Result<()> {
    let json = if io::IsTerminal::is_terminal(&io::stdout()) {
        format!("{value:#}")
    } else {
        value.to_string()
    };
    write_line(&harmless_json(&json))
}

/// A reader that closes the pipe early, such as `head`, is no error.
fn write_line(line: &str) -> Result<()> {
    let mut output = io::stdout().lock();
    match writeln!(output, "{line}").and_then(|()| output.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        other => Ok(other?),
    }
}

/// A table whose cells are harmless: each is one line of characters that are drawn.
pub(crate) struct Rows(Table);

/// A table with these headings.
pub(crate) fn table(headings: &[&str]) -> Rows {
    let mut table = Table::new();
    table.load_style(presets::UTF8_BORDERS_ONLY);
    table.set_header(headings);
    Rows(table)
}

impl Rows {
    pub(crate) fn add_row(&mut self, cells: impl IntoIterator<Item = String>) {
        let cells = cells.into_iter().map(|cell| harmless(&cell).into_owned());
        self.0.add_row(cells);
    }
}

impl Display for Rows {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The text of a cell: a dash if there is no value.
pub(crate) fn or_dash<T: Display>(value: Option<T>) -> String {
    value.map_or_else(|| "-".to_owned(), |value| value.to_string())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// Red, a title of the window, a C1 escape, a line of its own, and a turn of direction.
    const HOSTILE: &str = "\u{1b}[31mVIP\u{1b}]0;x\u{7} \u{9b}2J\r\nok \u{202e}gnp.exe\u{2066}";

    #[test]
    fn what_a_terminal_would_obey_is_shown_as_its_code() {
        assert_eq!(
            harmless(HOSTILE),
            r"\u{1b}[31mVIP\u{1b}]0;x\u{7} \u{9b}2J\u{d}\u{a}ok \u{202e}gnp.exe\u{2066}"
        );
        // Joiners make letters and emoji, and turn nothing.
        for name in [
            "Müller & Söhne",
            "می\u{200c}خواهم",
            "👩\u{200d}🚀",
            "قائمة",
            "葛\u{e0100}城",
        ] {
            assert!(matches!(harmless(name), Cow::Borrowed(same) if same == name));
        }
    }

    #[test]
    fn a_name_stays_within_its_cell() {
        let mut rows = table(&["Name"]);
        rows.add_row([HOSTILE.to_owned()]);
        let shown = rows.to_string();
        assert_eq!(shown.lines().count(), table_of("VIP").lines().count());
        assert!(
            !shown.contains(|c: char| c != '\n' && is_obeyed(c)),
            "{shown}"
        );
    }

    fn table_of(name: &str) -> String {
        let mut rows = table(&["Name"]);
        rows.add_row([name.to_owned()]);
        rows.to_string()
    }

    #[test]
    fn json_says_the_same_in_characters_that_are_drawn() {
        let value = json!({ "name": HOSTILE, HOSTILE: [HOSTILE] });
        for json in [value.to_string(), format!("{value:#}")] {
            let shown = harmless_json(&json);
            assert!(
                !shown.contains(|c: char| c != '\n' && is_obeyed(c)),
                "{shown}"
            );
            let read: Value = serde_json::from_str(&shown).unwrap();
            assert_eq!(read, value);
        }
    }
}

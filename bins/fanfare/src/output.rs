//! Answers on standard output: tables for people, JSON for machines.

use std::fmt::Display;
use std::io::{self, Write};

use anyhow::Result;
use comfy_table::{Table, presets};
use serde_json::Value;

/// Prints a line. Whoever reads no further, such as `head`, is no error.
pub(crate) fn say(line: impl Display) -> Result<()> {
    let mut output = io::stdout().lock();
    match writeln!(output, "{line}").and_then(|()| output.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        other => Ok(other?),
    }
}

/// Prints JSON: indented for a person who looks at it, in one line for a program.
pub(crate) fn say_json(value: &Value) -> Result<()> {
    if io::IsTerminal::is_terminal(&io::stdout()) {
        say(format!("{value:#}"))
    } else {
        say(value)
    }
}

/// A table with these headings.
pub(crate) fn table(headings: &[&str]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::UTF8_BORDERS_ONLY);
    table.set_header(headings);
    table
}

/// What is in a cell where there is nothing.
pub(crate) fn or_dash<T: Display>(value: Option<T>) -> String {
    value.map_or_else(|| "-".to_owned(), |value| value.to_string())
}

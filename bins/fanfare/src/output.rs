//! Answers on standard output: tables for a reader, JSON for programs.

use std::fmt::Display;
use std::io::{self, Write};

use anyhow::Result;
use comfy_table::{Table, presets};
use serde_json::Value;

/// Prints a line. A reader that closes the pipe early, such as `head`, is no error.
pub(crate) fn print_line(line: impl Display) -> Result<()> {
    let mut output = io::stdout().lock();
    match writeln!(output, "{line}").and_then(|()| output.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        other => Ok(other?),
    }
}

/// Prints JSON: indented on a terminal, in one line for a program.
pub(crate) fn print_json(value: &Value) -> Result<()> {
    if io::IsTerminal::is_terminal(&io::stdout()) {
        print_line(format!("{value:#}"))
    } else {
        print_line(value)
    }
}

/// A table with these headings.
pub(crate) fn table(headings: &[&str]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::UTF8_BORDERS_ONLY);
    table.set_header(headings);
    table
}

/// The text of a cell: a dash if there is no value.
pub(crate) fn or_dash<T: Display>(value: Option<T>) -> String {
    value.map_or_else(|| "-".to_owned(), |value| value.to_string())
}

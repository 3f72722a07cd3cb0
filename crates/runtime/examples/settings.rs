//! Prints the settings as a table of Markdown, as it stands in the operations manual.

fn main() {
    print!("{}", fanfare_runtime::markdown());
}

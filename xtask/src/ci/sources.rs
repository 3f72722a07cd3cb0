//! The size of source files: one concept each.

use std::fs;

use anyhow::Result;

use super::{Faults, relative};
use crate::workspace;

/// More than this is more than one concept.
const MOST_LINES: usize = 450;

pub(super) fn check() -> Result<Faults> {
    let mut faults = Faults::new();
    for folder in ["bins", "crates", "xtask"] {
        for source in workspace::rust_sources(&workspace::root().join(folder))? {
            let lines = fs::read_to_string(&source)?.lines().count();
            if lines > MOST_LINES {
                let shown = relative(&source);
                faults.push(format!(
                    "{shown} has {lines} lines; split it, {MOST_LINES} is the most"
                ));
            }
        }
    }
    Ok(faults)
}

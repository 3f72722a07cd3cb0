//! All output of the programs, captured while the scenario runs.

use std::cell::RefCell;

use crate::canary::{Canary, Kind};

/// Which canaries an output may show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Allowed {
    /// No canary at all.
    Nothing,
    /// Personal values as they were imported, and no key.
    Profiles,
}

/// A captured log, answer or printed text.
pub(crate) struct Output {
    /// The program that wrote it, or the request that it answers.
    pub(crate) of: String,
    pub(crate) allowed: Allowed,
    pub(crate) bytes: Vec<u8>,
}

/// All captured outputs, and the secrets that the programs made.
#[derive(Default)]
pub(crate) struct Captured {
    pub(crate) outputs: RefCell<Vec<Output>>,
    pub(crate) secrets: RefCell<Vec<Canary>>,
}

impl Captured {
    pub(crate) fn add(&self, of: impl Into<String>, allowed: Allowed, bytes: impl Into<Vec<u8>>) {
        self.outputs.borrow_mut().push(Output {
            of: of.into(),
            allowed,
            bytes: bytes.into(),
        });
    }

    /// One more secret to look for.
    pub(crate) fn add_secret(&self, text: &str) {
        self.secrets.borrow_mut().push(Canary {
            kind: Kind::Secret,
            text: text.to_owned(),
        });
    }
}

//! What was said, by whom, while everything was going on.

use std::cell::RefCell;

use crate::canary::{Canary, Kind};

/// What may be in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shows {
    /// No canary at all.
    Nobody,
    /// People's values as they were taken over, and no key.
    People,
}

/// Something that was said.
pub(crate) struct Piece {
    /// By whom, or in answer to what.
    pub(crate) of: String,
    pub(crate) shows: Shows,
    pub(crate) bytes: Vec<u8>,
}

/// All of it, and the secrets that were made on the way.
#[derive(Default)]
pub(crate) struct Evidence {
    pub(crate) pieces: RefCell<Vec<Piece>>,
    pub(crate) secrets: RefCell<Vec<Canary>>,
}

impl Evidence {
    pub(crate) fn add(&self, of: impl Into<String>, shows: Shows, bytes: impl Into<Vec<u8>>) {
        self.pieces.borrow_mut().push(Piece {
            of: of.into(),
            shows,
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

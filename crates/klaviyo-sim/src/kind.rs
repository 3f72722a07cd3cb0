//! The two kinds of collection.

/// What a collection is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// Profiles are added one by one.
    List,
    /// Profiles that meet a definition.
    Segment,
}

impl Kind {
    /// `list`, as in JSON and in parameters.
    pub const fn noun(self) -> &'static str {
        match self {
            Self::List => "list",
            Self::Segment => "segment",
        }
    }

    /// `lists`, as in paths.
    pub(crate) const fn plural(self) -> &'static str {
        match self {
            Self::List => "lists",
            Self::Segment => "segments",
        }
    }
}

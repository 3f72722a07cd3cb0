//! The order of an organization's deliveries.

/// A delivery's place in the order in which they were written: a number that grows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place(pub u64);

impl Place {
    /// The place as text, for a cursor.
    pub fn to_text(self) -> String {
        self.0.to_string()
    }

    /// Reads the text; `None` if it is none of a place.
    pub fn parse(text: &str) -> Option<Self> {
        text.parse().ok().map(Self)
    }
}

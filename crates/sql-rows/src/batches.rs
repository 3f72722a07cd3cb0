//! Batches over a table, in the order of a key.

use fanfare_domain::ports::StoreError;

/// Where a batch ends. What is done within it goes by this range of keys, so that its cost is the
/// batch's, whatever plan is made for it.
#[derive(Debug)]
pub struct Edge {
    /// The batch's last key.
    pub last: String,
    /// Whether the batch has its full size.
    pub is_full: bool,
    is_followed: bool,
}

impl Edge {
    /// Of up to two keys from the batch's last place on.
    pub fn of(keys: Vec<String>) -> Self {
        /// Above every id, which is ASCII.
        const END: &str = "\u{10FFFF}";
        let mut keys = keys.into_iter();
        let last = keys.next();
        let is_full = last.is_some();
        let last = last.unwrap_or_else(|| END.to_owned());
        let is_followed = keys.next().is_some();
        Self {
            last,
            is_full,
            is_followed,
        }
    }

    /// The key to go on after: the batch's last, if another row follows it.
    pub fn next<T>(
        self,
        parse: impl FnOnce(String) -> Result<T, StoreError>,
    ) -> Result<Option<T>, StoreError> {
        self.is_followed.then(|| parse(self.last)).transpose()
    }
}

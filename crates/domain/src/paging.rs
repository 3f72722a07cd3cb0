//! Paging of Fanfare's own collections.

/// A request for a page: up to `first` items after the key `after`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageRequest {
    /// The most items on the page, at least 1.
    pub first: u32,
    /// The key of the last item of the page before.
    pub after: Option<String>,
}

/// A page: items in the order of their keys, and the keys at its ends. After the last item comes an
/// empty page without keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T> {
    /// The items.
    pub items: Vec<T>,
    /// The key of the first item.
    pub start: Option<String>,
    /// The key of the last item.
    pub end: Option<String>,
}

impl<T> Page<T> {
    /// A page of these items.
    pub fn of(items: Vec<T>, key: impl Fn(&T) -> String) -> Self {
        let (start, end) = (items.first().map(&key), items.last().map(&key));
        Self { items, start, end }
    }

    /// The same page with each item converted.
    pub fn map<U>(self, f: impl FnMut(T) -> U) -> Page<U> {
        Page {
            items: self.items.into_iter().map(f).collect(),
            start: self.start,
            end: self.end,
        }
    }
}

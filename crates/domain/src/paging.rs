//! Paging of Fanfare's own collections.

/// A request for a page: up to `first` items after the key `after`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageRequest {
    /// The most items on the page, at least 1.
    pub first: u32,
    /// The key of the last item of the page before.
    pub after: Option<String>,
}

/// A page: items in the order of their keys. After the last item comes an empty page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T> {
    /// The items.
    pub items: Vec<T>,
    /// The key of each item.
    keys: Vec<String>,
}

impl<T> Page<T> {
    /// A page of these items.
    pub fn of(items: Vec<T>, key: impl Fn(&T) -> String) -> Self {
        let keys = items.iter().map(key).collect();
        Self { items, keys }
    }

    /// The key of the first item.
    pub fn start(&self) -> Option<&str> {
        self.keys.first().map(String::as_str)
    }

    /// The key of the last item.
    pub fn end(&self) -> Option<&str> {
        self.keys.last().map(String::as_str)
    }

    /// The longest beginning of the page whose items have at most `limit` together, each as large as
    /// `size` says; the first item in any case, so that a reader who asks on comes to an end.
    #[must_use]
    pub fn up_to(mut self, limit: usize, size: impl Fn(&T) -> usize) -> Self {
        let mut total = 0_usize;
        let fitting = self.items.iter().take_while(|item| {
            total = total.saturating_add(size(item));
            total <= limit
        });
        let fitting = fitting.count().max(1);
        self.items.truncate(fitting);
        self.keys.truncate(fitting);
        self
    }

    /// The same page with each item converted.
    pub fn map<U>(self, f: impl FnMut(T) -> U) -> Page<U> {
        Page {
            items: self.items.into_iter().map(f).collect(),
            keys: self.keys,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Page;

    #[test]
    fn a_page_is_cut_at_its_limit_and_keeps_its_first_item() {
        let page = |sizes: &[usize]| Page::of(sizes.to_vec(), usize::to_string);
        let cut = |sizes: &[usize]| page(sizes).up_to(10, |size| *size).items;
        assert_eq!(cut(&[4, 6, 1]), [4, 6]);
        assert_eq!(cut(&[11, 1]), [11]);
        assert_eq!(cut(&[usize::MAX, usize::MAX]), [usize::MAX]);
        assert!(cut(&[]).is_empty());
        assert_eq!(page(&[4, 6, 1]).up_to(10, |size| *size).end(), Some("6"));
    }
}

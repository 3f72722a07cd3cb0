//! Pages of sorted resources, found by position rather than by number (keyset pagination).

use super::cursor::CursorPosition;

/// Which page is taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PageQuery {
    pub(crate) is_descending: bool,
    /// Where the page begins or, going back, ends; `None` for a first page.
    pub(crate) from: Option<CursorPosition>,
    /// Whether the page lies before `from`.
    pub(crate) goes_back: bool,
    /// Resources on a page, at most.
    pub(crate) size: usize,
}

/// A page, and whether there are others next to it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Page<T> {
    pub(crate) items: Vec<T>,
    pub(crate) has_next: bool,
    pub(crate) has_prev: bool,
}

impl PageQuery {
    /// Whether resources are read from the last to the first.
    pub(crate) const fn is_reversed(&self) -> bool {
        self.is_descending != self.goes_back
    }

    /// Takes a page of resources that come in the order of the query, from its position on.
    pub(crate) fn take<T>(&self, resources: impl Iterator<Item = T>) -> Page<T> {
        let mut items: Vec<_> = resources.take(self.size.saturating_add(1)).collect();
        let are_more = items.len() > self.size;
        items.truncate(self.size);
        if self.goes_back {
            items.reverse();
            return Page {
                items,
                has_next: true,
                has_prev: are_more,
            };
        }
        Page {
            items,
            has_next: are_more,
            has_prev: self.from.is_some(),
        }
    }

    /// Takes a page of sorted resources. `locate` tells where the query's position lies among them: how many
    /// come before it, and how many up to and with it.
    pub(crate) fn take_sorted<'a, T>(
        &self,
        sorted: &'a [T],
        locate: impl Fn(&CursorPosition) -> (usize, usize),
        is_wanted: impl Fn(&T) -> bool,
    ) -> Page<&'a T> {
        let (before, with) = match &self.from {
            Some(position) => locate(position),
            None => (sorted.len(), 0),
        };
        if self.is_reversed() {
            self.take(
                sorted[..before]
                    .iter()
                    .rev()
                    .filter(|resource| is_wanted(resource)),
            )
        } else {
            self.take(sorted[with..].iter().filter(|resource| is_wanted(resource)))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::query::SortKey;

    /// Pages through 0..10, three at a time.
    fn pages(is_descending: bool) -> Vec<Vec<i64>> {
        let sorted: Vec<i64> = (0..10).collect();
        let mut query = PageQuery {
            is_descending,
            from: None,
            goes_back: false,
            size: 3,
        };
        let mut pages = Vec::new();
        loop {
            let page = query.take_sorted(&sorted, |position| locate(&sorted, position), |_| true);
            let items: Vec<i64> = page.items.into_iter().copied().collect();
            query.from = items.last().map(|last| position(*last));
            pages.push(items);
            if !page.has_next {
                return pages;
            }
        }
    }

    fn position(at: i64) -> CursorPosition {
        let key = SortKey::Time(at);
        let id = String::new();
        CursorPosition { key, id }
    }

    fn locate(sorted: &[i64], position: &CursorPosition) -> (usize, usize) {
        let SortKey::Time(at) = position.key else {
            return (0, 0);
        };
        (
            sorted.partition_point(|n| *n < at),
            sorted.partition_point(|n| *n <= at),
        )
    }

    #[test]
    fn every_resource_is_on_one_page() {
        assert_eq!(
            pages(false),
            [vec![0, 1, 2], vec![3, 4, 5], vec![6, 7, 8], vec![9]]
        );
        assert_eq!(
            pages(true),
            [vec![9, 8, 7], vec![6, 5, 4], vec![3, 2, 1], vec![0]]
        );
    }

    #[test]
    fn going_back_gives_the_page_before() {
        let sorted: Vec<i64> = (0..10).collect();
        let query = PageQuery {
            is_descending: false,
            from: Some(position(6)),
            goes_back: true,
            size: 3,
        };
        let page = query.take_sorted(&sorted, |position| locate(&sorted, position), |_| true);
        assert_eq!(page.items, [&3, &4, &5]);
        assert!(page.has_next && page.has_prev);
    }
}

//! Pages of something sorted, by position rather than by number.

use super::cursor::Mark;

/// How a page is taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Walk {
    pub(crate) is_descending: bool,
    /// Where the page begins or, going back, ends; `None` for a first page.
    pub(crate) from: Option<Mark>,
    /// Whether the page lies before `from`.
    pub(crate) goes_back: bool,
    /// Things on a page.
    pub(crate) size: usize,
}

/// A page, and whether there are others next to it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Page<T> {
    pub(crate) items: Vec<T>,
    pub(crate) has_next: bool,
    pub(crate) has_prev: bool,
}

impl Walk {
    /// Whether things are met from the last to the first.
    pub(crate) const fn is_reversed(&self) -> bool {
        self.is_descending != self.goes_back
    }

    /// Takes a page of things that come in the order of the walk, from the mark on.
    pub(crate) fn take<T>(&self, things: impl Iterator<Item = T>) -> Page<T> {
        let mut items: Vec<_> = things.take(self.size.saturating_add(1)).collect();
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

    /// Takes a page of sorted things. `position` tells where the mark lies among them: how many come
    /// before it, and how many up to and with it.
    pub(crate) fn take_sorted<'a, T>(
        &self,
        sorted: &'a [T],
        position: impl Fn(&Mark) -> (usize, usize),
        is_wanted: impl Fn(&T) -> bool,
    ) -> Page<&'a T> {
        let (before, with) = match &self.from {
            Some(mark) => position(mark),
            None => (sorted.len(), 0),
        };
        if self.is_reversed() {
            self.take(
                sorted[..before]
                    .iter()
                    .rev()
                    .filter(|thing| is_wanted(thing)),
            )
        } else {
            self.take(sorted[with..].iter().filter(|thing| is_wanted(thing)))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::SortKey;

    /// Pages through 0..10, three at a time.
    fn pages(is_descending: bool) -> Vec<Vec<i64>> {
        let sorted: Vec<i64> = (0..10).collect();
        let mut walk = Walk {
            is_descending,
            from: None,
            goes_back: false,
            size: 3,
        };
        let mut pages = Vec::new();
        loop {
            let page = walk.take_sorted(&sorted, |mark| place(&sorted, mark), |_| true);
            let items: Vec<i64> = page.items.into_iter().copied().collect();
            walk.from = items.last().map(|last| mark(*last));
            pages.push(items);
            if !page.has_next {
                return pages;
            }
        }
    }

    fn mark(at: i64) -> Mark {
        let key = SortKey::Time(at);
        let id = String::new();
        Mark { key, id }
    }

    fn place(sorted: &[i64], mark: &Mark) -> (usize, usize) {
        let SortKey::Time(at) = mark.key else {
            return (0, 0);
        };
        (
            sorted.partition_point(|n| *n < at),
            sorted.partition_point(|n| *n <= at),
        )
    }

    #[test]
    fn every_thing_is_on_one_page() {
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
        let walk = Walk {
            is_descending: false,
            from: Some(mark(6)),
            goes_back: true,
            size: 3,
        };
        let page = walk.take_sorted(&sorted, |mark| place(&sorted, mark), |_| true);
        assert_eq!(page.items, [&3, &4, &5]);
        assert!(page.has_next && page.has_prev);
    }
}

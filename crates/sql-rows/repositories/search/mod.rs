//! Searching by the index: section after section in the order of ids, until the page is full. Each part goes by
//! keys, so a text that no consumer has costs a few hundred rows, and one that all have costs the first section.
//!
//! What is not in the index yet is searched as it stands: the consumers after the last section, and those in
//! sections whose texts have changed since (`index.rs` keeps both few). In an audience of few members it is they
//! who are read.

mod index;
mod named;

use std::collections::VecDeque;

use fanfare_domain::ids::AudienceId;
use fanfare_domain::paging::PageRequest;
use fanfare_domain::ports::{ConsumerFilter, ConsumerRecord, StoreError};
use fanfare_domain::search_index::SECTION;
use fanfare_sql_rows::{all, contains_pattern, to_db};
use tokio::time::timeout;

use super::consumers::scan;
use super::pages::{Scope, edge_of_members};
use crate::consumer_reads::read_consumers;
use crate::parameters::texts;
use crate::timeout::{SEARCH_LIMIT, WithTimeout};
use crate::unit::Unit;

use named::{Grams, ids};

pub(super) use index::{advance, is_indexed, mark_one_pending, rebuild_of};
pub(crate) use index::{clear, mark_pending};

/// How many places a row of `search_places` has.
const PLACES: u16 = 64;

/// The most sections that are looked at in one statement.
const MOST_SECTIONS: i64 = 256;

/// How many consumers are compared with the text in one statement: few at first, since most pages need no more.
const FIRST_COMPARED: usize = 64;
const MOST_COMPARED: usize = 1_024;

/// The consumers of the page that hold the needle, which is folded and not empty.
pub(super) async fn find(
    unit: &mut Unit,
    needle: &str,
    filter: &ConsumerFilter,
    page: &PageRequest,
) -> Result<Vec<ConsumerRecord>, StoreError> {
    let search = Search {
        unit,
        filter,
        pattern: contains_pattern(needle),
        grams: Grams::of(needle),
        after: page.after.as_deref().unwrap_or_default(),
        first: page.first as usize,
        pending: VecDeque::new(),
        found: Vec::new(),
    };
    let found = timeout(SEARCH_LIMIT, search.run()).await;
    found.unwrap_or(Err(StoreError::SearchTooLong))
}

struct Search<'a> {
    unit: &'a mut Unit,
    filter: &'a ConsumerFilter,
    pattern: String,
    grams: Grams,
    after: &'a str,
    first: usize,
    /// Who holds the text and is not in the index with it: in order, in the sections that are looked into, without
    /// those that were compared already.
    pending: VecDeque<String>,
    found: Vec<ConsumerRecord>,
}

impl Search<'_> {
    async fn run(mut self) -> Result<Vec<ConsumerRecord>, StoreError> {
        if self.is_in_few().await? {
            self.scan_after(self.after.to_owned()).await?;
            return Ok(self.found);
        }
        let (mut end, mut size) = (self.after.to_owned(), 1);
        while !self.is_full() {
            let sections = index::sections(self.scope(), &end, size).await?;
            let Some(last) = sections.last() else {
                self.search_unindexed(end).await?;
                break;
            };
            self.look_into(&end, &sections).await?;
            end.clone_from(last);
            size = (size * 8).min(MOST_SECTIONS);
        }
        Ok(self.found)
    }

    fn scope(&mut self) -> Scope<'_> {
        Scope::of(self.unit.reading())
    }

    fn is_full(&self) -> bool {
        self.found.len() >= self.first
    }

    /// Whether it is among the members of an audience that has no more of them than a section has.
    async fn is_in_few(&mut self) -> Result<bool, StoreError> {
        let (filter, after) = (self.filter, self.after);
        let Some(audience) = &filter.audience else {
            return Ok(false);
        };
        let edge = edge_of_members(self.scope(), audience, after, SECTION).await?;
        Ok(edge.next(Ok)?.is_none())
    }

    /// Who holds the text, after an id through another one, and is not in the index with it.
    async fn pending(&mut self, after: &str, last: &str) -> Result<Vec<String>, StoreError> {
        let (organization, connection) = self.unit.reading();
        let find = sqlx::query_file_scalar!(
            "sql/search_pending/matching.sql",
            organization,
            after,
            last,
            self.pattern
        );
        find.fetch_all(connection).with_timeout().await
    }

    /// Searches the consumers after the last section. As long as they are few, it takes less to look at all of them than
    /// to look up the members among them one by one.
    async fn search_unindexed(&mut self, after: String) -> Result<(), StoreError> {
        let (organization, connection) = self.unit.reading();
        let find = sqlx::query_file_scalar!(
            "../sql-rows/sql/consumers/nth_after.sql",
            organization,
            after,
            i64::from(SECTION)
        );
        if find
            .fetch_optional(&mut *connection)
            .with_timeout()
            .await?
            .is_some()
        {
            return self.scan_after(after).await;
        }
        let find = sqlx::query_file_scalar!(
            "sql/consumers/holding.sql",
            organization,
            after,
            i64::from(SECTION),
            self.pattern
        );
        let ids = find.fetch_all(connection).with_timeout().await?;
        for ids in ids.chunks(MOST_COMPARED) {
            if !self.is_full() {
                self.compare(ids.to_vec()).await?;
            }
        }
        Ok(())
    }

    /// Searches the consumers after an id one by one, those of the audience if there is one.
    async fn scan_after(&mut self, after: String) -> Result<(), StoreError> {
        let first = i64::try_from(self.first - self.found.len()).unwrap_or(i64::MAX);
        let pattern = Some(self.pattern.as_str());
        let rest = scan(self.unit, self.filter, pattern, &after, first).await?;
        self.found.extend(rest);
        Ok(())
    }

    /// Looks into sections that follow each other, the first one of which begins after `before`.
    async fn look_into(&mut self, before: &str, sections: &[String]) -> Result<(), StoreError> {
        let Some(end) = sections.last() else {
            return Ok(());
        };
        self.pending = self.pending(before, end).await?.into();
        let scope = Scope::of(self.unit.reading());
        let named = self.grams.named(scope, sections).await?;
        let (mut rest, mut size) = (named.as_slice(), FIRST_COMPARED);
        while !rest.is_empty() && !self.is_full() {
            let (these, later) = rest.split_at(size.min(rest.len()));
            let mut ids = ids(self.scope(), sections, these).await?;
            let last = ids.last().cloned().unwrap_or_default();
            let after = self.after;
            ids.retain(|id| id.as_str() > after);
            ids.extend(self.pending_through(&last));
            self.compare(ids).await?;
            rest = later;
            size = (size * 4).min(MOST_COMPARED);
        }
        if !self.is_full() {
            let ids = self.pending_through(end);
            self.compare(ids).await?;
        }
        Ok(())
    }

    fn pending_through(&mut self, last: &str) -> Vec<String> {
        let through = self.pending.partition_point(|id| id.as_str() <= last);
        self.pending.drain(..through).collect()
    }

    /// Takes those of the consumers who hold the text, and are wanted otherwise too, onto the page.
    async fn compare(&mut self, mut ids: Vec<String>) -> Result<(), StoreError> {
        ids.sort_unstable();
        ids.dedup();
        if ids.is_empty() {
            return Ok(());
        }
        let filter = self.filter;
        let (from, to) = (to_db(filter.created_after), to_db(filter.created_before));
        let audience = filter.audience.as_ref().map(AudienceId::as_str);
        let (organization, connection) = self.unit.reading();
        let find = read_consumers!(
            of_ids,
            organization,
            texts(&ids) as _,
            self.pattern,
            from as _,
            to as _,
            audience
        );
        let mut found: Vec<ConsumerRecord> =
            all(find.fetch_all(connection).with_timeout().await?)?;
        found.sort_unstable_by(|one, other| one.consumer.id.cmp(&other.consumer.id));
        found.truncate(self.first - self.found.len());
        self.found.extend(found);
        Ok(())
    }
}

//! Searching by the index: section after section in the order of ids, until the page is full. Each part goes by
//! keys, so a text that no consumer has costs a few hundred rows, and one that all have costs the first section.
//!
//! What is not in the index yet is searched as it stands: the consumers after the last section, and those in
//! sections whose texts have changed since (`index.rs` keeps both few). In an audience of few members it is they
//! who are read.

mod index;

use std::collections::{BTreeSet, HashMap, VecDeque};

use fanfare_domain::ids::AudienceId;
use fanfare_domain::paging::PageRequest;
use fanfare_domain::ports::{ConsumerFilter, ConsumerRecord, StoreError};
use fanfare_domain::search_index::{Gram, SECTION, grams_of_needle, in_all, places};
use fanfare_sql_rows::{all, contains_pattern, corrupt, from_json, to_db};
use tokio::time::timeout;

use super::consumers::scan;
use super::pages::{Scope, edge_of_members};
use crate::consumer_reads::read_consumers;
use crate::parameters::texts;
use crate::search_rows;
use crate::timeout::{SEARCH_LIMIT, WithTimeout};
use crate::unit::Unit;

pub(super) use index::{advance, is_indexed, rebuild_of};
pub(crate) use index::{clear, mark_pending};

/// How many places a row of `search_places` has.
const PLACES: u16 = 64;

/// The most sections that are looked at in one statement.
const MOST_SECTIONS: usize = 256;

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
        grams: grams_of_needle(needle),
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
    grams: Vec<Gram>,
    after: &'a str,
    first: usize,
    /// Who holds the text and is not in the index with it, in order, without those that were compared already.
    pending: VecDeque<String>,
    found: Vec<ConsumerRecord>,
}

impl Search<'_> {
    async fn run(mut self) -> Result<Vec<ConsumerRecord>, StoreError> {
        if self.is_in_few().await? {
            self.scan_after(self.after.to_owned()).await?;
            return Ok(self.found);
        }
        let after = self.after;
        let sections = index::sections(self.scope(), after).await?;
        let mut end = after.to_owned();
        if let Some(last) = sections.last() {
            end.clone_from(last);
            self.pending = self.pending().await?.into();
        }
        let (mut rest, mut size) = (sections.as_slice(), 1);
        while !rest.is_empty() && !self.is_full() {
            let (these, later) = rest.split_at(size.min(rest.len()));
            self.look_into(these).await?;
            rest = later;
            size = (size * 8).min(MOST_SECTIONS);
        }
        if !self.is_full() {
            self.scan_after(end).await?;
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

    async fn pending(&mut self) -> Result<Vec<String>, StoreError> {
        let (organization, connection) = self.unit.reading();
        let find = sqlx::query_file_scalar!(
            "sql/search_pending/matching.sql",
            organization,
            self.after,
            self.pattern
        );
        find.fetch_all(connection).with_timeout().await
    }

    /// Searches consumers that are in no section.
    async fn scan_after(&mut self, after: String) -> Result<(), StoreError> {
        let first = i64::try_from(self.first - self.found.len()).unwrap_or(i64::MAX);
        let pattern = Some(self.pattern.as_str());
        let rest = scan(self.unit, self.filter, pattern, &after, first).await?;
        self.found.extend(rest);
        Ok(())
    }

    async fn look_into(&mut self, sections: &[String]) -> Result<(), StoreError> {
        let grams = std::mem::take(&mut self.grams);
        let named = named(self.scope(), sections, &grams).await;
        self.grams = grams;
        let named = named?;
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
        if let Some(last) = sections.last().filter(|_| !self.is_full()) {
            let ids = self.pending_through(last);
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

/// Whom the index names: by the section's number among those that are given and by place, in the order of ids.
async fn named(
    scope: Scope<'_>,
    sections: &[String],
    grams: &[Gram],
) -> Result<Vec<(u16, u16)>, StoreError> {
    let mut lists: HashMap<String, Vec<Vec<u16>>> = HashMap::new();
    for row in search_rows::blocks(scope, sections, grams).await? {
        let list = places(row.lists.as_deref().unwrap_or_default(), row.gram);
        let list = list.map_err(|_| corrupt("search_blocks.lists"))?;
        lists.entry(row.section).or_default().push(list);
    }
    let mut named = Vec::new();
    for (number, section) in (0..).zip(sections) {
        // A gram that is before the section's first one has no row.
        let lists = lists
            .remove(section)
            .filter(|lists| lists.len() == grams.len());
        let places = in_all(lists.unwrap_or_default());
        named.extend(places.into_iter().map(|place| (number, place)));
    }
    Ok(named)
}

/// Their ids, in the same order.
async fn ids(
    scope: Scope<'_>,
    sections: &[String],
    of: &[(u16, u16)],
) -> Result<Vec<String>, StoreError> {
    let rows: BTreeSet<(&str, i64)> = of.iter().map(|named| row_of(sections, *named)).collect();
    let rows: Vec<(&str, i64)> = rows.into_iter().collect();
    let mut ids: HashMap<(String, i64), Vec<String>> = HashMap::new();
    for row in search_rows::places(scope, &rows).await? {
        let these = from_json(&row.ids, "search_places.ids")?;
        ids.insert((row.section, row.number), these);
    }
    let id = |named: &(u16, u16)| {
        let (section, number) = row_of(sections, *named);
        let ids = ids.get(&(section.to_owned(), number));
        let id = ids.and_then(|ids| ids.get(usize::from(named.1 % PLACES)));
        id.cloned().ok_or_else(|| corrupt("search_places"))
    };
    of.iter().map(id).collect()
}

/// The row in which the id of a place is.
fn row_of(sections: &[String], (section, place): (u16, u16)) -> (&str, i64) {
    (&sections[usize::from(section)], (place / PLACES).into())
}

//! Whom the index names: by the number of the section among those that are given and by place, in the order of ids.

use std::collections::{BTreeSet, HashMap};

use fanfare_domain::ports::StoreError;
use fanfare_domain::search_index::{Gram, grams_of_needle, in_all, most_telling_first, places};
use fanfare_sql_rows::{corrupt, from_json};

use super::PLACES;
use crate::repositories::pages::Scope;
use crate::search_rows;

/// The fewest grams that each section is looked up by: one alone leaves somebody in many.
const LEAST_AT_FIRST: usize = 2;

/// The grams of a needle.
pub(super) struct Grams {
    /// In the order in which sections are looked up by them.
    grams: Vec<Gram>,
    /// How many of them come first. A section in which somebody has those is looked up by one more, then by two, four
    /// and so on: most sections are done with after the first.
    at_first: usize,
}

impl Grams {
    pub(super) fn of(needle: &str) -> Self {
        let grams = grams_of_needle(needle);
        Self {
            // All of them, until a section has shown which tell most.
            at_first: grams.len(),
            grams,
        }
    }

    /// Those who have all the grams.
    pub(super) async fn named(
        &mut self,
        mut scope: Scope<'_>,
        sections: &[String],
    ) -> Result<Vec<(u16, u16)>, StoreError> {
        let (mut these, mut others) = self.grams.split_at(self.at_first);
        let mut lists = lists(scope.reborrow(), sections, these).await?;
        let of_one = sections.first().and_then(|first| lists.get(first).cloned());
        let mut with_all = in_each(lists);
        let mut size = 1;
        while !others.is_empty() && !with_all.is_empty() {
            (these, others) = others.split_at(size.min(others.len()));
            let left: Vec<String> = with_all.keys().cloned().collect();
            lists = self::lists(scope.reborrow(), &left, these).await?;
            for (section, places) in with_all {
                if let Some(lists) = lists.get_mut(&section) {
                    lists.push(places);
                }
            }
            with_all = in_each(lists);
            size *= 2;
        }
        if let Some(lists) = of_one.filter(|_| self.at_first == self.grams.len()) {
            let lists = self.grams.iter().copied().zip(lists);
            let (grams, enough) = most_telling_first(lists.collect());
            self.at_first = enough.max(LEAST_AT_FIRST).min(grams.len());
            self.grams = grams;
        }
        let of_section = |(number, section): (u16, &String)| {
            let places = with_all.remove(section).unwrap_or_default();
            places.into_iter().map(move |place| (number, place))
        };
        Ok((0..).zip(sections).flat_map(of_section).collect())
    }
}

/// The places that are in every list of a section, of each section that has some.
fn in_each(lists: HashMap<String, Vec<Vec<u16>>>) -> HashMap<String, Vec<u16>> {
    let common = |(section, lists)| (section, in_all(lists));
    let common = lists.into_iter().map(common);
    common.filter(|(_, places)| !places.is_empty()).collect()
}

/// Of each section the list of each gram, in their order.
async fn lists(
    scope: Scope<'_>,
    sections: &[String],
    grams: &[Gram],
) -> Result<HashMap<String, Vec<Vec<u16>>>, StoreError> {
    let mut lists: HashMap<String, Vec<Vec<u16>>> = HashMap::new();
    for row in search_rows::blocks(scope, sections, grams).await? {
        let list = places(row.lists.as_deref().unwrap_or_default(), row.gram);
        let list = list.map_err(|_| corrupt("search_blocks.lists"))?;
        // A gram that is before the section's first one may have no row: nobody has it.
        let of_section = lists.entry(row.section);
        let of_section = of_section.or_insert_with(|| vec![Vec::new(); grams.len()]);
        if let Some(at) = grams.iter().position(|gram| *gram == row.gram) {
            of_section[at] = list;
        }
    }
    Ok(lists)
}

/// The ids of those whom the index names, in the same order.
pub(super) async fn ids(
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

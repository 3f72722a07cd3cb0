//! Where a run stands in its walk over a list: several readers, each in a range of join times.
//!
//! A cursor chain gives a page per round trip. Ranges are read beside each other, and each reader's
//! place is kept, so that whoever takes the run up reads one page of each again at most.
//!
//! Exactly one reader goes to the list's end. It finishes last: whoever leaves and joins again while
//! the others read comes up there.

mod reader;
mod watch;

use std::time::Duration;

pub use reader::{Joins, PageTaken, Reader, ReaderNumber};
pub use watch::{CursorLoop, CursorWatch};

use crate::ids::{ConsumerId, ProfileId};
use crate::time::Timestamp;

/// A run's position. Written in the transaction that writes the pages it stands behind.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Checkpoint {
    /// What the run is doing.
    pub phase: Phase,
    /// The readers that have not finished, by their ranges.
    pub readers: Vec<Reader>,
    /// Readers that were added to the first.
    added: ReaderNumber,
    /// Profiles on the fullest page so far.
    page_size: u64,
    /// Whether Klaviyo's pages come in no order that a list could be shared by.
    is_disordered: bool,
}

impl Default for Checkpoint {
    fn default() -> Self {
        Self {
            phase: Phase::default(),
            readers: vec![Reader::default()],
            added: 0,
            page_size: 0,
            is_disordered: false,
        }
    }
}

/// The phases of a run, in order.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Phase {
    /// The list's name and size are still to be read.
    #[default]
    Opening,
    /// Pages are being taken.
    Reading,
    /// All pages are taken; members that are missing are added, from this profile on.
    Adding(Option<ProfileId>),
    /// Members that were not seen are counted, and the guard is asked.
    Asking,
    /// Members that were not seen are removed, from this consumer on. The guard has agreed.
    Removing(Option<ConsumerId>),
}

/// Fewer pages than this are read sooner than a reader is put on them.
const PAGES_WORTH_A_READER: u64 = 4;

/// A division costs two pages at most: an empty one, or one that two readers have in common, and at the
/// list's end another. So many pages are worth that.
const PAGES_WORTH_A_DIVISION: u64 = 20;

/// Klaviyo's filters know whole seconds, so a range is not worth dividing below this.
const SHORTEST_RANGE: Duration = Duration::from_secs(2);

impl Checkpoint {
    /// The readers that may ask for their next page now: all that have one to ask for, or the first
    /// suspect alone, so that it is known whose page it was if something happens again.
    pub fn ready(&self) -> impl Iterator<Item = &Reader> {
        let suspect = self.suspect();
        self.readers.iter().filter(move |reader| match suspect {
            Some(number) => reader.number == number,
            None => !reader.is_waiting,
        })
    }

    /// The suspect whose turn it is.
    pub fn suspect(&self) -> Option<ReaderNumber> {
        let suspect = self.readers.iter().find(|reader| reader.is_suspect);
        suspect.map(|reader| reader.number)
    }

    /// This reader's page failed.
    pub fn suspect_of(&mut self, number: ReaderNumber) {
        if let Some(reader) = self.reader(number) {
            reader.is_suspect = true;
        }
    }

    /// A worker died, and any reader's page may have been the reason.
    pub(crate) fn suspect_all(&mut self) {
        for reader in &mut self.readers {
            reader.is_suspect = !reader.is_waiting;
        }
    }

    /// Moves a reader behind its page, the run's `pages`-th. A reader that is no more, because the list
    /// turned out to be in disorder, moves nothing.
    pub fn advance(
        &mut self,
        number: ReaderNumber,
        page: PageTaken,
        pages: u64,
    ) -> Result<(), CursorLoop> {
        self.page_size = self.page_size.max(page.profiles);
        let Some(reader) = self.reader(number) else {
            return Ok(());
        };
        if reader.is_astray(&page.joins) && !std::mem::replace(&mut self.is_disordered, true) {
            // What lies before a range's beginning was taken for read by another, and may not be.
            if self.added > 0 {
                self.begin_anew();
                return Ok(());
            }
        }
        let Some(reader) = self.reader(number) else {
            return Ok(());
        };
        if !reader.advance(page, pages)? {
            return Ok(());
        }
        if reader.until.is_none() && self.readers.len() > 1 {
            if let Some(reader) = self.reader(number) {
                reader.is_waiting = true;
            }
            return Ok(());
        }
        self.readers.retain(|reader| reader.number != number);
        match self.readers.as_mut_slice() {
            [] => self.phase = Phase::Adding(None),
            [last] => last.is_waiting = false,
            _ => {}
        }
        Ok(())
    }

    /// Gives up a reader's cursor that Klaviyo no longer takes: it goes on from the latest join time it
    /// has seen, or begins anew where those say nothing of what is read. Tells `false` if there was no
    /// cursor to give up.
    pub fn reposition(&mut self, number: ReaderNumber) -> bool {
        let is_disordered = self.is_disordered;
        self.reader(number)
            .is_some_and(|reader| reader.reposition(is_disordered))
    }

    /// Shares the `left` of `total` profiles among up to `most` readers, as far as their requests are worth
    /// it, dividing the longest ranges. The list's end is taken to be at `end`. Where a range begins is
    /// known only once its first page has come.
    ///
    /// An empty half costs its reader one page, and the other half is divided next: whatever the joins
    /// look like, the search is over after as many pages as the range has binary digits.
    pub fn share(&mut self, most: usize, left: u64, total: u64, end: Timestamp) {
        let pages = |profiles: u64| profiles / self.page_size.max(1);
        let readers = usize::try_from(pages(left) / PAGES_WORTH_A_READER).unwrap_or(most);
        let divisions = pages(total) / PAGES_WORTH_A_DIVISION;
        while !self.is_disordered
            && u64::from(self.added) < divisions
            && self.suspect().is_none()
            && self.ready().count() < readers.min(most)
            && let Some((index, middle)) = self.widest(end)
        {
            self.added += 1;
            let left = &mut self.readers[index];
            let right = Reader {
                number: self.added,
                from: Some(middle),
                until: left.until.replace(middle),
                ..Reader::default()
            };
            self.readers.insert(index + 1, right);
        }
    }

    /// The reader with the longest range before it, and the middle of it.
    fn widest(&self, end: Timestamp) -> Option<(usize, Timestamp)> {
        let range = |(index, reader): (usize, &Reader)| {
            let position = reader.position()?;
            Some((reader.until.unwrap_or(end).since(position), index, position))
        };
        let readers = self.readers.iter().enumerate();
        let (width, index, position) = readers
            .filter(|(_, reader)| !reader.is_waiting)
            .filter_map(range)
            .max()?;
        (width >= SHORTEST_RANGE).then(|| (index, position.plus(width / 2).whole_second()))
    }

    fn begin_anew(&mut self) {
        self.added += 1;
        self.readers = vec![Reader {
            number: self.added,
            ..Reader::default()
        }];
    }

    fn reader(&mut self, number: ReaderNumber) -> Option<&mut Reader> {
        self.readers
            .iter_mut()
            .find(|reader| reader.number == number)
    }
}

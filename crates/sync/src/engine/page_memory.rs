//! Page memory: how many bytes the pages hold that a process reads and has not written yet.
//!
//! An ordinary page counts nothing: a hundred profiles are under 100 KB. A larger one reserves what it needs as it
//! grows, from all that there is for the process, and keeps it until its profiles are written. If there is not enough,
//! its answer is dropped, so that a page that waits holds nothing and two pages can never wait for each other; its request
//! is made again when the memory has been reserved.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use fanfare_domain::ids::OrganizationId;
use fanfare_domain::ports::AnswerRoom;
use tokio::sync::oneshot;

/// Up to this size a page counts nothing, in bytes.
const UNCOUNTED: usize = 128 << 10;

/// By how much more than a page needed when it found no room is reserved before it is requested again: it had not
/// ended there.
const GROWTH: usize = 4;

/// The memory for the pages of a process.
pub(super) struct PageMemory {
    size: usize,
    largest_page: usize,
    state: Mutex<State>,
}

struct State {
    free: usize,
    held: HashMap<OrganizationId, usize>,
    waiting: Vec<Waiting>,
}

struct Waiting {
    organization: OrganizationId,
    bytes: usize,
    granted: oneshot::Sender<Reservation>,
}

impl State {
    fn take(&mut self, organization: &OrganizationId, bytes: usize) {
        self.free -= bytes;
        *self.held.entry(organization.clone()).or_default() += bytes;
    }

    fn give_back(&mut self, organization: &OrganizationId, bytes: usize) {
        self.free += bytes;
        if let Some(held) = self.held.get_mut(organization) {
            *held -= bytes;
            if *held == 0 {
                self.held.remove(organization);
            }
        }
    }

    /// The page that is next of those that wait, if there is enough for it: of the organization that holds the least, the one
    /// that has waited for longest. No other passes it while there is not enough.
    fn next(&mut self) -> Option<Waiting> {
        let held = |waiting: &Waiting| self.held.get(&waiting.organization).copied();
        let waiting = self.waiting.iter().enumerate();
        let (index, next) = waiting.min_by_key(|(_, waiting)| held(waiting))?;
        (next.bytes <= self.free).then_some(index)?;
        let next = self.waiting.remove(index);
        self.take(&next.organization, next.bytes);
        Some(next)
    }
}

impl PageMemory {
    /// So many bytes. One page alone can always have all of them, and then it may be as large as `largest_page`.
    pub(super) fn of(size: usize, largest_page: usize) -> Arc<Self> {
        Arc::new(Self {
            size,
            largest_page,
            state: Mutex::new(State {
                free: size,
                held: HashMap::new(),
                waiting: Vec::new(),
            }),
        })
    }

    /// How many bytes a page may have.
    pub(super) const fn largest_page(&self) -> usize {
        self.largest_page
    }

    /// Room for a page of the organization, which grows as far as there is memory.
    pub(super) fn room(self: &Arc<Self>, of: &OrganizationId) -> Reservation {
        Reservation {
            memory: Arc::clone(self),
            organization: of.clone(),
            bytes: Mutex::new(0),
        }
    }

    /// Waits for room for a page that found none when it had come to `bytes`.
    pub(super) async fn reserve(
        self: &Arc<Self>,
        of: &OrganizationId,
        bytes: usize,
    ) -> Reservation {
        let (granted, reservation) = oneshot::channel();
        self.state().waiting.push(Waiting {
            organization: of.clone(),
            bytes: (bytes * GROWTH).min(self.size),
            granted,
        });
        self.serve();
        // The sender is dropped only after it has sent.
        reservation.await.unwrap_or_else(|_| self.room(of))
    }

    /// Grants memory to those who wait, as far as there is enough.
    fn serve(self: &Arc<Self>) {
        loop {
            let mut state = self.state();
            state.waiting.retain(|waiting| !waiting.granted.is_closed());
            let Some(next) = state.next() else { return };
            drop(state);
            let reservation = Reservation {
                memory: Arc::clone(self),
                organization: next.organization,
                bytes: Mutex::new(next.bytes),
            };
            // If no page waits for it any more, it is dropped, and the memory is free again.
            let _ = next.granted.send(reservation);
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Memory that is reserved for one page, until it is dropped.
pub(super) struct Reservation {
    memory: Arc<PageMemory>,
    organization: OrganizationId,
    bytes: Mutex<usize>,
}

impl Reservation {
    /// Gives back what a page of so many bytes does not need.
    pub(super) fn shrink_to(&self, bytes: usize) {
        let needed = if bytes <= UNCOUNTED { 0 } else { bytes };
        let mut reserved = self.reserved();
        let unneeded = reserved.saturating_sub(needed);
        *reserved -= unneeded;
        drop(reserved);
        self.give_back(unneeded);
    }

    fn give_back(&self, bytes: usize) {
        if bytes > 0 {
            self.memory.state().give_back(&self.organization, bytes);
            self.memory.serve();
        }
    }

    fn reserved(&self) -> MutexGuard<'_, usize> {
        self.bytes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl AnswerRoom for Reservation {
    fn grow_to(&self, bytes: usize) -> bool {
        if bytes > self.memory.largest_page {
            return false;
        }
        let counted = bytes.min(self.memory.size);
        let mut reserved = self.reserved();
        if bytes <= UNCOUNTED || counted <= *reserved {
            return true;
        }
        let more = counted - *reserved;
        let mut state = self.memory.state();
        // Pages that wait come first.
        state.waiting.retain(|waiting| !waiting.granted.is_closed());
        if !state.waiting.is_empty() || more > state.free {
            return false;
        }
        state.take(&self.organization, more);
        *reserved = counted;
        true
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        let reserved = std::mem::take(&mut *self.reserved());
        self.give_back(reserved);
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;

    use futures_util::FutureExt;

    use super::*;

    const MIB: usize = 1 << 20;

    fn organization(id: &str) -> OrganizationId {
        OrganizationId::parse(id).unwrap()
    }

    #[test]
    fn ordinary_pages_count_nothing_and_one_page_alone_can_have_everything() {
        let memory = PageMemory::of(32 * MIB, 64 * MIB);
        let (ours, theirs) = (organization("org_a"), organization("org_b"));
        let large = memory.room(&ours);
        assert!(large.grow_to(20 * MIB) && large.grow_to(32 * MIB));
        assert!(large.grow_to(64 * MIB) && !large.grow_to(64 * MIB + 1));

        let small = memory.room(&theirs);
        assert!(small.grow_to(UNCOUNTED) && !small.grow_to(UNCOUNTED + 1));
        large.shrink_to(MIB);
        assert!(small.grow_to(UNCOUNTED + 1) && small.grow_to(31 * MIB));
        drop((large, small));
        assert_eq!(memory.state().free, 32 * MIB);
        assert!(memory.state().held.is_empty());
    }

    #[tokio::test]
    async fn whoever_waits_gets_memory_in_turn_and_first_of_the_organization_that_holds_least() {
        let memory = PageMemory::of(8 * MIB, 8 * MIB);
        let (ours, theirs) = (organization("org_a"), organization("org_b"));
        let first = memory.reserve(&ours, 2 * MIB).await;
        let mut second = pin!(memory.reserve(&ours, MIB));
        let mut other = pin!(memory.reserve(&theirs, MIB));
        assert!((&mut second).now_or_never().is_none());
        assert!((&mut other).now_or_never().is_none());
        assert!(!memory.room(&theirs).grow_to(MIB), "others wait");

        first.shrink_to(4 * MIB);
        let other = other.now_or_never().expect("it comes before more of ours");
        assert!((&mut second).now_or_never().is_none());
        drop(other);
        assert!(second.now_or_never().is_some());
    }

    #[tokio::test]
    async fn memory_that_nobody_waits_for_any_more_is_free_again() {
        let memory = PageMemory::of(8 * MIB, 8 * MIB);
        let ours = organization("org_a");
        let first = memory.reserve(&ours, 2 * MIB).await;
        assert!(memory.reserve(&ours, 2 * MIB).now_or_never().is_none());
        drop(first);
        assert_eq!(memory.state().free, 8 * MIB);
        let last = memory.reserve(&ours, 99 * MIB).now_or_never();
        assert!(last.expect("as much as there is").grow_to(8 * MIB));
    }
}

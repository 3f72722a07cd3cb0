//! Fetching: requests for pages that are made at the same time, at most one for each partition.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use fanfare_domain::connection::OpenConnection;
use fanfare_domain::ids::OrganizationId;
use fanfare_domain::ports::{AnswerRoom, KlaviyoError, MemberPage, MembersFrom};
use fanfare_domain::profile::Profile;
use fanfare_domain::quota::{Kept, Priority};
use fanfare_domain::scan::{Partition, PartitionNumber};
use fanfare_domain::source::CollectionRef;
use fanfare_domain::time::Timestamp;
use fanfare_domain::waiting::Waiting;
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use tokio_util::sync::CancellationToken;

use crate::engine::page_memory::{PageMemory, Reservation};
use crate::integration::Integration;
use crate::klaviyo::CallError;

/// The longest wait for quota during which a worker keeps the run; for a longer one it gives the run back. A
/// wait for a `Retry-After` of Klaviyo's is always longer, at least one second.
pub(super) const SHORT_WAIT: Duration = Duration::from_millis(999);

/// The most answers that are taken at once. The pages of all partitions together would be written while none is requested.
const AT_ONCE: usize = 8;

/// How long a unit is let alone before the next pages are requested, if others wait already. It begins with short statements, and
/// where cores are few, reading pages beside them would delay each.
const HEAD_START: Duration = Duration::from_millis(8);

/// A partition's page, or why there is none.
pub(super) struct Fetched {
    pub(super) partition: PartitionNumber,
    pub(super) answer: Result<MemberPage, CallError>,
    /// When the request for it began.
    pub(super) began_at: Timestamp,
    /// The memory of the page, which is to be dropped when the page has been written.
    pub(super) room: Reservation,
}

/// Everything that a request for a page needs.
#[derive(Clone)]
pub(super) struct Fetcher<'a> {
    pub(super) integration: &'a Integration,
    pub(super) memory: &'a Arc<PageMemory>,
    pub(super) organization: &'a OrganizationId,
    pub(super) connection: Arc<OpenConnection>,
    pub(super) collection: CollectionRef,
    /// Once this is cancelled, requests no longer wait for quota or for memory.
    pub(super) ending: CancellationToken,
    /// How large a page of this list was when it found no room, in bytes; 0 if none did. From then on room is
    /// reserved before a page is requested, so that no request is in vain.
    pub(super) largest: Arc<AtomicUsize>,
}

impl Fetcher<'_> {
    async fn fetch(
        self,
        partition: PartitionNumber,
        from: MembersFrom,
        priority: Priority,
    ) -> Fetched {
        let klaviyo = &self.integration.klaviyo;
        let mut room = self.memory.room(self.organization);
        let began_at = self.integration.now();
        let answer = loop {
            let largest = self.largest.load(Ordering::Relaxed);
            if !room.grow_to(largest) {
                drop(room);
                let reserved = self.memory.reserve(self.organization, largest);
                let Some(reserved) = self.ending.run_until_cancelled(reserved).await else {
                    room = self.memory.room(self.organization);
                    let now = self.integration.now();
                    break Err(CallError::NotBefore(Waiting::for_turn(now)));
                };
                room = reserved;
            }
            match klaviyo
                .members(&self.connection, &self.collection, &from, priority, &room)
                .await
            {
                Err(CallError::NotBefore(waiting)) => {
                    let wait = waiting.until.since(self.integration.now());
                    if wait > SHORT_WAIT || self.ending.is_cancelled() {
                        break Err(CallError::NotBefore(waiting));
                    }
                    tokio::time::sleep(wait).await;
                }
                Err(CallError::Klaviyo(KlaviyoError::NoRoom(bytes))) => {
                    let most = self.memory.largest_page();
                    if bytes > most {
                        let what = format!("the page is larger than {most} bytes");
                        break Err(CallError::Klaviyo(KlaviyoError::Invalid(what)));
                    }
                    self.largest.fetch_max(bytes, Ordering::Relaxed);
                }
                Ok(page) => {
                    room.shrink_to(page.profiles.iter().map(Profile::text_bytes).sum());
                    break Ok(page);
                }
                other => break other,
            }
        };
        Fetched {
            partition,
            answer,
            began_at,
            room,
        }
    }
}

/// The requests for pages that have no answer yet, and the answers that have arrived and are not taken yet.
#[derive(Default)]
pub(super) struct Fetches<'a> {
    pending: FuturesUnordered<Pin<Box<dyn Future<Output = Fetched> + Send + 'a>>>,
    arrived: Vec<Fetched>,
    /// The request for the list's count, if there is one, and its answer.
    counting: FuturesUnordered<Pin<Box<dyn Future<Output = Option<u64>> + Send + 'a>>>,
    counted: Option<u64>,
    /// The partitions of both.
    partitions: Vec<PartitionNumber>,
}

impl<'a> Fetches<'a> {
    /// Requests this partition's page, unless it is requested already. While a chain is read, `chains` is kept for it.
    pub(super) fn request(&mut self, partition: &Partition, chains: Kept, fetcher: &Fetcher<'a>) {
        if self.partitions.contains(&partition.number) {
            return;
        }
        let from = MembersFrom {
            order: partition.order,
            joined_from: partition.from,
            joined_before: partition.until.filter(|_| partition.reads_backwards()),
            cursor: partition.cursor.clone(),
        };
        self.partitions.push(partition.number);
        let priority = if partition.chain.is_some() {
            Priority::Serial(chains)
        } else {
            Priority::Sync(chains)
        };
        let fetch = fetcher.clone().fetch(partition.number, from, priority);
        self.pending.push(Box::pin(fetch));
    }

    /// Counts the list meanwhile.
    pub(super) fn count(&mut self, count: impl Future<Output = Option<u64>> + Send + 'a) {
        self.counting.push(Box::pin(count));
    }

    /// How many profiles the list has, once, as soon as that is known.
    pub(super) const fn counted(&mut self) -> Option<u64> {
        self.counted.take()
    }

    /// Waits for an answer, and returns those that have arrived by then, up to [`AT_ONCE`]. Returns none if no page is
    /// requested.
    pub(super) async fn arrived(&mut self) -> Vec<Fetched> {
        while self.arrived.is_empty() {
            tokio::select! {
                biased;
                first = self.pending.next() => match first {
                    Some(first) => self.arrived.push(first),
                    None => break,
                },
                Some(counted) = self.counting.next() => self.counted = counted,
            }
        }
        let rest = self.arrived.split_off(self.arrived.len().min(AT_ONCE));
        let arrived = std::mem::replace(&mut self.arrived, rest);
        self.partitions.retain(|partition| {
            !arrived
                .iter()
                .any(|fetched| fetched.partition == *partition)
        });
        arrived
    }

    /// Whether answers have arrived that are not taken yet.
    pub(super) const fn have_arrived(&self) -> bool {
        !self.arrived.is_empty()
    }

    /// Does `work` while answers arrive. Where some wait already, `work` has a head start.
    pub(super) async fn beside<T>(&mut self, work: impl Future<Output = T>) -> T {
        let mut work = std::pin::pin!(work);
        if self.have_arrived() {
            tokio::select! {
                biased;
                done = &mut work => return done,
                () = tokio::time::sleep(HEAD_START) => {}
            }
        }
        loop {
            tokio::select! {
                biased;
                done = &mut work => return done,
                Some(fetched) = self.pending.next() => self.arrived.push(fetched),
                Some(counted) = self.counting.next() => self.counted = counted,
            }
        }
    }
}

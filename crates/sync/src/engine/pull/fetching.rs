//! Fetching: requests for pages that are made at the same time, at most one for each partition.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use fanfare_domain::connection::OpenConnection;
use fanfare_domain::ports::{MemberPage, MembersFrom};
use fanfare_domain::scan::{Partition, PartitionNumber};
use fanfare_domain::source::CollectionRef;
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use tokio_util::sync::CancellationToken;

use crate::integration::Integration;
use crate::klaviyo::CallError;

/// The longest wait for quota during which a worker keeps the run; for a longer one it gives the run back. A
/// wait for a `Retry-After` of Klaviyo's is always longer, at least one second.
pub(super) const SHORT_WAIT: Duration = Duration::from_millis(999);

/// A partition's page, or why there is none.
pub(super) struct Fetched {
    pub(super) partition: PartitionNumber,
    pub(super) answer: Result<MemberPage, CallError>,
}

/// Everything that a request for a page needs.
#[derive(Clone)]
pub(super) struct Fetcher<'a> {
    pub(super) integration: &'a Integration,
    pub(super) connection: Arc<OpenConnection>,
    pub(super) collection: CollectionRef,
    /// Once this is cancelled, requests no longer wait for quota.
    pub(super) stop: &'a CancellationToken,
}

impl Fetcher<'_> {
    async fn fetch(self, partition: PartitionNumber, from: MembersFrom) -> Fetched {
        let klaviyo = &self.integration.klaviyo;
        let answer = loop {
            match klaviyo
                .members(&self.connection, &self.collection, &from)
                .await
            {
                Err(CallError::NotBefore(waiting)) => {
                    let wait = waiting.until.since(self.integration.now());
                    if wait > SHORT_WAIT || self.stop.is_cancelled() {
                        break Err(CallError::NotBefore(waiting));
                    }
                    tokio::time::sleep(wait).await;
                }
                other => break other,
            }
        };
        Fetched { partition, answer }
    }
}

/// The requests for pages that have no answer yet, and the answers that have arrived and are not taken yet.
#[derive(Default)]
pub(super) struct Fetches<'a> {
    pending: FuturesUnordered<Pin<Box<dyn Future<Output = Fetched> + Send + 'a>>>,
    arrived: Vec<Fetched>,
    /// The partitions of both.
    partitions: Vec<PartitionNumber>,
}

impl<'a> Fetches<'a> {
    /// Requests this partition's page, unless it is requested already.
    pub(super) fn request(&mut self, partition: &Partition, fetcher: &Fetcher<'a>) {
        if self.partitions.contains(&partition.number) {
            return;
        }
        let from = MembersFrom {
            order: partition.order,
            joined_from: partition.from,
            cursor: partition.cursor.clone(),
        };
        self.partitions.push(partition.number);
        let fetch = fetcher.clone().fetch(partition.number, from);
        self.pending.push(Box::pin(fetch));
    }

    /// Waits for an answer, and returns all that have arrived by then. Returns none if no page is requested.
    pub(super) async fn arrived(&mut self) -> Vec<Fetched> {
        if self.arrived.is_empty() {
            let first = self.pending.next().await;
            self.arrived.extend(first);
        }
        let arrived = std::mem::take(&mut self.arrived);
        self.partitions.retain(|partition| {
            !arrived
                .iter()
                .any(|fetched| fetched.partition == *partition)
        });
        arrived
    }

    /// Does `work` while answers arrive.
    pub(super) async fn beside<T>(&mut self, work: impl Future<Output = T>) -> T {
        let mut work = std::pin::pin!(work);
        loop {
            tokio::select! {
                biased;
                done = &mut work => return done,
                Some(fetched) = self.pending.next() => self.arrived.push(fetched),
            }
        }
    }
}

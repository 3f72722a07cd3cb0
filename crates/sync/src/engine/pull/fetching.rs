//! Pages on their way: one for each partition at most, asked for beside each other.

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

/// A wait for our own pacing that is shorter than this is sat out; any other gives the worker back.
/// Whatever Klaviyo asks for by `Retry-After` is a second at least.
pub(super) const SHORT_WAIT: Duration = Duration::from_millis(999);

/// A partition's page, or why there is none.
pub(super) struct Fetched {
    pub(super) partition: PartitionNumber,
    pub(super) answer: Result<MemberPage, CallError>,
}

/// How pages are asked for.
#[derive(Clone)]
pub(super) struct Fetcher<'a> {
    pub(super) integration: &'a Integration,
    pub(super) connection: Arc<OpenConnection>,
    pub(super) collection: CollectionRef,
    /// Once cancelled, quota is no longer waited for.
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
                Err(CallError::NotBefore(until)) => {
                    let wait = until.since(self.integration.now());
                    if wait > SHORT_WAIT || self.stop.is_cancelled() {
                        break Err(CallError::NotBefore(until));
                    }
                    tokio::time::sleep(wait).await;
                }
                other => break other,
            }
        };
        Fetched { partition, answer }
    }
}

/// The pages on their way, and those that have come and are not taken yet.
#[derive(Default)]
pub(super) struct Fetches<'a> {
    under_way: FuturesUnordered<Pin<Box<dyn Future<Output = Fetched> + Send + 'a>>>,
    arrived: Vec<Fetched>,
    /// Partitions of either.
    partitions: Vec<PartitionNumber>,
}

impl<'a> Fetches<'a> {
    /// Asks for this partition's page, unless it is on its way.
    pub(super) fn ask(&mut self, partition: &Partition, fetcher: &Fetcher<'a>) {
        if self.partitions.contains(&partition.number) {
            return;
        }
        let from = MembersFrom {
            joined_from: partition.from,
            cursor: partition.cursor.clone(),
        };
        self.partitions.push(partition.number);
        let fetch = fetcher.clone().fetch(partition.number, from);
        self.under_way.push(Box::pin(fetch));
    }

    /// Waits for a page, and gives all that have come by then. None if none is on its way.
    pub(super) async fn arrived(&mut self) -> Vec<Fetched> {
        if self.arrived.is_empty() {
            let first = self.under_way.next().await;
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

    /// Does something else while pages come.
    pub(super) async fn beside<T>(&mut self, work: impl Future<Output = T>) -> T {
        let mut work = std::pin::pin!(work);
        loop {
            tokio::select! {
                biased;
                done = &mut work => return done,
                Some(fetched) = self.under_way.next() => self.arrived.push(fetched),
            }
        }
    }
}

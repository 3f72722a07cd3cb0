//! A pool of connections of which each organization, or each account, has no more than a share: an
//! organization whose units wait for its lock or search for long leaves the others theirs, and so does
//! an account whose quota many calls ask for at once.

use std::hash::Hash;
use std::time::Duration;

use fanfare_domain::ports::StoreError;
use fanfare_sql_rows::{Permit, Shares};
use sqlx::PgPool;

use crate::session::ACQUIRE_TIMEOUT;
use crate::timeout::WithTimeout;
use crate::transaction::Transaction;

/// A pool, and how much of it each key of `K` uses. Clones are the same.
#[derive(Clone)]
pub(crate) struct FairPool<K> {
    connections: PgPool,
    shares: Shares<K>,
    patience: Duration,
    busy: fn() -> StoreError,
}

impl<K: Clone + Eq + Hash> FairPool<K> {
    /// Of these connections, each key uses `share` at most. A permit is waited for as long as a connection.
    pub(crate) fn new(connections: PgPool, share: usize) -> Self {
        Self {
            connections,
            shares: Shares::new(share),
            patience: ACQUIRE_TIMEOUT,
            busy: || StoreError::Unavailable(BUSY.into()),
        }
    }

    /// The same for searches, which wait less long for their share and are told that it is in use.
    pub(crate) fn of_searches(connections: PgPool, share: usize, patience: Duration) -> Self {
        Self {
            patience,
            busy: || StoreError::TooManySearches,
            ..Self::new(connections, share)
        }
    }

    /// Begins a transaction as soon as the share of the key `of` allows it, in turn.
    pub(crate) async fn begin(&self, of: &K) -> Result<(Transaction, Permit), StoreError> {
        let permit = self.permit(of).await?;
        let tx = Transaction::begin(&self.connections);
        Ok((tx.with_timeout().await?, permit))
    }

    /// The same for a message that the caller sends: one that begins a transaction, or is a transaction of its own.
    pub(crate) async fn connection(&self, of: &K) -> Result<(Transaction, Permit), StoreError> {
        let permit = self.permit(of).await?;
        let tx = Transaction::of_message(&self.connections);
        Ok((tx.with_timeout().await?, permit))
    }

    async fn permit(&self, of: &K) -> Result<Permit, StoreError> {
        let permit = self.shares.permit(of, self.patience).await;
        permit.ok_or_else(self.busy)
    }

    pub(crate) async fn close(&self) {
        self.connections.close().await;
    }
}

const BUSY: &str = "others of the same organization or account took longer than 5 s";

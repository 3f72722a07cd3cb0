//! Whether a program can do its work now.

use std::time::Duration;

use async_trait::async_trait;
use fanfare_http::Readiness;
use fanfare_jobs::Heartbeat;

use crate::storage::Storage;

/// How long a readiness check waits for the store. It is shorter than a store waits for a connection, so that
/// a store that does not answer is told from one with another schema.
const STORE_CHECK_TIMEOUT: Duration = Duration::from_secs(4);

/// The API: ready while the store is there and has this program's schema.
pub(crate) struct StoreReadiness(pub(crate) Storage);

/// A worker: the same, and its runner lives.
pub(crate) struct WorkerReadiness {
    pub(crate) store: StoreReadiness,
    pub(crate) heartbeat: Heartbeat,
}

#[async_trait]
impl Readiness for StoreReadiness {
    async fn check(&self) -> Result<(), String> {
        match tokio::time::timeout(STORE_CHECK_TIMEOUT, self.0.health()).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => {
                // The address of the store stays in the log: readiness needs no authentication.
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "the store is not usable"
                );
                Err(
                    "the store is away, or its schema is not this program's; see the log"
                        .to_owned(),
                )
            }
            Err(_) => Err("the store does not answer".to_owned()),
        }
    }
}

#[async_trait]
impl Readiness for WorkerReadiness {
    async fn check(&self) -> Result<(), String> {
        self.store.check().await?;
        if self.heartbeat.is_alive() {
            Ok(())
        } else {
            Err(
                "the job runner has not got through to the store for half a minute; see the log"
                    .to_owned(),
            )
        }
    }
}

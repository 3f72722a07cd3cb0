//! Whether a program can do its work now.

use std::time::Duration;

use async_trait::async_trait;
use fanfare_http::Readiness;
use fanfare_jobs::Heartbeat;

use crate::storage::Storage;

/// Whoever asks for readiness does not wait longer. Shorter than a store waits for a connection, so that
/// silence is told from a schema that is another's.
const PATIENCE: Duration = Duration::from_secs(4);

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
        match tokio::time::timeout(PATIENCE, self.0.health()).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => {
                // Where the store is stays in the log: anybody may ask for readiness.
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

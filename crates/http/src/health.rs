//! Whether the program lives, whether it is ready, and what it counts.

use std::sync::Arc;

use async_trait::async_trait;

/// Whether a program can do its work now.
#[async_trait]
pub trait Readiness: Send + Sync {
    /// `Err` says in one line what is missing and what to do; every caller of `/readyz` sees it, so
    /// it must hold nothing private.
    async fn check(&self) -> Result<(), String>;
}

/// Renders the program's metrics as Prometheus text.
pub type RenderMetrics = Arc<dyn Fn() -> String + Send + Sync>;

/// What `/readyz` and `/metrics` ask.
pub(crate) struct Health {
    pub(crate) readiness: Arc<dyn Readiness>,
    pub(crate) metrics: RenderMetrics,
}

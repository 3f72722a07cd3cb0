//! How long the server is waited for.
//!
//! A server that is stopped, or behind a network that swallows packets, neither answers nor hangs up,
//! and no limit of its own helps then. The caller gives up, as if the connection were lost: the statement
//! may have been done or not, a commit too. The connection goes with its unit
//! (`session`).

use std::time::Duration;

use fanfare_domain::ports::StoreError;
use tokio::time::timeout;

use crate::error::store_error;

/// Longer than the server's own limits (`session`), whose errors say more.
pub(crate) const ANSWER_TIMEOUT: Duration = Duration::from_secs(20);

/// How long a search may take. The server gives its statements up soon after (`store.rs`).
pub(crate) const SEARCH_LIMIT: Duration = Duration::from_secs(2);

/// A request to the server: a statement, a connection, a commit.
pub(crate) trait WithTimeout<T>: Future<Output = Result<T, sqlx::Error>> + Sized {
    /// Its result, in the ports' words; that there was none within the timeout is transient.
    fn with_timeout(self) -> impl Future<Output = Result<T, StoreError>> + Send
    where
        Self: Send,
    {
        async move {
            match timeout(ANSWER_TIMEOUT, self).await {
                Ok(answer) => answer.map_err(store_error),
                Err(_) => Err(StoreError::Unavailable(NO_ANSWER.into())),
            }
        }
    }
}

impl<T, F: Future<Output = Result<T, sqlx::Error>>> WithTimeout<T> for F {}

const NO_ANSWER: &str = "the database did not answer within 20 s";

#[cfg(test)]
mod tests {
    use std::future::pending;

    use tokio::time::Instant;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_server_that_never_answers_is_unavailable_after_the_limit() {
        let asked_at = Instant::now();

        let answer = pending::<Result<(), sqlx::Error>>().with_timeout().await;

        let error = answer.unwrap_err();
        assert!(error.is_transient(), "{error:?}");
        assert_eq!(asked_at.elapsed(), ANSWER_TIMEOUT);
    }
}

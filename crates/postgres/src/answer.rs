//! How long the server is waited for.
//!
//! A server that is stopped, or behind a network that swallows packets, neither answers nor hangs up,
//! and no limit of its own helps then. Whoever waits for one gives up, as if the connection were lost:
//! what was asked may have been done or not, a commit too. The connection goes with its unit
//! (`session`).

use std::time::Duration;

use fanfare_domain::ports::StoreError;
use tokio::time::timeout;

use crate::error::store_error;

/// Longer than the server's own limits (`session`), whose errors say more.
pub(crate) const LIMIT: Duration = Duration::from_secs(20);

/// What the server is asked: a statement, a connection, a commit.
pub(crate) trait Asked<T>: Future<Output = Result<T, sqlx::Error>> + Sized {
    /// Its answer, in the ports' words; that there was none is transient.
    fn answer(self) -> impl Future<Output = Result<T, StoreError>> + Send
    where
        Self: Send,
    {
        async move {
            match timeout(LIMIT, self).await {
                Ok(answer) => answer.map_err(store_error),
                Err(_) => Err(StoreError::Unavailable(SILENCE.into())),
            }
        }
    }
}

impl<T, F: Future<Output = Result<T, sqlx::Error>>> Asked<T> for F {}

const SILENCE: &str = "the database did not answer within 20 s";

#[cfg(test)]
mod tests {
    use std::future::pending;

    use tokio::time::Instant;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_server_that_never_answers_is_unavailable_after_the_limit() {
        let asked_at = Instant::now();

        let answer = pending::<Result<(), sqlx::Error>>().answer().await;

        let error = answer.unwrap_err();
        assert!(error.is_transient(), "{error:?}");
        assert_eq!(asked_at.elapsed(), LIMIT);
    }
}

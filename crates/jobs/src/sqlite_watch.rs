//! Sees a job that another connection has added to a SQLite file, sooner than apalis, which looks once in a second.

use std::time::Duration;

use sqlx::SqliteConnection;

/// How often the watch looks. A look that sees no change reads nothing of the file.
pub(crate) const INTERVAL: Duration = Duration::from_millis(50);

/// A connection that is told of the changes of others.
pub(crate) struct Watch<'a> {
    connection: &'a mut SqliteConnection,
    queue: &'a str,
    seen: i64,
}

impl<'a> Watch<'a> {
    /// Over this connection, on which nothing else is done.
    pub(crate) const fn over(connection: &'a mut SqliteConnection, queue: &'a str) -> Self {
        Self {
            connection,
            queue,
            seen: 0,
        }
    }

    /// Whether another connection has changed the file since the last look, and a job waits to be fetched.
    pub(crate) async fn sees_job(&mut self) -> Result<bool, sqlx::Error> {
        let version: i64 = sqlx::query_scalar("PRAGMA data_version")
            .fetch_one(&mut *self.connection)
            .await?;
        if std::mem::replace(&mut self.seen, version) == version {
            return Ok(false);
        }
        sqlx::query_scalar(
            "SELECT EXISTS (SELECT 1 FROM Jobs WHERE status = 'Pending' AND job_type = ?1)",
        )
        .bind(self.queue)
        .fetch_one(&mut *self.connection)
        .await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SqliteQueue;

    const ADD: &str = "INSERT INTO Jobs (job, id, job_type) VALUES (x'', ?1, ?2)";

    #[tokio::test]
    async fn a_job_of_the_queue_is_seen_once_for_each_change() {
        let folder = tempfile::tempdir().unwrap();
        let file = sqlx::sqlite::SqliteConnectOptions::new()
            .filename(folder.path().join("store.db"))
            .create_if_missing(true);
        let queue = SqliteQueue::open(file.clone(), "ours").await.unwrap();
        let pool = sqlx::SqlitePool::connect_with(file).await.unwrap();
        let mut connection = pool.acquire().await.unwrap();
        let mut watch = Watch::over(&mut connection, "ours");
        assert!(!watch.sees_job().await.unwrap(), "there is no job yet");

        for (id, queue, is_seen) in [("1", "others", false), ("2", "ours", true)] {
            let add = sqlx::query(ADD).bind(id).bind(queue);
            add.execute(&pool).await.unwrap();
            assert_eq!(watch.sees_job().await.unwrap(), is_seen, "{queue}");
            assert!(
                !watch.sees_job().await.unwrap(),
                "nothing has changed since"
            );
        }

        let done = sqlx::query("UPDATE Jobs SET status = 'Done'");
        done.execute(&pool).await.unwrap();
        assert!(!watch.sees_job().await.unwrap(), "no job waits");
        queue.close().await;
    }
}

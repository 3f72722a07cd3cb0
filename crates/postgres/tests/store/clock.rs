//! The store's time, which is the server's.

use std::time::Duration;

use fanfare_domain::time::Timestamp;
use fanfare_postgres::{PostgresOptions, PostgresStore};

use crate::support::store;

/// A process that opens the store shows the server's time, to the time that an answer takes, and never a later one.
#[tokio::test]
async fn the_stores_time_is_the_servers_and_never_ahead_of_it() {
    let fixture = store().await;
    let address = fixture.database.address();
    let options = PostgresOptions::at(&address).unwrap();
    let opened = PostgresStore::open(options).await.unwrap();
    let clock = opened.clock();
    let pool = fixture.database.pool();
    for _ in 0..20 {
        let shown = clock.now();
        let micros: i64 =
            sqlx::query_scalar("SELECT (extract(epoch FROM clock_timestamp()) * 1e6)::bigint")
                .fetch_one(&pool)
                .await
                .unwrap();
        let server = Timestamp::from_micros(micros).unwrap();
        assert!(shown <= server, "{shown} is later than {server}");
        assert!(
            server.since(shown) < Duration::from_secs(5),
            "{shown}, {server}"
        );
    }
    opened.close().await;
}

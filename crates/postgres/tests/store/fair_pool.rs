//! No organization's units leave others without connections.

use std::future::poll_fn;
use std::task::Poll;
use std::time::Duration;

use fanfare_domain::organization::KeyHash;
use fanfare_domain::ports::{Directory, QuotaLedger, Store, StoreError};
use fanfare_domain::quota::{Demand, Endpoint};
use fanfare_postgres::{PostgresOptions, PostgresStore};
use fanfare_testkit::build::at;
use sqlx::PgPool;

use crate::support::{Fixture, org, store};

/// As another process would open it, with so many connections of each kind.
async fn another_process(fixture: &Fixture, connections: u32) -> PostgresStore {
    let options = PostgresOptions::at(&fixture.database.address()).unwrap();
    PostgresStore::open(options.connections(connections))
        .await
        .unwrap()
}

/// Until a connection of this database waits for a lock of this kind.
async fn waiting_for_a_lock(pool: &PgPool, kind: &str) {
    let waiting = "SELECT count(*) FROM pg_locks JOIN pg_stat_activity USING (pid)
        WHERE locktype = $1 AND NOT granted AND datname = current_database()";
    while sqlx::query_scalar::<_, i64>(waiting)
        .bind(kind)
        .fetch_one(pool)
        .await
        .unwrap()
        == 0
    {}
}

#[tokio::test]
async fn who_wait_for_their_organizations_lock_leave_connections_to_others() {
    let fixture = store().await;
    let store = another_process(&fixture, 2).await;
    let held = fixture.begin(&org("org_a")).await;
    let waiting: Vec<_> = (0..6)
        .map(|_| {
            let store = store.clone();
            tokio::spawn(async move { store.begin(&org("org_a")).await.map(drop) })
        })
        .collect();
    waiting_for_a_lock(&fixture.database.pool(), "advisory").await;

    let theirs = store.begin(&org("org_b")).await;

    theirs.unwrap().commit().await.unwrap();
    held.commit().await.unwrap();
    for unit in waiting {
        unit.await.unwrap().unwrap();
    }
}

#[tokio::test]
async fn who_read_for_long_leave_connections_to_others() {
    let fixture = store().await;
    let store = another_process(&fixture, 2).await;
    let long = store.read(&org("org_a")).await.unwrap();
    let organization = org("org_a");
    let mut another = store.read(&organization);
    // With a share it waits for `long` to end, without one it has the last connection.
    let too_early = poll_fn(|context| Poll::Ready(another.as_mut().poll(context))).await;
    assert!(too_early.is_pending());

    let theirs = store.read(&org("org_b")).await;

    drop(theirs.unwrap());
    drop(long);
    another.await.unwrap();
}

#[tokio::test]
async fn keys_quotas_and_health_wait_for_no_organization() {
    let fixture = store().await;
    let store = another_process(&fixture, 1).await;
    let _reading = store.read(&org("org_a")).await.unwrap();
    let _writing = store.begin(&org("org_b")).await.unwrap();

    assert_eq!(store.find_key(&KeyHash([0; 32])).await.unwrap(), None);
    store
        .reserve("account", Endpoint::ALL[0], &Demand::ONE, at(0))
        .await
        .unwrap();
    store.health().await.unwrap();
}

#[tokio::test]
async fn who_reserve_for_one_account_leave_connections_to_others() {
    let fixture = store().await;
    let store = another_process(&fixture, 4).await;
    let (endpoint, now) = (Endpoint::ALL[0], at(0));
    store
        .reserve("account", endpoint, &Demand::ONE, now)
        .await
        .unwrap();
    let pool = fixture.database.pool();
    let mut held = pool.begin().await.unwrap();
    sqlx::query("SELECT FROM quota_buckets FOR UPDATE")
        .execute(&mut *held)
        .await
        .unwrap();
    let waiting: Vec<_> = (0..6)
        .map(|_| {
            let store = store.clone();
            tokio::spawn(async move { store.reserve("account", endpoint, &Demand::ONE, now).await })
        })
        .collect();
    waiting_for_a_lock(&pool, "transactionid").await;

    assert_eq!(store.find_key(&KeyHash([0; 32])).await.unwrap(), None);
    store
        .reserve("another", endpoint, &Demand::ONE, now)
        .await
        .unwrap();

    held.commit().await.unwrap();
    for reservation in waiting {
        reservation.await.unwrap().unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn who_waits_too_long_for_a_place_is_told_to_come_again() {
    tokio::time::resume();
    let fixture = store().await;
    let store = another_process(&fixture, 2).await;
    // A connection is free; it is for others.
    let _long = store.read(&org("org_a")).await.unwrap();
    tokio::time::pause();
    let began = tokio::time::Instant::now();

    let error = store.read(&org("org_a")).await.err().unwrap();

    assert!(error.is_transient(), "{error:?}");
    let why = format!("{error:?}");
    assert!(why.contains("of the same organization"), "{why}");
    assert!(began.elapsed() >= Duration::from_secs(5));
}

#[tokio::test(start_paused = true)]
async fn an_organization_that_searches_too_much_is_told_so_and_others_search_and_read() {
    tokio::time::resume();
    let fixture = store().await;
    let store = another_process(&fixture, 4).await;
    let organization = org("org_a");
    let long = store.search(&organization).await.unwrap();
    tokio::time::pause();
    let refused = store.search(&organization).await.err();
    tokio::time::resume();
    assert!(
        matches!(refused, Some(StoreError::TooManySearches)),
        "{refused:?}"
    );

    drop(store.search(&org("org_b")).await.unwrap());
    drop(store.read(&organization).await.unwrap());
    store.health().await.unwrap();

    drop(long);
    store.search(&organization).await.unwrap();
}

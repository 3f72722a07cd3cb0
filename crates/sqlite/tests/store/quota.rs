//! The quota ledger beside the store.

use std::fs;
use std::time::Duration;

use fanfare_domain::ports::{Clock, QuotaLedger};
use fanfare_domain::quota::{Demand, Endpoint, Reservation};
use fanfare_sqlite::SqliteStore;
use tokio::time::timeout;

use crate::support::{clock, org, store};

const ACCOUNT: &str = "account";
const ENDPOINT: Endpoint = Endpoint::Lists;

#[tokio::test]
async fn a_reservation_does_not_wait_for_an_open_page() {
    let fixture = store().await;
    let _page = fixture.begin(&org("org_a")).await;
    let now = fixture.clock.now();

    let reserve = fixture.store.reserve(ACCOUNT, ENDPOINT, &Demand::ONE, now);
    let reserved = timeout(Duration::from_secs(5), reserve).await;

    let reserved = reserved.expect("it does not wait for the page").unwrap();
    assert!(matches!(reserved, Reservation::Granted(_)), "{reserved:?}");
    let bucket = fixture.store.bucket(ACCOUNT, ENDPOINT, now).await.unwrap();
    assert_eq!(bucket.burst.used, 1);
}

#[tokio::test]
async fn processes_share_one_ledger() {
    let fixture = store().await;
    let now = fixture.clock.now();
    let other = SqliteStore::open(fixture.store.path(), clock())
        .await
        .unwrap();

    fixture
        .store
        .reserve(ACCOUNT, ENDPOINT, &Demand::ONE, now)
        .await
        .unwrap();
    other
        .reserve(ACCOUNT, ENDPOINT, &Demand::ONE, now)
        .await
        .unwrap();

    let bucket = fixture.store.bucket(ACCOUNT, ENDPOINT, now).await.unwrap();
    assert_eq!(bucket.burst.used, 2);
}

#[tokio::test]
async fn a_block_of_a_version_that_kept_the_ledger_in_the_store_is_carried_over_once() {
    let fixture = store().await;
    let (now, path) = (fixture.clock.now(), fixture.store.path().to_owned());
    let (until, later) = (
        now.plus(Duration::from_mins(1)),
        now.plus(Duration::from_secs(90)),
    );
    let old = sqlx::SqlitePool::connect_with(fixture.store.connect_options())
        .await
        .unwrap();
    sqlx::query(
        "INSERT INTO quota_buckets (account, endpoint, burst_limit, steady_limit, burst_since,
            burst_used, steady_since, steady_used, blocked_until)
         VALUES ($1, $2, 10, 100, $3, 1, $3, 1, $4)",
    )
    .bind(ACCOUNT)
    .bind(ENDPOINT.as_str())
    .bind(now.as_micros())
    .bind(until.as_micros())
    .execute(&old)
    .await
    .unwrap();
    old.close().await;
    fixture.store.close().await;
    for file in fs::read_dir(fixture.folder.path()).unwrap() {
        let file = file.unwrap();
        if file.file_name().to_string_lossy().contains("-quota") {
            fs::remove_file(file.path()).unwrap();
        }
    }

    let store = SqliteStore::open(path.as_path(), clock()).await.unwrap();
    let carried = store.bucket(ACCOUNT, ENDPOINT, now).await.unwrap();
    store.block(ACCOUNT, ENDPOINT, later, now).await.unwrap();
    store.close().await;
    let store = SqliteStore::open(path.as_path(), clock()).await.unwrap();
    let kept = store.bucket(ACCOUNT, ENDPOINT, now).await.unwrap();

    assert_eq!(carried.blocked_until, Some(until));
    assert_eq!(kept.blocked_until, Some(later));
}

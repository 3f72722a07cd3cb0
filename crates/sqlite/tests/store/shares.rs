//! No organization's reads and searches keep others from theirs.

use std::future::poll_fn;
use std::task::Poll;

use fanfare_domain::ports::{Store, StoreError};

use crate::support::{org, store};

#[tokio::test]
async fn an_organization_that_reads_for_long_leaves_connections_to_others() {
    let fixture = store().await;
    let organization = org("org_a");
    let long = [
        fixture.read(&organization).await,
        fixture.read(&organization).await,
    ];
    let mut another = fixture.store.read(&organization);
    // With a share it waits for one of them to end, without one it has the next connection.
    let too_early = poll_fn(|context| Poll::Ready(another.as_mut().poll(context))).await;
    assert!(too_early.is_pending());

    drop(fixture.read(&org("org_b")).await);
    fixture.store.health().await.unwrap();

    drop(long);
    another.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn an_organization_that_searches_too_much_is_told_so_and_others_search_and_read() {
    tokio::time::resume();
    let fixture = store().await;
    let organization = org("org_a");
    let long = fixture.store.search(&organization).await.unwrap();
    tokio::time::pause();
    let refused = fixture.store.search(&organization).await.err();
    tokio::time::resume();
    assert!(
        matches!(refused, Some(StoreError::TooManySearches)),
        "{refused:?}"
    );

    drop(fixture.store.search(&org("org_b")).await.unwrap());
    drop(fixture.read(&organization).await);
    fixture.store.health().await.unwrap();

    drop(long);
    fixture.store.search(&organization).await.unwrap();
}

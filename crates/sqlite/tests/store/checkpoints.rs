//! The write-ahead log gets into the database while the store is open.

use std::time::Duration;

use tokio::task::yield_now;
use tokio::time::timeout;

use crate::support::{Fixture, org, store};

fn database_bytes(fixture: &Fixture) -> u64 {
    fixture.store.path().metadata().unwrap().len()
}

#[tokio::test]
async fn what_was_committed_is_copied_into_the_database_while_nobody_waits_for_it() {
    let fixture = store().await;
    let before = database_bytes(&fixture);
    for n in 0..40 {
        fixture.queue(&org("acme"), &format!("list{n}")).await;
    }
    let copied = async {
        while database_bytes(&fixture) == before {
            yield_now().await;
        }
    };
    assert!(timeout(Duration::from_secs(30), copied).await.is_ok());
}

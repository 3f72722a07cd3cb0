//! The store in memory fails when a test orders it to, and as it was ordered to.

use std::sync::Arc;

use fanfare_domain::ports::{Store, StoreError, WorkQueue};
use fanfare_testkit::build::{connection, organization_id};
use fanfare_testkit::clock::FixedClock;
use fanfare_testkit::memory::{InMemoryStore, Operation};

fn store() -> InMemoryStore {
    InMemoryStore::new(Arc::new(FixedClock::default()))
}

/// Stores a connection. Returns how the commit ended.
async fn put(store: &InMemoryStore) -> Result<(), StoreError> {
    let mut unit = store.begin(&organization_id("org_a")).await?;
    unit.put_connection(&connection()).await?;
    unit.commit().await
}

async fn is_there(store: &InMemoryStore) -> bool {
    let mut unit = store.read(&organization_id("org_a")).await.unwrap();
    unit.connection().await.unwrap().is_some()
}

#[tokio::test]
async fn a_commit_that_fails_writes_nothing_and_lets_the_next_writer_in() {
    let store = store();
    store.fail_next(Operation::Commit, 1);

    assert!(put(&store).await.unwrap_err().is_transient());

    assert!(!is_there(&store).await);
    put(&store).await.unwrap();
    assert!(is_there(&store).await);
}

#[tokio::test]
async fn a_commit_whose_answer_is_lost_has_written() {
    let store = store();
    store.fail_next(Operation::CommitAnswer, 1);

    assert!(put(&store).await.unwrap_err().is_transient());

    assert!(is_there(&store).await);
    put(&store).await.unwrap();
}

#[tokio::test]
async fn a_store_is_unavailable_for_as_many_calls_as_were_ordered() {
    let store = store();
    let organization = organization_id("org_a");
    for operation in [Operation::Read, Operation::Begin, Operation::Control] {
        store.fail_next(operation, 2);
        let mut failed = 0;
        for _ in 0..4 {
            let error = match operation {
                Operation::Read => store.read(&organization).await.err(),
                Operation::Begin => store.begin(&organization).await.err(),
                _ => store.notify(1).await.err(),
            };
            failed += u32::from(error.is_some_and(|error| error.is_transient()));
        }
        assert_eq!(failed, 2, "{operation:?}");
    }
}

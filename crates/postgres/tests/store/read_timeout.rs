//! A server that neither answers nor hangs up. Time is stopped while it is waited for: where nothing else
//! is to come, the clock leaps to the end of the wait.

use fanfare_domain::ports::Store;
use fanfare_postgres::{OpenError, PostgresOptions, PostgresStore, migrate};
use secrecy::SecretString;
use tokio::net::TcpListener;
use tokio::time::{pause, resume};

use crate::database::Database;
use crate::support::{Fixture, org};
use crate::wire::Wire;

/// A store with one connection for reading and one for writing, and the way to it.
async fn store() -> (PostgresStore, Wire, Database) {
    store_with(1).await
}

/// The same with so many connections of each kind.
async fn store_with(connections: u32) -> (PostgresStore, Wire, Database) {
    let database = Database::create().await;
    migrate(&database.address(), None).await.unwrap();
    let wire = Wire::to(&database.address()).await;
    let options = PostgresOptions::at(wire.address())
        .unwrap()
        .connections(connections);
    let store = PostgresStore::open(options).await.unwrap();
    (store, wire, database)
}

#[tokio::test]
async fn a_statement_that_is_never_answered_is_transient_and_the_next_unit_works() {
    let (store, wire, _database) = store().await;
    let source = Fixture::source("list1");
    let mut unit = store.begin(&org("org_a")).await.unwrap();
    unit.put_source(&source).await.unwrap();
    wire.stop_answering();
    pause();

    let error = unit.source(&source.id).await.unwrap_err();

    assert!(error.is_transient(), "{error:?}");
    drop(unit);
    resume();
    // Over another connection, for which the one that hangs has made room.
    let mut unit = store.begin(&org("org_b")).await.unwrap();
    unit.put_source(&source).await.unwrap();
    unit.commit().await.unwrap();
}

#[tokio::test]
async fn a_commit_that_is_never_answered_is_transient() {
    let (store, wire, _database) = store().await;
    let mut unit = store.begin(&org("org_a")).await.unwrap();
    unit.put_source(&Fixture::source("list1")).await.unwrap();
    wire.stop_answering();
    pause();

    let error = unit.commit().await.unwrap_err();

    assert!(error.is_transient(), "{error:?}");
}

#[tokio::test]
async fn connections_that_stopped_answering_between_units_are_replaced() {
    let (store, wire, _database) = store_with(3).await;
    let [a, b, c] = ["org_a", "org_b", "org_c"].map(org);
    let (a, b, c) = tokio::join!(store.begin(&a), store.begin(&b), store.begin(&c));
    for unit in [a, b, c] {
        unit.unwrap().commit().await.unwrap();
    }
    wire.stop_answering();

    // Found out within the time that a unit waits for its connection.
    let mut unit = store.begin(&org("org_a")).await.unwrap();

    unit.put_source(&Fixture::source("list1")).await.unwrap();
    unit.commit().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_server_that_takes_a_connection_and_says_nothing_is_named() {
    let mute = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = mute.local_addr().unwrap().port();
    let address = format!("postgres://ada:canary@127.0.0.1:{port}/fanfare");
    let address = SecretString::from(address);
    let options = PostgresOptions::at(&address).unwrap();

    let opened = PostgresStore::open(options).await.map(drop);
    let migrated = migrate(&address, None).await;

    for refused in [opened, migrated] {
        let error = refused.unwrap_err();
        assert!(matches!(error, OpenError::NoAnswer { .. }), "{error:?}");
        assert!(!error.to_string().contains("canary"));
    }
}

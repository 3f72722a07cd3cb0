//! A server that neither answers nor hangs up. Time is stopped while it is waited for: where nothing else
//! is to come, the clock leaps to the end of the wait.

use std::time::Duration;

use fanfare_domain::ports::{Store, UnitOfWork};
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
    store_of(|options| options.connections(connections)).await
}

async fn store_of(
    choose: impl FnOnce(PostgresOptions) -> PostgresOptions,
) -> (PostgresStore, Wire, Database) {
    let database = Database::create().await;
    migrate(&database.address(), None).await.unwrap();
    let wire = Wire::to(&database.address()).await;
    let options = PostgresOptions::at(wire.address()).unwrap();
    let store = PostgresStore::open(choose(options)).await.unwrap();
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

/// More than the system's buffers between a program and the server hold: the rest is still to be sent when the
/// caller gives up, and a client that closes the connection in good order sends it first.
const MORE_THAN_BUFFERS: usize = 64 * 1024 * 1024;

/// A unit in the middle of a statement that is not sent as a whole.
async fn stuck(store: &PostgresStore, wire: &Wire, organization: &str) -> Box<dyn UnitOfWork> {
    let source = Fixture::source("list1");
    let mut unit = store.begin(&org(organization)).await.unwrap();
    unit.put_source(&source).await.unwrap();
    wire.stop_answering();
    let mut audience = Fixture::audience(&source);
    audience.description = Some("x".repeat(MORE_THAN_BUFFERS));
    pause();
    let error = unit.put_audience(&audience).await.unwrap_err();
    resume();
    assert!(error.is_transient(), "{error:?}");
    unit
}

#[tokio::test]
async fn a_connection_that_cannot_be_written_to_makes_room_for_another() {
    let (store, wire, _database) = store().await;

    drop(stuck(&store, &wire, "org_a").await);

    let mut unit = store.begin(&org("org_b")).await.unwrap();
    unit.put_source(&Fixture::source("list1")).await.unwrap();
    unit.commit().await.unwrap();
}

#[tokio::test]
async fn a_connection_past_its_lifetime_that_cannot_be_closed_makes_room_for_another() {
    let (store, wire, _database) = store_of(|options| {
        let options = options.connections(1);
        options.connection_lifetime(Duration::from_millis(1))
    })
    .await;

    drop(stuck(&store, &wire, "org_a").await);

    let mut unit = store.begin(&org("org_b")).await.unwrap();
    unit.put_source(&Fixture::source("list1")).await.unwrap();
    unit.commit().await.unwrap();
}

#[tokio::test]
async fn a_store_is_closed_though_a_connection_cannot_be() {
    let (store, wire, _database) = store().await;
    let unit = stuck(&store, &wire, "org_a").await;

    let closing = tokio::join!(
        tokio::time::timeout(Duration::from_secs(5), store.close()),
        async { drop(unit) }
    );

    closing.0.unwrap();
}

/// Whose connection comes back when the pool is closed already.
#[tokio::test]
async fn a_store_is_closed_though_the_server_no_longer_answers() {
    let (store, wire, _database) = store_with(3).await;
    let (idle, used) = (org("org_a"), org("org_b"));
    let (idle, used) = tokio::join!(store.begin(&idle), store.begin(&used));
    idle.unwrap().commit().await.unwrap();
    let used = used.unwrap();
    wire.stop_answering();

    let closing = tokio::join!(
        tokio::time::timeout(Duration::from_secs(5), store.close()),
        async { drop(used) }
    );

    closing.0.unwrap();
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

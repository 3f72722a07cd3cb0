//! The command is killed: every stored key still opens, and the command ends its work when it is run again.

use std::collections::BTreeSet;
use std::time::Duration;

use fanfare_domain::connection::MasterKeyRank;
use sqlx::ConnectOptions;
use sqlx::postgres::PgConnectOptions;
use tokio::runtime::Builder;

use super::shops::{Shops, kill};
use super::statement_proxy::Proxy;
use crate::postgres::{Database, PASSWORD};
use crate::support::Installation;

/// Kills it as soon as the nth key, counted from 0, is seen to be sealed anew.
async fn kill_after(shops: &Shops, nth: usize) {
    shops.seal_with_the_old_key().await;
    let mut child = shops.begin_rekeying();
    while shops.sealed_by(&shops.ids[nth]).await != MasterKeyRank::Present {
        assert!(child.try_wait().unwrap().is_none(), "it ended too early");
    }
    kill(child);

    let done = shops.sealed_anew().await;
    assert!(done > nth, "{done}");
    shops.finish_rekeying().await;
}

#[tokio::test]
async fn wherever_it_is_killed_on_sqlite_every_key_opens() {
    let installation = Installation::new();
    let address = format!("sqlite://{}", installation.store().display());
    let shops = Shops::new(installation, &address, 30).await;
    for nth in [0, 1, 5, 13, 28, 29] {
        kill_after(&shops, nth).await;
    }
}

#[test]
fn at_whichever_statement_it_is_killed_on_postgres_every_key_opens() {
    let database = Database::create();
    let installation = database.installation();
    database.migrate(&installation);
    let direct = database
        .owner()
        .username(database.name())
        .password(PASSWORD);
    let proxy = Proxy::to(direct.get_host(), direct.get_port());
    let through = |options: PgConnectOptions| {
        let options = options.host("127.0.0.1").port(proxy.port());
        options.to_url_lossy().to_string()
    };
    let installation = installation.with("FANFARE_DATABASE_URL", through(direct.clone()));
    let address = direct.to_url_lossy().to_string();
    // The database makes a runtime of its own when it is dropped.
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let shops = Shops::new(installation, &address, 2).await;
        kill_at_each_statement(&shops, &proxy).await;
    });
}

/// Postgres has executed every statement before, and gets neither that one nor any after it.
async fn kill_at_each_statement(shops: &Shops, proxy: &Proxy) {
    // What a command sends before its own work, and all that this one sends.
    let start = proxy.count(|| shops.command(&["org", "list"]).output().unwrap());
    let all = proxy.count(|| shops.command(&["rekey"]).output().unwrap());
    assert!(all > start + 15, "{all} statements, {start} to begin with");

    let (mut killed, mut outcomes) = (0, BTreeSet::new());
    for nth in start..=all {
        shops.seal_with_the_old_key().await;
        proxy.hold(nth);
        let mut child = shops.begin_rekeying();
        // The last statements only close connections, and the command waits for no answer to them.
        let is_held = loop {
            if proxy.is_held(Duration::from_millis(20)) {
                break true;
            }
            if child.try_wait().unwrap().is_some() {
                break false;
            }
        };
        kill(child);
        killed += usize::from(is_held);

        proxy.pass();
        outcomes.insert(shops.sealed_anew().await);
        shops.finish_rekeying().await;
    }
    assert!(killed + 10 > all - start, "{killed} of {}", all - start);
    assert_eq!(outcomes, [0, 1, 2].into(), "killed in each state");
}

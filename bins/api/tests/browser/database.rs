//! A database of Postgres for one installation, behind a wire that a test can let fall silent.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::{env, thread};

use sqlx::postgres::PgConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions};
use tokio::runtime::Builder;

/// A superuser's address of a cluster.
const VARIABLE: &str = "FANFARE_TEST_DATABASE_URL";

const PASSWORD: &str = "password-of-the-programs";

const MASTER_KEY: &str = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";

/// An empty database with a login for the programs; both are dropped with it.
pub(crate) struct Database {
    name: String,
    pub(crate) wire: Wire,
}

#[expect(clippy::disallowed_methods, reason = "where the tests' cluster is")]
fn cluster() -> PgConnectOptions {
    let address = env::var(VARIABLE).unwrap_or_else(|_| {
        panic!("{VARIABLE} is not set: run `cargo xtask test --install`, which provides Postgres")
    });
    address.parse().expect("the address of a cluster")
}

fn run(statement: String) {
    let runtime = Builder::new_current_thread().enable_all().build();
    runtime.expect("a runtime").block_on(async {
        let mut connection = cluster().connect().await.expect("a connection");
        let ran = sqlx::raw_sql(AssertSqlSafe(statement)).execute(&mut connection);
        ran.await.expect("a statement that is carried out");
    });
}

impl Database {
    pub(crate) fn create() -> Self {
        let unique = tempfile::Builder::new().prefix("browser_").tempdir();
        let unique = unique.expect("a folder");
        let name = unique.path().file_name().unwrap_or_default();
        let name = format!("fanfare_test_{}", name.to_string_lossy().to_lowercase());
        run(format!("CREATE DATABASE {name}"));
        run(format!("CREATE ROLE {name} LOGIN PASSWORD '{PASSWORD}'"));
        let wire = Wire::to(cluster().get_host(), cluster().get_port());
        Self { name, wire }
    }

    /// What an installation is told, whose programs reach the database by the wire.
    pub(crate) fn settings(&self) -> Vec<(&'static str, String)> {
        let owner = cluster().database(&self.name);
        let login = owner.clone().username(&self.name).password(PASSWORD);
        let login = login.host("127.0.0.1").port(self.wire.address.port());
        let url = |options: PgConnectOptions| options.to_url_lossy().to_string();
        vec![
            ("FANFARE_DATABASE_URL", url(login)),
            ("FANFARE_MIGRATION_DATABASE_URL", url(owner)),
            ("FANFARE_MASTER_KEY", MASTER_KEY.to_owned()),
        ]
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        let name = &self.name;
        run(format!("DROP DATABASE {name} WITH (FORCE)"));
        run(format!("DROP ROLE {name}"));
    }
}

/// A wire to a server. While it is silent nothing passes, and nothing is cut.
pub(crate) struct Wire {
    address: SocketAddr,
    silence: Arc<Silence>,
}

#[derive(Default)]
struct Silence {
    is_silent: Mutex<bool>,
    changed: Condvar,
}

impl Silence {
    fn set(&self, is_silent: bool) {
        *self
            .is_silent
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = is_silent;
        self.changed.notify_all();
    }

    /// Waits until it is not silent.
    fn wait(&self) {
        let state = self
            .is_silent
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let waited = self.changed.wait_while(state, |is_silent| *is_silent);
        drop(waited.unwrap_or_else(PoisonError::into_inner));
    }
}

impl Wire {
    fn to(host: &str, port: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("its address");
        let silence = Arc::<Silence>::default();
        let (server, state) = ((host.to_owned(), port), Arc::clone(&silence));
        // It ends with the test's process.
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let Ok(server) = TcpStream::connect(server.clone()) else {
                    continue;
                };
                let (Ok(from), Ok(to)) = (client.try_clone(), server.try_clone()) else {
                    continue;
                };
                pump(from, to, Arc::clone(&state));
                pump(server, client, Arc::clone(&state));
            }
        });
        Self { address, silence }
    }

    /// Lets nothing pass from now on, or lets everything pass that has waited.
    pub(crate) fn silence(&self, is_silent: bool) {
        self.silence.set(is_silent);
    }
}

fn pump(mut from: TcpStream, mut to: TcpStream, silence: Arc<Silence>) {
    thread::spawn(move || {
        let mut bytes = [0; 16 * 1024];
        while let Ok(count @ 1..) = from.read(&mut bytes) {
            silence.wait();
            if to.write_all(&bytes[..count]).is_err() {
                break;
            }
        }
        to.shutdown(Shutdown::Write).ok();
    });
}

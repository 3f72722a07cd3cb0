//! A wire to Postgres that can be cut at a chosen moment.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread;

use anyhow::Result;

/// How a commit looks on the wire: a simple query's text, with the NUL behind it.
const COMMIT: &[u8] = b"COMMIT\0";

/// Passes on what it is sent, in threads that end with their connections.
pub(super) struct Proxy {
    port: u16,
    state: Arc<State>,
}

#[derive(Default)]
struct State {
    /// Commits until the cut; 0 for never.
    commits_left: AtomicU32,
    has_cut: AtomicBool,
}

impl Proxy {
    /// A wire to this port of this machine.
    pub(super) fn to(target: u16) -> Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0))?;
        let port = listener.local_addr()?.port();
        let state = Arc::new(State::default());
        let shared = Arc::clone(&state);
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                if let Ok(server) = TcpStream::connect(("127.0.0.1", target)) {
                    connect(&client, &server, &shared);
                }
            }
        });
        Ok(Self { port, state })
    }

    pub(super) const fn port(&self) -> u16 {
        self.port
    }

    /// Cuts the connection that sends the `nth` commit from now on, once the commit has gone through and
    /// before its answer.
    pub(super) fn cut_at_commit(&self, nth: u32) {
        self.state.commits_left.store(nth, Ordering::SeqCst);
    }

    /// Whether it has come to that.
    pub(super) fn has_cut(&self) -> bool {
        self.state.has_cut.load(Ordering::SeqCst)
    }
}

fn connect(client: &TcpStream, server: &TcpStream, state: &Arc<State>) {
    let pairs = (
        client.try_clone(),
        server.try_clone(),
        client.try_clone(),
        server.try_clone(),
    );
    let (Ok(from_client), Ok(to_server), Ok(to_client), Ok(from_server)) = pairs else {
        return;
    };
    let state = Arc::clone(state);
    thread::spawn(move || {
        pass(from_client, to_server, |sent| state.is_the_commit(sent));
    });
    thread::spawn(move || pass(from_server, to_client, |_| false));
}

/// Passes bytes on until either end closes, or `is_last` says that these were the last.
fn pass(mut from: TcpStream, mut to: TcpStream, is_last: impl Fn(&[u8]) -> bool) {
    let mut buffer = [0; 16 << 10];
    while let Ok(count) = from.read(&mut buffer) {
        let sent = &buffer[..count];
        if count == 0 || to.write_all(sent).is_err() {
            break;
        }
        if is_last(sent) {
            // Nothing comes back to whoever sent it; the server gets it all the same.
            from.shutdown(Shutdown::Both).ok();
            break;
        }
    }
    to.shutdown(Shutdown::Write).ok();
}

impl State {
    fn is_the_commit(&self, sent: &[u8]) -> bool {
        if !sent.windows(COMMIT.len()).any(|bytes| bytes == COMMIT) {
            return false;
        }
        let counted = self
            .commits_left
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| {
                left.checked_sub(1)
            });
        let is_it = counted == Ok(1);
        if is_it {
            self.has_cut.store(true, Ordering::SeqCst);
        }
        is_it
    }
}

//! A proxy before Postgres that counts what a program sends, and stops the program before one of those times.
//!
//! sqlx sends a statement with its parameters at once and waits for the answer, so each time that something
//! comes is a statement. The fault suite's proxy also knows which; here the program is stopped at every one.

use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

/// How often something was sent, and at which time it is held back.
#[derive(Default)]
struct Watch {
    /// Grows with each new count, so that what an earlier program's connection says in its end is not counted.
    round: usize,
    sent: usize,
    held: Option<usize>,
}

pub(super) struct Proxy {
    port: u16,
    watch: Arc<Mutex<Watch>>,
    reports: Receiver<()>,
}

impl Proxy {
    pub(super) fn to(host: &str, port: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let own = listener.local_addr().unwrap().port();
        let watch = Arc::new(Mutex::new(Watch::default()));
        let (report, reports) = channel();
        let (host, watched) = (host.to_owned(), Arc::clone(&watch));
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let server = TcpStream::connect((&*host, port)).unwrap();
                let (watch, report) = (Arc::clone(&watched), report.clone());
                let round = watch.lock().unwrap().round;
                let is_held = move || watch.lock().unwrap().is_held_in(round);
                // It ends as a connection does: with an error or without.
                thread::spawn(move || pass_on(client, server, is_held, &report).ok());
            }
        });
        Self {
            port: own,
            watch,
            reports,
        }
    }

    pub(super) const fn port(&self) -> u16 {
        self.port
    }

    /// How often a program sends something while this runs.
    pub(super) fn count<T>(&self, run: impl FnOnce() -> T) -> usize {
        self.pass();
        run();
        self.watch.lock().unwrap().sent
    }

    /// Holds back what is sent for the nth time from now on, counted from 1.
    pub(super) fn hold(&self, nth: usize) {
        self.begin_round(Some(nth));
    }

    /// Holds back nothing from now on.
    pub(super) fn pass(&self) {
        self.begin_round(None);
    }

    fn begin_round(&self, held: Option<usize>) {
        let mut watch = self.watch.lock().unwrap();
        *watch = Watch {
            round: watch.round + 1,
            sent: 0,
            held,
        };
    }

    /// Whether something is held back within this time.
    pub(super) fn is_held(&self, within: Duration) -> bool {
        self.reports.recv_timeout(within).is_ok()
    }
}

impl Watch {
    /// Whether to hold back what has come from a connection that began in this round.
    const fn is_held_in(&mut self, round: usize) -> bool {
        if self.round != round {
            return false;
        }
        self.sent += 1;
        matches!(self.held, Some(nth) if nth == self.sent)
    }
}

fn pass_on(
    mut client: TcpStream,
    mut server: TcpStream,
    is_held: impl Fn() -> bool,
    report: &Sender<()>,
) -> io::Result<()> {
    let (mut answers, mut back) = (server.try_clone()?, client.try_clone()?);
    thread::spawn(move || io::copy(&mut answers, &mut back).ok());
    let mut bytes = [0; 16_384];
    loop {
        let count = client.read(&mut bytes)?;
        if count == 0 {
            return server.shutdown(Shutdown::Both);
        }
        if is_held() {
            report.send(()).ok();
            // Until the program is killed.
            while client.read(&mut bytes).is_ok_and(|count| count > 0) {}
            return server.shutdown(Shutdown::Both);
        }
        server.write_all(&bytes[..count])?;
    }
}

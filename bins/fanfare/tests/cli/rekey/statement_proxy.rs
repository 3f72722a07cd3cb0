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
                // It ends as a connection does: with an error or without.
                thread::spawn(move || pass_on(client, server, &watch, &report).ok());
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
        *self.watch.lock().unwrap() = Watch {
            sent: 0,
            held: Some(nth),
        };
    }

    /// Holds back nothing from now on.
    pub(super) fn pass(&self) {
        *self.watch.lock().unwrap() = Watch::default();
    }

    /// Whether something is held back within this time.
    pub(super) fn is_held(&self, within: Duration) -> bool {
        self.reports.recv_timeout(within).is_ok()
    }
}

impl Watch {
    /// Whether to hold back what has come.
    fn on_sent(&mut self) -> bool {
        self.sent += 1;
        self.held == Some(self.sent)
    }
}

fn pass_on(
    mut client: TcpStream,
    mut server: TcpStream,
    watch: &Mutex<Watch>,
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
        let is_held = watch.lock().unwrap().on_sent();
        if is_held {
            report.send(()).ok();
            // Until the program is killed.
            while client.read(&mut bytes).is_ok_and(|count| count > 0) {}
            return server.shutdown(Shutdown::Both);
        }
        server.write_all(&bytes[..count])?;
    }
}

//! A proxy before Postgres that counts what a program sends, and stops the program before one of those times.
//!
//! sqlx sends a statement with its parameters at once and waits for the answer, so each time that something
//! comes is a statement. The fault suite's proxy also knows which; here the program is stopped at every one.

use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::Duration;

/// How often something was sent, and at which time it is held back.
#[derive(Default)]
struct Watch {
    sent: usize,
    held: Option<usize>,
}

/// How many connections are open. One is until Postgres has ended what it was sent by then, and has closed it.
#[derive(Default)]
struct Open {
    count: Mutex<usize>,
    closed: Condvar,
}

pub(super) struct Proxy {
    port: u16,
    open: Arc<Open>,
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
        let open = Arc::new(Open::default());
        let opened = Arc::clone(&open);
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let server = TcpStream::connect((&*host, port)).unwrap();
                let (watch, report) = (Arc::clone(&watched), report.clone());
                let open = Arc::clone(&opened);
                *open.count.lock().unwrap() += 1;
                // It ends as a connection does: with an error or without.
                thread::spawn(move || {
                    pass_on(client, server, &watch, &report).ok();
                    *open.count.lock().unwrap() -= 1;
                    open.closed.notify_all();
                });
            }
        });
        Self {
            port: own,
            open,
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
        self.begin(Some(nth));
    }

    /// Holds back nothing from now on.
    pub(super) fn pass(&self) {
        self.begin(None);
    }

    /// Waits for the connections of the program before, which has ended. Then Postgres has done what it will do of
    /// what that program sent, and nothing of it is counted as this one's.
    fn begin(&self, held: Option<usize>) {
        let open = self.open.count.lock().unwrap();
        drop(self.open.closed.wait_while(open, |open| *open > 0).unwrap());
        while self.reports.try_recv().is_ok() {}
        *self.watch.lock().unwrap() = Watch { sent: 0, held };
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
    let (answers, back) = (server.try_clone()?, client.try_clone()?);
    let answering = thread::spawn(move || pass_back(answers, back));
    let sent = pass_until_held(&mut client, &mut server, watch, report);
    server.shutdown(Shutdown::Write).ok();
    answering.join().unwrap();
    sent
}

/// Until Postgres closes the connection, also if nobody reads its answers any more.
fn pass_back(mut answers: TcpStream, mut back: TcpStream) {
    let mut bytes = [0; 16_384];
    while let Ok(count @ 1..) = answers.read(&mut bytes) {
        back.write_all(&bytes[..count]).ok();
    }
    back.shutdown(Shutdown::Both).ok();
}

fn pass_until_held(
    client: &mut TcpStream,
    server: &mut TcpStream,
    watch: &Mutex<Watch>,
    report: &Sender<()>,
) -> io::Result<()> {
    let mut bytes = [0; 16_384];
    loop {
        let count = client.read(&mut bytes)?;
        if count == 0 {
            return Ok(());
        }
        let is_held = watch.lock().unwrap().on_sent();
        if is_held {
            report.send(()).ok();
            // Until the program is killed.
            while client.read(&mut bytes).is_ok_and(|count| count > 0) {}
            return Ok(());
        }
        server.write_all(&bytes[..count])?;
    }
}

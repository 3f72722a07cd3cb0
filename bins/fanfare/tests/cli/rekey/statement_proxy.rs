//! A proxy before Postgres that counts what a program sends, and stops the program at one of those times.
//!
//! sqlx sends a statement with its parameters at once and waits for the answer, so each time that something
//! comes is a statement. xtask's proxy of the fault suite also knows which; here every one is stopped at.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

/// On which side of a statement the program is stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    /// Before: Postgres never gets it.
    Before,
    /// After: Postgres has answered, and the program never gets the answer.
    After,
}

/// What is done with something that a program sends.
enum Action {
    Pass,
    Hold(Side),
}

struct Watch {
    sent: usize,
    held: Option<(usize, Side)>,
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
        let watch = Arc::new(Mutex::new(Watch {
            sent: 0,
            held: None,
        }));
        let (report, reports) = channel();
        let (target, watched) = ((host.to_owned(), port), Arc::clone(&watch));
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let server = TcpStream::connect((&*target.0, target.1)).unwrap();
                let (watch, report) = (Arc::clone(&watched), report.clone());
                // It ends as a connection does: with an error or without.
                thread::spawn(move || forward(client, server, &watch, &report).ok());
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

    /// How often something is sent while a program runs.
    pub(super) fn count<T>(&self, run: impl FnOnce() -> T) -> usize {
        self.pass();
        run();
        self.watch.lock().unwrap().sent
    }

    /// Stops a program at what it sends for the nth time from now on, counted from 1.
    pub(super) fn hold(&self, nth: usize, side: Side) {
        *self.watch.lock().unwrap() = Watch {
            sent: 0,
            held: Some((nth, side)),
        };
    }

    /// Stops no program any more, and counts from 0.
    pub(super) fn pass(&self) {
        *self.watch.lock().unwrap() = Watch {
            sent: 0,
            held: None,
        };
    }

    /// Whether a program is stopped within this time.
    pub(super) fn is_held(&self, within: Duration) -> bool {
        self.reports.recv_timeout(within).is_ok()
    }
}

impl Watch {
    fn on_sent(&mut self) -> Action {
        self.sent += 1;
        match self.held {
            Some((nth, side)) if nth == self.sent => Action::Hold(side),
            _ => Action::Pass,
        }
    }
}

fn forward(
    mut client: TcpStream,
    mut server: TcpStream,
    watch: &Mutex<Watch>,
    report: &Sender<()>,
) -> std::io::Result<()> {
    let (mut answers, mut back) = (server.try_clone()?, client.try_clone()?);
    let silent = Arc::new(Mutex::new(false));
    let (is_silent, report_answer) = (Arc::clone(&silent), report.clone());
    thread::spawn(move || {
        let mut bytes = [0; 16_384];
        while let Ok(count @ 1..) = answers.read(&mut bytes) {
            if *is_silent.lock().unwrap() {
                report_answer.send(()).ok();
                return;
            }
            if back.write_all(&bytes[..count]).is_err() {
                return;
            }
        }
    });
    let mut bytes = [0; 16_384];
    loop {
        let count = client.read(&mut bytes)?;
        if count == 0 {
            return server.shutdown(std::net::Shutdown::Both);
        }
        let action = watch.lock().unwrap().on_sent();
        match action {
            Action::Pass => server.write_all(&bytes[..count])?,
            Action::Hold(side) => {
                if side == Side::After {
                    *silent.lock().unwrap() = true;
                    server.write_all(&bytes[..count])?;
                } else {
                    report.send(()).ok();
                }
                // Until the program is killed.
                while client.read(&mut bytes)? > 0 {}
                return server.shutdown(std::net::Shutdown::Both);
            }
        }
    }
}

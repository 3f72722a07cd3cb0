//! One connection, both ways.

use std::io::{self, BufReader, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;

use super::message::Message;
use super::statement::Statements;
use super::watch::{Action, Watch};

/// How far a connection's two ways have come. Every `Query` and every `Sync` is answered by one
/// `ReadyForQuery`.
#[derive(Default)]
struct Progress {
    /// Batches sent, with the one that is being sent.
    sent: AtomicU64,
    /// Batches answered.
    answered: AtomicU64,
    /// The batch from which on answers are kept back; 0 for none.
    silent_from: AtomicU64,
    /// Whether the connection ends where its answers are kept back.
    cuts: AtomicBool,
}

/// Passes messages on until either end closes.
pub(super) fn pass(client: &TcpStream, server: &TcpStream, watch: &Watch) -> io::Result<()> {
    // Messages are passed on one by one, and must not wait for each other.
    client.set_nodelay(true)?;
    server.set_nodelay(true)?;
    let progress = Progress::default();
    let silences = watch.silences();
    let is_silent = || watch.silences() > silences;
    thread::scope(|scope| {
        let from_client = open(client, server)?;
        scope.spawn(|| {
            answers(client, server, &progress, watch, &is_silent).ok();
            // Of a connection that fell silent, the client does not even see the end.
            if !is_silent() {
                client.shutdown(Shutdown::Both).ok();
            }
        });
        let ended = statements(from_client, server, &progress, watch, &is_silent);
        // The client is gone, and Postgres shall know.
        server.shutdown(Shutdown::Both).ok();
        ended
    })
}

/// What comes before the first message with a letter.
fn open<'a>(client: &'a TcpStream, server: &'a TcpStream) -> io::Result<BufReader<&'a TcpStream>> {
    let (mut from, mut from_server) = (BufReader::new(client), server);
    let (mut to, mut to_client) = (server, client);
    loop {
        let message = Message::read_first(&mut from)?;
        message.write(&mut to)?;
        if !message.asks_for_encryption() {
            return Ok(from);
        }
        let mut answer = [0];
        from_server.read_exact(&mut answer)?;
        if answer != *b"N" {
            return Err(io::Error::other("what is encrypted cannot be watched"));
        }
        to_client.write_all(&answer)?;
    }
}

fn statements(
    mut from: impl Read,
    mut to: &TcpStream,
    progress: &Progress,
    watch: &Watch,
    is_silent: &impl Fn() -> bool,
) -> io::Result<()> {
    let mut statements = Statements::default();
    loop {
        let message = Message::read(&mut from)?;
        if is_silent() {
            // Until the sender closes the connection.
            return io::copy(&mut from, &mut io::sink()).map(drop);
        }
        let order = statements
            .executed_by(&message)
            .map_or(Action::Pass, |kind| watch.on_statement(kind));
        match order {
            Action::Pass => {}
            Action::Hold => {
                watch.hold();
                // Until the sender closes the connection.
                return io::copy(&mut from, &mut io::sink()).map(drop);
            }
            Action::Silence { cuts } => {
                let batch = progress.sent.load(Ordering::SeqCst) + 1;
                progress.cuts.store(cuts, Ordering::SeqCst);
                progress.silent_from.store(batch, Ordering::SeqCst);
            }
        }
        if matches!(message.letter(), b'Q' | b'S') {
            progress.sent.fetch_add(1, Ordering::SeqCst);
        }
        message.write(&mut to)?;
    }
}

fn answers(
    mut to: &TcpStream,
    from: &TcpStream,
    progress: &Progress,
    watch: &Watch,
    has_fallen_silent: &impl Fn() -> bool,
) -> io::Result<()> {
    let mut from = BufReader::new(from);
    // Postgres is ready once before it is asked anything.
    let mut is_started = false;
    loop {
        let message = Message::read(&mut from)?;
        if has_fallen_silent() {
            return Ok(());
        }
        let is_ready = message.letter() == b'Z';
        let batch = progress.answered.load(Ordering::SeqCst) + 1;
        let silent_from = progress.silent_from.load(Ordering::SeqCst);
        let is_silent = is_started && silent_from > 0 && batch >= silent_from;
        if !is_silent {
            message.write(&mut to)?;
        }
        if is_ready && is_started {
            progress.answered.fetch_add(1, Ordering::SeqCst);
        }
        if is_ready && is_silent && batch == silent_from {
            watch.hold();
            if progress.cuts.load(Ordering::SeqCst) {
                return Ok(());
            }
        }
        is_started |= is_ready;
    }
}

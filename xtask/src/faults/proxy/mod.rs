//! A proxy in front of Postgres that knows where one statement ends and the next begins.
//!
//! It records the statements that pass, or holds a connection at a chosen one: before it, so that Postgres
//! never gets it, or after it, so that Postgres has executed it and the worker never gets the answer. Or all
//! connections fall silent, as behind a firewall that has forgotten them.

mod message;
mod statement;
mod watch;
mod wire;

#[cfg(test)]
mod tests;

use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result};

pub(super) use self::statement::Kind;
use self::watch::Watch;
pub(super) use self::watch::{Seen, Side};

/// Passes on what it is sent, in threads that end with their connections.
pub(super) struct Proxy {
    port: u16,
    watch: Arc<Watch>,
}

impl Proxy {
    /// A proxy for this port of this machine.
    pub(super) fn to(target: u16) -> Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0))?;
        let port = listener.local_addr()?.port();
        let watch = Arc::new(Watch::default());
        let watched = Arc::clone(&watch);
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let watch = Arc::clone(&watched);
                thread::spawn(move || {
                    if let Ok(server) = TcpStream::connect(("127.0.0.1", target)) {
                        // It ends like any connection: with an error or without.
                        wire::pass(&client, &server, &watch).ok();
                    }
                });
            }
        });
        Ok(Self { port, watch })
    }

    pub(super) const fn port(&self) -> u16 {
        self.port
    }

    /// Forgets the statements that have passed until now.
    pub(super) fn reset(&self) {
        self.watch.reset();
    }

    /// What has passed, in the order in which each kind came first.
    pub(super) fn seen(&self) -> Vec<Seen> {
        self.watch.seen()
    }

    /// Waits until a statement has passed that begins so.
    pub(super) fn passed(&self, beginning: &str, longest: Duration) -> Result<()> {
        self.watch
            .passed(beginning, longest)
            .with_context(|| format!("no {beginning} was ever sent"))
    }

    /// Holds the connection that sends the `nth` statement for which `is_it` holds, counted from 1 and from
    /// now on. It stays held until the sender closes it.
    pub(super) fn hold(
        &self,
        side: Side,
        nth: u32,
        is_it: impl Fn(&Kind) -> bool + Send + 'static,
    ) {
        self.watch.wait_for(side, nth, false, Box::new(is_it));
    }

    /// Cuts the connection that sends the `nth` commit from now on, once Postgres has committed and before
    /// its answer.
    pub(super) fn cut_at_commit(&self, nth: u32) {
        let is_it = |kind: &Kind| kind.is_commit();
        self.watch.wait_for(Side::After, nth, true, Box::new(is_it));
    }

    /// Nothing goes through any connection that there is now, and none of them ends. New ones work.
    pub(super) fn fall_silent(&self) {
        self.watch.fall_silent();
    }

    /// Waits until the connection is held. An error says that the statement was never sent.
    pub(super) fn wait_until_held(&self, longest: Duration) -> Result<()> {
        self.watch
            .wait_until_held(longest)
            .context("the statement was never sent")
    }
}

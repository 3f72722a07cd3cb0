//! Ctrl-C, SIGTERM and SIGHUP.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::Result;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::flag;

/// Whether the user wants the program to stop.
#[derive(Clone, Default)]
pub(crate) struct Interrupt(Arc<AtomicBool>);

impl Interrupt {
    /// Listens for Ctrl-C and its like from now on; they no longer end this program by themselves,
    /// so that it ends its children first.
    pub(crate) fn listen() -> Result<Self> {
        let wanted = Arc::new(AtomicBool::new(false));
        for signal in [SIGINT, SIGTERM, SIGHUP] {
            flag::register(signal, Arc::clone(&wanted))?;
        }
        Ok(Self(wanted))
    }

    /// Whether the user asked for the stop.
    pub(crate) fn is_requested(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }

    /// Sleeps, but not through a Ctrl-C.
    pub(crate) fn sleep(&self, length: Duration) {
        let step = Duration::from_millis(50);
        let mut left = length;
        while !left.is_zero() && !self.is_requested() {
            std::thread::sleep(step.min(left));
            left = left.saturating_sub(step);
        }
    }
}

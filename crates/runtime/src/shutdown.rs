//! Signals that stop a program.

use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use crate::error::StartError;

/// The exit status of a process that a signal ended is this plus the number of the signal.
const SIGNALLED: i32 = 128;

/// A token that SIGTERM or SIGINT (Ctrl-C) cancels. A second signal ends the process at once, which
/// is safe: the next program that starts takes up the runs that were under way.
pub fn on_signal() -> Result<CancellationToken, StartError> {
    let mut terminate = signal(SignalKind::terminate()).map_err(StartError::Signals)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(StartError::Signals)?;
    let stop = CancellationToken::new();
    let signalled = stop.clone();
    tokio::spawn(async move {
        let mut next = async || {
            tokio::select! {
                _ = terminate.recv() => SignalKind::terminate(),
                _ = interrupt.recv() => SignalKind::interrupt(),
            }
        };
        next().await;
        tracing::info!("ending in good order");
        signalled.cancel();
        let again = next().await;
        std::process::exit(SIGNALLED + again.as_raw_value());
    });
    Ok(stop)
}

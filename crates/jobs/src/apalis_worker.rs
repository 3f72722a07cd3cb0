//! What every back end of apalis shares: a payload that always decodes, the handler of jobs, names of workers,
//! and a monitor that stops without losing jobs.

use std::convert::Infallible;

use apalis_core::backend::codec::Codec;
use apalis_core::monitor::Monitor;
use apalis_core::task::data::Data;
use apalis_core::worker::event::Event;
use tokio_util::sync::CancellationToken;
use ulid::Ulid;

use crate::listener::Listener;
use crate::queue::QueueError;

/// A job's payload as it is stored.
///
/// If a payload does not decode, apalis takes this for a failure of its back end and ends the worker: one
/// foreign row would stop the queue again and again. So every payload decodes to this type, and the listener
/// decides whether it is valid.
pub(crate) struct Payload(Vec<u8>);

/// The codec, which leaves payloads unchanged.
#[derive(Debug, Clone, Copy)]
pub(crate) struct AsStored;

impl Codec<Payload> for AsStored {
    type Error = Infallible;
    type Compact = Vec<u8>;

    fn encode(&self, payload: &Payload) -> Result<Vec<u8>, Infallible> {
        Ok(payload.0.clone())
    }

    fn decode(&self, stored: &Vec<u8>) -> Result<Payload, Infallible> {
        Ok(Payload(stored.clone()))
    }
}

/// The handler of all jobs. For apalis every job succeeds.
pub(crate) async fn handle_job(payload: Payload, listener: Data<Listener>) {
    listener.on_job(&payload.0).await;
}

/// A name that no worker has had before. Each call of `listen` needs one, because apalis never takes the jobs
/// of a dead worker away if another worker has the same name.
pub(crate) fn new_worker_name() -> String {
    format!("{}-{}", std::process::id(), Ulid::generate())
}

/// Runs the monitor's worker until `stop`. It is an error if the worker ends before: apalis returns `Ok` even
/// if its back end has died.
pub(crate) async fn run(
    monitor: Monitor,
    listener: &Listener,
    stop: CancellationToken,
) -> Result<(), QueueError> {
    let listener = listener.clone();
    let monitor = monitor.on_event(move |_, event| match event {
        Event::HeartBeat => listener.beat(),
        Event::Error(error) => {
            tracing::error!(error = %error, "a job could not be answered");
        }
        _ => {}
    });
    let handle = monitor.context();
    let mut running = std::pin::pin!(monitor.run());
    let ended = tokio::select! {
        ended = &mut running => ended,
        () = stop.cancelled() => {
            // It fails if the worker has ended already.
            drop(handle.shutdown());
            running.await
        }
    };
    match ended {
        Ok(()) if stop.is_cancelled() => Ok(()),
        Ok(()) => Err(QueueError::Stopped("without a reason".to_owned())),
        Err(error) => Err(QueueError::Stopped(error.to_string())),
    }
}

//! What every back end of apalis needs from us: a payload that always decodes, a handler, a name,
//! and a monitor that ends in good order.

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
/// apalis takes a payload that does not decode for a fault of its back end, and ends the worker. One
/// foreign row would stop the queue again and again, so every payload decodes to this, and the listener
/// says what it thinks of it.
pub(crate) struct Payload(Vec<u8>);

/// Leaves payloads as they are.
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

/// The handler of all jobs. To apalis every job ends well.
pub(crate) async fn answer(payload: Payload, listener: Data<Listener>) {
    listener.on_job(&payload.0).await;
}

/// A name that no worker has had before, for each time that a queue is listened to: apalis never takes a
/// dead worker's jobs away from another of the same name.
pub(crate) fn new_worker_name() -> String {
    format!("{}-{}", std::process::id(), Ulid::generate())
}

/// Runs the monitor's worker until `stop`. That the worker ends by itself is an error: apalis says
/// `Ok` when its back end has died.
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
            // It fails if there is nothing left to stop.
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

//! Sending an answer: in pieces, within a time limit, counted as under way until its end.

use std::convert::Infallible;
use std::net::Shutdown;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use actix_web::body::{BodySize, BoxBody, MessageBody};
use actix_web::dev::{Extensions, ServiceResponse};
use actix_web::rt::net::TcpStream;
use actix_web::web::Bytes;
use socket2::{SockRef, Socket};
use tokio::task::JoinHandle;

use super::Permit;

/// How much of an answer is handed over at once, in bytes. The server copies what it is handed, and keeps
/// it until the other side takes it.
const PIECE: usize = 16 * 1024;

/// The socket of a connection, a second time: the server does not wake an answer that waits for the
/// other side, so the time limit has to close the socket under it.
#[derive(Debug, Clone)]
pub(crate) struct Peer(Arc<Socket>);

/// Prepares a connection: keeps its socket where [`count_until_sent`] finds it. The system ends a connection
/// whose other side takes nothing for `limit`, event streams among them.
pub(crate) fn on_connect(connection: &TcpStream, extensions: &mut Extensions, limit: Duration) {
    let socket = SockRef::from(connection);
    // Without either, an answer is only limited by the other side's closing.
    let _ = socket.set_tcp_user_timeout(Some(limit));
    if let Ok(socket) = socket.try_clone() {
        extensions.insert(Peer(Arc::new(socket)));
    }
}

/// The same answer, which holds `permit` until it was sent, and whose connection is closed if the other side
/// has not taken it after `limit`. A stream has no end to wait for, and gives its permit back at once.
pub(crate) fn count_until_sent(
    answer: ServiceResponse<BoxBody>,
    permit: Permit,
    limit: Duration,
) -> ServiceResponse<BoxBody> {
    let peer = answer.request().conn_data::<Peer>().cloned();
    answer.map_body(|_, body| match body.try_into_bytes() {
        Ok(rest) => BoxBody::new(Answer {
            rest,
            deadline: peer.map(|peer| Deadline::Ahead(peer, limit)),
            _permit: permit,
        }),
        Err(stream) => stream,
    })
}

/// What is still to be sent of an answer.
struct Answer {
    rest: Bytes,
    deadline: Option<Deadline>,
    _permit: Permit,
}

/// When sending has to end.
enum Deadline {
    /// Sending has not begun.
    Ahead(Peer, Duration),
    /// This task closes the connection at the deadline.
    Running(JoinHandle<()>),
}

impl MessageBody for Answer {
    type Error = Infallible;

    fn size(&self) -> BodySize {
        BodySize::Sized(self.rest.len() as u64)
    }

    fn poll_next(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, Infallible>>> {
        if let Some(Deadline::Ahead(peer, limit)) = &self.deadline {
            let (peer, limit) = (peer.clone(), *limit);
            let close = actix_web::rt::spawn(async move {
                tokio::time::sleep(limit).await;
                // It may be closed already.
                let _ = peer.0.shutdown(Shutdown::Both);
            });
            self.deadline = Some(Deadline::Running(close));
        }
        if self.rest.is_empty() {
            return Poll::Ready(None);
        }
        let length = PIECE.min(self.rest.len());
        Poll::Ready(Some(Ok(self.rest.split_to(length))))
    }

    fn try_into_bytes(self) -> Result<Bytes, Self> {
        // Sending it in one piece would make the server copy all of it.
        Err(self)
    }
}

impl Drop for Answer {
    fn drop(&mut self) {
        if let Some(Deadline::Running(close)) = &self.deadline {
            close.abort();
        }
    }
}

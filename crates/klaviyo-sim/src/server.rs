//! The network around the service.

use std::future::ready;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;
use std::time::Duration;

use actix_web::body::{BodySize, MessageBody, SizedStream};
use actix_web::http::StatusCode;
use actix_web::http::header::{AUTHORIZATION, HOST, HeaderName};
use actix_web::rt::net::TcpStream;
use actix_web::web::{Bytes, Data};
use actix_web::{HttpRequest, HttpResponse};
use futures_util::stream::{self, Stream, StreamExt};
use tokio::time::sleep;

use crate::service::{Delivery, Incoming, Outgoing, Service};

/// A handle of a connection's socket.
pub(crate) struct Socket(OwnedFd);

impl Socket {
    /// A handle of a connection that was just made, if it is one of TCP.
    pub(crate) fn of(connection: &dyn std::any::Any) -> Option<Self> {
        let stream = connection.downcast_ref::<TcpStream>()?;
        stream.as_fd().try_clone_to_owned().ok().map(Self)
    }

    /// Makes the connection end with a reset instead of an orderly close.
    fn will_be_reset(&self) -> io::Result<()> {
        rustix::net::sockopt::set_socket_linger(&self.0, Some(Duration::ZERO))?;
        Ok(())
    }
}

/// Answers every request.
pub(crate) async fn handle(
    request: HttpRequest,
    service: Data<Arc<Service>>,
    sent: Bytes,
) -> HttpResponse {
    let header = |name: HeaderName| request.headers().get(name)?.to_str().ok();
    let named = |name: &'static str| header(HeaderName::from_static(name));
    let host = header(HOST).unwrap_or_else(|| request.app_config().host());
    let outgoing = service.handle(&Incoming {
        method: request.method().as_str(),
        path: request.path(),
        query: request.query_string(),
        host,
        authorization: header(AUTHORIZATION),
        revision: named("revision"),
        opts_out: named("x-klaviyo-revision-fall-forward-opt-out") == Some("1"),
        body: &sent,
    });
    if !outgoing.delay.is_zero() {
        sleep(outgoing.delay).await;
    }
    if outgoing.delivery == Delivery::Reset {
        let socket = request.conn_data::<Socket>();
        if socket.is_none_or(|socket| socket.will_be_reset().is_err()) {
            return HttpResponse::InternalServerError().body("the connection cannot be reset");
        }
    }
    respond(outgoing)
}

fn respond(outgoing: Outgoing) -> HttpResponse {
    let status = StatusCode::from_u16(outgoing.status);
    let mut response = HttpResponse::build(status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR));
    for header in outgoing.headers {
        response.append_header(header);
    }
    let body = Bytes::from(outgoing.body);
    match outgoing.delivery {
        Delivery::Whole => response.body(body),
        Delivery::Stalled(delay) => response.body(partly(body, delay, true)),
        Delivery::Truncated => response.body(partly(body, FLUSHED_AFTER, false)),
        Delivery::Reset => {
            let nothing = stream::once(ready(Err(broken())));
            // An answer that may have no body would be complete without one, and no connection would break.
            response.status(StatusCode::OK);
            response.body(SizedStream::new(body.len().max(1) as u64, nothing))
        }
    }
}

/// Time for the first half to leave before the connection breaks.
const FLUSHED_AFTER: Duration = Duration::from_millis(20);

/// The first half of a body, and after a while the second or a broken connection.
fn partly(body: Bytes, pause: Duration, is_finished: bool) -> impl MessageBody {
    let length = body.len() as u64;
    let mut first = body;
    let second = first.split_off(first.len() / 2);
    let rest = stream::once(async move {
        sleep(pause).await;
        if is_finished {
            Ok(second)
        } else {
            Err(broken())
        }
    });
    sized(length, stream::once(ready(Ok(first))).chain(rest))
}

fn sized<S>(length: u64, stream: S) -> impl MessageBody
where
    S: Stream<Item = Result<Bytes, io::Error>> + 'static,
{
    let body = SizedStream::new(length, stream.boxed_local());
    debug_assert_eq!(body.size(), BodySize::Sized(length));
    body
}

fn broken() -> io::Error {
    io::Error::from(io::ErrorKind::BrokenPipe)
}

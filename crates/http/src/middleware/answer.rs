//! Sending an answer: in pieces, within a time limit, counted as under way until its end.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use actix_web::body::{BodySize, BoxBody, MessageBody};
use actix_web::dev::ServiceResponse;
use actix_web::web::Bytes;
use tokio::task::JoinHandle;

use super::compression::compressed;
use super::connections::{Busy, Connection};
use super::{Concurrency, Permit};
use crate::error::ApiError;
use fanfare_domain::ids::OrganizationId;

/// How much of an answer is handed over at once, in bytes. The server copies what it is handed, and keeps
/// it until the other side takes it.
const PIECE: usize = 16 * 1024;

/// What a request under way holds: its place among the organization's, and its connection.
pub(super) struct UnderWay {
    pub(super) permit: Permit,
    pub(super) busy: Option<Busy>,
}

/// The same answer, compressed, which holds what is `under_way` until it was sent, and whose connection is closed if the other side
/// has not taken it after `limit`. A large one is refused if the organization's other answers and bodies leave it no
/// room. A stream has no end to wait for, and gives its permit back at once.
pub(super) fn count_until_sent(
    answer: ServiceResponse<BoxBody>,
    under_way: UnderWay,
    limit: Duration,
    (concurrency, organization): (&Concurrency, &OrganizationId),
) -> ServiceResponse<BoxBody> {
    let answer = compressed(answer);
    let connection = answer.request().conn_data::<Connection>().cloned();
    let UnderWay { permit, busy } = under_way;
    let bytes = match answer.response().body().size() {
        BodySize::Sized(bytes) => usize::try_from(bytes).unwrap_or(usize::MAX),
        BodySize::None | BodySize::Stream => 0,
    };
    let room = match concurrency.hold_bytes(organization, 0, bytes) {
        Ok(room) => room,
        Err(error) => return refused(answer, error),
    };
    answer.map_body(|_, body| match body.try_into_bytes() {
        Ok(rest) => BoxBody::new(Answer {
            rest,
            deadline: connection.map(|connection| Deadline::Ahead(connection, limit)),
            _held: (permit, busy, room),
        }),
        Err(stream) => BoxBody::new(EndlessAnswer {
            stream,
            _busy: busy,
        }),
    })
}

fn refused(answer: ServiceResponse<BoxBody>, error: ApiError) -> ServiceResponse<BoxBody> {
    let (request, _) = answer.into_parts();
    ServiceResponse::from_err(error, request)
}

/// What is still to be sent of an answer.
struct Answer {
    rest: Bytes,
    deadline: Option<Deadline>,
    _held: (Permit, Option<Busy>, Option<Permit>),
}

/// When sending has to end.
enum Deadline {
    /// Sending has not begun.
    Ahead(Connection, Duration),
    /// This task closes the connection at the deadline.
    Running(JoinHandle<()>),
}

impl MessageBody for Answer {
    type Error = std::convert::Infallible;

    fn size(&self) -> BodySize {
        BodySize::Sized(self.rest.len() as u64)
    }

    fn poll_next(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, Self::Error>>> {
        if let Some(Deadline::Ahead(connection, limit)) = &self.deadline {
            let (connection, limit) = (connection.clone(), *limit);
            let close = actix_web::rt::spawn(async move {
                tokio::time::sleep(limit).await;
                connection.close();
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

/// A stream of events.
struct EndlessAnswer {
    stream: BoxBody,
    _busy: Option<Busy>,
}

impl MessageBody for EndlessAnswer {
    type Error = <BoxBody as MessageBody>::Error;

    fn size(&self) -> BodySize {
        self.stream.size()
    }

    fn poll_next(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, Self::Error>>> {
        Pin::new(&mut self.stream).poll_next(context)
    }
}

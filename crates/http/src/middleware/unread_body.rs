//! Bodies in chunks that no handler reads: of a request that is refused, or of a route that takes no body.
//!
//! The server reads on what is left of such a body after the answer, for the sake of the next request, and there need
//! be no end to it. It closes the connection instead while a handler could still read the body, so that is kept until
//! the answer was sent.

use std::cell::RefCell;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use actix_web::HttpMessage;
use actix_web::body::{BodySize, BoxBody, MessageBody};
use actix_web::dev::{Payload, ServiceRequest, ServiceResponse};
use actix_web::error::PayloadError;
use actix_web::web::Bytes;
use futures_util::Stream;

/// The body of a request, which handlers read and this module keeps.
#[derive(Clone)]
pub(super) struct ChunkedBody(Rc<RefCell<Payload>>);

/// The request's body, if it comes in chunks. Handlers read it as before.
pub(super) fn keep(request: &mut ServiceRequest) -> Option<ChunkedBody> {
    if !request.chunked().unwrap_or(true) {
        return None;
    }
    let body = ChunkedBody(Rc::new(RefCell::new(request.take_payload())));
    request.set_payload(Payload::from(
        Box::pin(body.clone()) as Pin<Box<dyn Stream<Item = Result<Bytes, PayloadError>>>>
    ));
    Some(body)
}

/// The same answer, which holds the request's body until it was sent.
pub(super) fn hold(
    answer: ServiceResponse<BoxBody>,
    body: Option<ChunkedBody>,
) -> ServiceResponse<BoxBody> {
    match body {
        None => answer,
        Some(unread) => answer.map_body(|_, sent| {
            BoxBody::new(Holding {
                sent,
                _unread: unread,
            })
        }),
    }
}

impl Stream for ChunkedBody {
    type Item = Result<Bytes, PayloadError>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        Pin::new(&mut *self.0.borrow_mut()).poll_next(context)
    }
}

struct Holding {
    sent: BoxBody,
    _unread: ChunkedBody,
}

impl MessageBody for Holding {
    type Error = <BoxBody as MessageBody>::Error;

    fn size(&self) -> BodySize {
        self.sent.size()
    }

    fn poll_next(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, Self::Error>>> {
        Pin::new(&mut self.sent).poll_next(context)
    }
}

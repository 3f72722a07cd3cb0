//! Fault injection: what goes wrong, where and how often.

mod change;
mod corruption;
mod schedule;
mod spec;

use std::time::Duration;

pub use self::change::{Change, MemberRef, Recomputation, UnknownJoin};
pub(crate) use self::corruption::{PageLinks, corrupt};
pub(crate) use self::schedule::FaultSchedule;
pub use self::spec::{GRAMMAR, SpecError};
use crate::endpoint::Endpoint;

/// Something that goes wrong with certain requests.
///
/// ```
/// use fanfare_klaviyo_sim::{Effect, Endpoint, Fault, Kind, RetryAfter};
///
/// // The fifth page of the list is refused three times.
/// let throttle = Fault::new(Effect::Throttle(RetryAfter::Seconds(30)))
///     .on(Endpoint::Members(Kind::List))
///     .of("RtPqXs")
///     .page(5)
///     .times(3);
/// assert_eq!("list-profiles/RtPqXs@page=5,times=3:429=30".parse(), Ok(throttle));
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Fault {
    pub(crate) endpoint: Option<Endpoint>,
    pub(crate) id: Option<String>,
    pub(crate) account: Option<String>,
    pub(crate) is_of_costly: bool,
    pub(crate) when: When,
    pub(crate) times: Option<u32>,
    pub(crate) effect: Effect,
}

/// Which of the requests that lead to the right place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum When {
    /// Any.
    Always,
    /// Those for this page, counted from 1 since the scan began.
    Page(u32),
    /// From this one on, counted from 1 since the fault was planned.
    Request(u32),
}

impl Fault {
    /// A fault of the first request, whichever it is.
    pub const fn new(effect: Effect) -> Self {
        Self {
            endpoint: None,
            id: None,
            account: None,
            is_of_costly: false,
            when: When::Always,
            times: Some(1),
            effect,
        }
    }

    /// Only on this endpoint.
    #[must_use]
    pub const fn on(mut self, endpoint: Endpoint) -> Self {
        self.endpoint = Some(endpoint);
        self
    }

    /// Only where this id stands in the path.
    #[must_use]
    pub fn of(mut self, id: &str) -> Self {
        self.id = Some(id.to_owned());
        self
    }

    /// Only with keys of this account.
    #[must_use]
    pub fn account(mut self, id: &str) -> Self {
        self.account = Some(id.to_owned());
        self
    }

    /// Only with a costly parameter, such as the count of a list's profiles.
    #[must_use]
    pub const fn costly(mut self) -> Self {
        self.is_of_costly = true;
        self
    }

    /// Only on this page of a scan, counted from 1.
    #[must_use]
    pub const fn page(mut self, number: u32) -> Self {
        self.when = When::Page(number);
        self
    }

    /// From this matching request on, counted from 1.
    #[must_use]
    pub const fn request(mut self, number: u32) -> Self {
        self.when = When::Request(number);
        self
    }

    /// So many times rather than once.
    #[must_use]
    pub const fn times(mut self, times: u32) -> Self {
        self.times = Some(times);
        self
    }

    /// Every time rather than once.
    #[must_use]
    pub const fn forever(mut self) -> Self {
        self.times = None;
        self
    }
}

/// What goes wrong.
#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    /// A 429. Requests before the time in it are refused too, where it is one.
    Throttle(RetryAfter),
    /// Another status from the network in front of Klaviyo, with a page of HTML.
    Status(u16, Option<RetryAfter>),
    /// This status with Klaviyo's own error document.
    Refuse(u16),
    /// A 403 with HTML, which says nothing about the key.
    Challenge,
    /// The answer begins only after that time.
    Slow(Duration),
    /// The answer stops in its middle for that time.
    Stall(Duration),
    /// The answer ends in its middle.
    Truncate,
    /// The connection is reset without an answer. What the request asked for is done.
    Reset,
    /// A write is answered as usual, and nothing is done.
    NoEffect,
    /// Of a write to a list's members, the first half is done.
    HalfEffect,
    /// The import job stays `processing`.
    JobStuck,
    /// The import job ends `complete`, and each of its rows has failed.
    JobFails,
    /// A 200 without a body.
    Empty,
    /// A 200 with something else in its body.
    Shape(Shape),
    /// Half of a surrogate pair stands in a text.
    Surrogate,
    /// A byte that is no UTF-8 stands in a text.
    BrokenByte,
    /// The attributes of a profile or list have a name twice: first with something else as its value.
    DoubledName,
    /// A byte order mark stands before the document.
    ByteOrderMark,
    /// First and last names are longer, so that the answer is so many bytes larger.
    Enlarge(usize),
    /// The link to the next page leads to this page.
    Loop,
    /// The link to the next page leads to the first page, with a cursor never seen before.
    FreshLoop,
    /// The link to the next page leads to another host.
    ForeignLink,
    /// The cursor is refused, as if Klaviyo knew it no more. Requests without one are passed over.
    ForgetCursor,
    /// The filter is refused. Requests without one are passed over.
    RefuseFilter,
    /// The order is refused. Requests without one are passed over.
    RefuseSort,
    /// The account changes before the request is answered.
    Change(Change),
}

/// What a body is instead of what it should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// Text that is no JSON.
    NotJson,
    /// `data` is a text.
    DataIsText,
    /// `data` is `null`.
    DataIsNull,
    /// `links` is missing.
    NoLinks,
    /// The resources have no ids.
    NoIds,
    /// The resources have no attributes.
    NoAttributes,
}

/// What `Retry-After` says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RetryAfter {
    /// So many seconds.
    Seconds(u64),
    /// The date so many seconds from now.
    Date(u64),
    /// This text.
    Text(String),
    /// It is not there.
    Missing,
}

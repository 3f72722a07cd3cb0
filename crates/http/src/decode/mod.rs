//! From bytes to what a use case takes. A request is refused whole, with every fault in it named.

mod body;
mod fault;
mod id;
mod node;
mod object;
mod query;

pub(crate) use body::{Body, MAX_BODY_BYTES};
pub(crate) use fault::{Fault, Faults, Key, ValidationDetail, ValidationIssue};
pub(crate) use id::{Id, ListRef, SegmentRef};
pub(crate) use node::Node;
pub(crate) use object::Object;
pub(crate) use query::{IncludeParams, NoQuery, PageParams, Query, include, page, search};

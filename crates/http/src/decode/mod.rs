//! From bytes to what a use case takes. A request is refused whole, with every violation in it named.

pub(crate) mod body;
mod id;
mod node;
mod object;
mod query;

pub(crate) use crate::error::Violations;
pub(crate) use body::Body;
pub(crate) use id::{Id, ListRef, SegmentRef};
pub(crate) use node::Node;
pub(crate) use object::Object;
pub(crate) use query::{IncludeParams, NoQuery, PageParams, Query, include, page, search};

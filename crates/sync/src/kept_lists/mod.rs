//! Audiences that are kept in Klaviyo lists: choosing the list, seeing what a push would do, starting one, and what changes of an
//! audience mean for its list. The engine pushes (`crate::engine::keep`).

mod batch;
mod choosing;
mod circles;
mod previewing;
mod pushing;
mod unlinked;

pub(crate) use batch::{Batch, Facts};
pub use choosing::ListChoice;
pub use previewing::PushPreview;

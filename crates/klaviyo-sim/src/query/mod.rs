//! What a request's parameters ask for.

mod cursor;
mod fields;
mod filter;
mod matching;
mod page;
mod parameters;
mod sort;

pub(crate) use self::cursor::{Cursor, CursorPosition, fingerprint};
pub(crate) use self::fields::{Fields, leads_somewhere};
pub(crate) use self::filter::{Condition, Filterable, Operator, ValueKind};
pub(crate) use self::matching::{Tested, is_met, seconds_left};
pub(crate) use self::page::{Page, PageQuery};
pub(crate) use self::parameters::Parameters;
pub(crate) use self::sort::{Position, SortKey};

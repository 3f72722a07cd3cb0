//! What a request's parameters ask for.

mod cursor;
mod fields;
mod filter;
mod keyset;
mod matching;
mod parameters;

pub(crate) use self::cursor::{Cursor, Mark, fingerprint};
pub(crate) use self::fields::{Fields, leads_somewhere};
pub(crate) use self::filter::{Condition, Filterable, Operator, ValueKind};
pub(crate) use self::keyset::{Page, Walk};
pub(crate) use self::matching::{Tested, is_met, joined_bounds};
pub(crate) use self::parameters::Parameters;

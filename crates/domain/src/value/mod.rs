//! A consumer's values, parsed once and valid from then on.
//!
//! None of them shows its content in `Debug`: the values are personal data, which logs must not hold.

mod email;
mod full_name;
mod phone;

pub use email::{Email, MAX_EMAIL_CHARS};
pub use full_name::{BrokenNameParts, FullName};
pub use phone::Phone;

/// What was wrong with a value. It holds nothing of the value itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidValue {
    /// Nothing visible: counts as absent, and is no issue.
    #[error("blank")]
    Blank,
    /// Not a valid address or number, or not storable.
    #[error("not a usable value")]
    Broken,
}

/// Longest text that is stored of one value, in bytes.
pub const MAX_VALUE_BYTES: usize = 64 * 1024;

macro_rules! private_text {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(String);

        impl $name {
            /// The value as stored.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl std::fmt::Debug for $name {
            fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str(concat!(stringify!($name), "(…)"))
            }
        }
    };
}
use private_text;

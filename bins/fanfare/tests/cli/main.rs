//! The built program, run as an operator runs it.

mod bad_starts;
mod doctor;
mod explain;
mod keys;
mod klaviyo;
mod logs;
mod postgres;
mod rekey;
mod restored;
mod successor;
mod support;
mod up;
mod usage;

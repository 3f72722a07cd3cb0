//! The simulator over real HTTP: everything that it promises to be.

mod access;
mod changes;
mod computing;
mod control;
mod cursors;
mod faults;
mod filters;
mod living;
mod paging;
mod profiles;
mod quota;
mod recorded;
mod resources;
mod specification;
mod support;
mod transport;
mod writing;
mod written_lists;
mod written_profiles;

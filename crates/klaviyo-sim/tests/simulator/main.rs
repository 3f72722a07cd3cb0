//! The simulator over real HTTP: everything that it promises to be.

mod access;
mod changes;
mod faults;
mod filters;
mod paging;
mod people;
mod quota;
mod recorded;
mod resources;
mod specification;
mod support;
mod transport;

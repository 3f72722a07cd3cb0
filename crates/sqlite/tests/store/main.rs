//! The store on real files in temporary folders.

mod control;
mod doorbell;
mod leases;
mod opening;
mod pages;
mod records;
mod secrets;
mod settling;
mod statements;
mod support;

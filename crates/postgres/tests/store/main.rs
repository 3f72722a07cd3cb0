//! The store on a database of each test's own.

mod control;
mod database;
mod doorbell;
mod leases;
mod pages;
mod records;
mod settling;
mod support;

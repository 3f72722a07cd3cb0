//! The API as its clients meet it, without a socket; and once with one.
//!
//! Every answer of every test is held against the `OpenAPI` document (`conform`).

mod access;
mod audiences;
mod compression;
mod conform;
mod consumers;
mod deliveries;
mod document;
mod door;
mod events;
mod explain;
mod failures;
mod fixture;
mod history;
mod imports;
mod kept_lists;
mod klaviyo;
mod limits;
mod privacy;
mod routes;
mod runs;
mod service;
mod settings;
mod sockets;
mod sources;
mod static_audiences;
mod tenancy;
mod time_limits;
mod validation;
mod webhooks;

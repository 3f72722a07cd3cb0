//! The dashboard as a browser without script meets it, without a socket.

mod access;
mod audiences;
mod browser;
mod fixture;
mod headers;
mod hostile;
mod signing_in;
mod tenancy;

//! The dashboard as a browser without script meets it, without a socket.

mod access;
mod audiences;
mod browser;
mod by_hand;
mod contacts;
mod customers;
mod deliveries;
mod events;
mod fixture;
mod headers;
mod history;
mod hostile;
mod importing;
mod integrations;
mod kept_lists;
mod live;
mod signing_in;
mod store_away;
mod syncs;
mod tenancy;
mod why;

//! Every use case and the engine, on a store and a Klaviyo in memory, in virtual time.

mod access;
mod answers;
mod audiences;
mod browsing;
mod claims;
mod connecting;
mod crashes;
mod dividing;
mod ending;
mod importing;
mod keys;
mod large_pages;
mod logs;
mod mending;
mod mocks;
mod moving;
mod quota;
mod reading;
mod rekeying;
mod removals;
mod resyncing;
mod scanning;
mod short_waits;
mod slices;
mod stored_rows;
mod test_organization;

//! Fanfare's HTTP API over the use cases.

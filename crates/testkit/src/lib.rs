//! In-memory fakes, builders and the contract suites every adapter runs.

//! The HTTP API and dashboard.

fn main() {}

//! The job runner.

fn main() {}

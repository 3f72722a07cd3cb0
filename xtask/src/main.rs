//! Repository tasks: demo, test, ci, bench.

fn main() {}

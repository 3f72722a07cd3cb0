//! The Klaviyo simulator on a port.

fn main() {}

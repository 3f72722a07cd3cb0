//! apalis as a doorbell for due runs.

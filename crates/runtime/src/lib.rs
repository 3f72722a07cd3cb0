//! Configuration, telemetry, sealing of keys, wiring and shutdown.

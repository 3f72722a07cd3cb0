//! The embedded store: every repository port on SQLite.

//! The use cases: connect, browse, import, sync, settle, cancel.

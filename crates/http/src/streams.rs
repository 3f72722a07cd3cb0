//! What the event streams of a process share.

use crate::run_watches::RunWatches;
use crate::stream_keys::StreamKeys;

/// Runs are read once for all streams that follow them, and keys are looked at once for all streams that they have open.
/// Clones are the same.
#[derive(Debug, Clone, Default)]
pub(crate) struct Streams {
    pub(crate) runs: RunWatches,
    pub(crate) keys: StreamKeys,
}

//! Beside which other runs of the process a run is worked on: when the process dies, all of them count a crash, and none
//! must be convicted by the page of another.

use fanfare_domain::run::{SourceRun, Suspicion};
use tokio::sync::{RwLock, RwLockReadGuard, RwLockWriteGuard, TryLockError};

/// What a run is worked on beside, as long as this is held.
pub(super) enum Beside<'a> {
    /// Everything: nothing speaks against this run.
    All,
    /// Everything but a run on its last try: a worker has died with this one.
    Suspected { _guard: RwLockReadGuard<'a, ()> },
    /// Runs that nothing speaks against: this one is on its last try.
    Unsuspected { _guard: RwLockWriteGuard<'a, ()> },
}

impl<'a> Beside<'a> {
    /// An error if the run has to wait until another one has given up its place.
    pub(super) fn enter(suspected: &'a RwLock<()>, run: &SourceRun) -> Result<Self, TryLockError> {
        Ok(match run.suspicion() {
            Suspicion::None => Self::All,
            Suspicion::Suspected => Self::Suspected {
                _guard: suspected.try_read()?,
            },
            Suspicion::LastTry => Self::Unsuspected {
                _guard: suspected.try_write()?,
            },
        })
    }
}

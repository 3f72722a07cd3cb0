//! Faults that a test orders.

use std::collections::HashMap;
use std::sync::Mutex;

use fanfare_domain::ports::StoreError;

use super::lock;

/// An operation that can be made to fail: with [`StoreError::Unavailable`], unless it says something else.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Operation {
    /// `Store::read`
    Read,
    /// `Store::begin`
    Begin,
    /// `UnitOfWork::commit`: nothing is written.
    Commit,
    /// The answer to `UnitOfWork::commit`: everything is written, and the caller is not told.
    CommitAnswer,
    /// Every call of the directory, the queue of due work and the quota ledger.
    Control,
    /// `RequestLimits::take_requests`
    RequestLimits,
    /// `Pages::count_absent_members`
    CountAbsent,
    /// `Store::check_members`
    Door,
    /// What is read at the door, with [`StoreError::Corrupt`]
    DoorRow,
    /// `Store::search`, with [`StoreError::TooManySearches`]
    SearchTurn,
    /// `Store::search`, with [`StoreError::SearchTooLong`]
    Search,
}

/// How many more calls of each operation fail, and how many there were.
#[derive(Default)]
pub(super) struct Faults {
    ordered: Mutex<HashMap<Operation, u32>>,
    met: Mutex<HashMap<Operation, u32>>,
}

impl Faults {
    pub(super) fn order(&self, operation: Operation, times: u32) {
        lock(&self.ordered).insert(operation, times);
    }

    /// How many calls of the operation there were.
    pub(super) fn count_of(&self, operation: Operation) -> u32 {
        lock(&self.met).get(&operation).copied().unwrap_or(0)
    }

    /// Whether a call that a test has ordered to fail has not come yet.
    pub(super) fn is_any_ordered(&self) -> bool {
        lock(&self.ordered).values().any(|times| *times > 0)
    }

    /// Fails if a test has ordered this call of the operation to fail.
    pub(super) fn meet(&self, operation: Operation) -> Result<(), StoreError> {
        *lock(&self.met).entry(operation).or_default() += 1;
        let mut ordered = lock(&self.ordered);
        match ordered.get_mut(&operation) {
            Some(times) if *times > 0 => {
                *times -= 1;
                Err(match operation {
                    Operation::DoorRow => StoreError::Corrupt("consumers.email".to_owned()),
                    Operation::SearchTurn => StoreError::TooManySearches,
                    Operation::Search => StoreError::SearchTooLong,
                    _ => StoreError::Unavailable("ordered by the test".into()),
                })
            }
            _ => Ok(()),
        }
    }
}

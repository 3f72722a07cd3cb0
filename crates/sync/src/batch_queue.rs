//! What waits in this process to be done together: whatever comes while one batch is done is the next batch.

use std::collections::{HashMap, VecDeque};
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use fanfare_domain::ports::StoreError;

use crate::error::Error;

/// Queues by key. Clones are the same.
pub(crate) struct BatchQueues<K, T>(Arc<Queues<K, T>>);

type Queues<K, T> = Mutex<HashMap<K, VecDeque<T>>>;

impl<K, T> Default for BatchQueues<K, T> {
    fn default() -> Self {
        Self(Arc::default())
    }
}

impl<K, T> Clone for BatchQueues<K, T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

/// A queue has as many as it may have.
#[derive(Debug)]
pub(crate) struct Full;

impl<K: Hash + Eq + Clone, T> BatchQueues<K, T> {
    /// Puts something into a queue of up to `most`. For the first one there is a queue to be emptied, by a task of its own: the
    /// caller may be dropped while others wait.
    pub(crate) fn put(&self, key: &K, one: T, most: usize) -> Result<Option<Batches<K, T>>, Full> {
        let mut queues = self.locked();
        if let Some(queue) = queues.get_mut(key) {
            if queue.len() >= most {
                return Err(Full);
            }
            queue.push_back(one);
            return Ok(None);
        }
        queues.insert(key.clone(), VecDeque::from([one]));
        Ok(Some(Batches {
            queues: self.clone(),
            key: key.clone(),
            is_done: false,
        }))
    }

    fn locked(&self) -> MutexGuard<'_, HashMap<K, VecDeque<T>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The batches of a queue, for the task that empties it.
///
/// If the task is dropped or panics, what waits is dropped with the queue, and the next one has a task of its own.
pub(crate) struct Batches<K: Hash + Eq + Clone, T> {
    queues: BatchQueues<K, T>,
    key: K,
    /// The queue is gone, and the next one of this key is another task's.
    is_done: bool,
}

impl<K: Hash + Eq + Clone, T> Batches<K, T> {
    /// Whose queue it is.
    pub(crate) const fn key(&self) -> &K {
        &self.key
    }

    /// The next batch, whose sizes together are no more than `most`, if it has more than one. `None`, and the queue is
    /// gone, if nothing waits.
    pub(crate) fn next(&mut self, most: usize, size: impl Fn(&T) -> usize) -> Option<Vec<T>> {
        let mut queues = self.queues.locked();
        let queue = queues.get_mut(&self.key)?;
        if queue.is_empty() {
            queues.remove(&self.key);
            self.is_done = true;
            return None;
        }
        let mut together = 0;
        let fits = |one: &&T| {
            together += size(one);
            together <= most
        };
        let number = queue.iter().take_while(fits).count().max(1);
        Some(queue.drain(..number).collect())
    }
}

impl<K: Hash + Eq + Clone, T> Drop for Batches<K, T> {
    fn drop(&mut self) {
        if !self.is_done {
            self.queues.locked().remove(&self.key);
        }
    }
}

/// The error for another one of those whom it concerns.
pub(crate) fn alike(error: &Error) -> Error {
    let text = error.to_string();
    Error::Store(if error.is_transient() {
        StoreError::Unavailable(text.into())
    } else {
        StoreError::Refused(text.into())
    })
}

/// Whoever would have answered is gone.
pub(crate) fn gone<E>(_: E) -> Error {
    Error::Store(StoreError::Unavailable(
        "the task that answers has stopped".into(),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn put(queues: &BatchQueues<u8, usize>, one: usize) -> Option<Batches<u8, usize>> {
        queues.put(&1, one, 4).expect("there is room")
    }

    #[test]
    fn what_comes_while_a_batch_is_done_is_the_next_batch() {
        let queues = BatchQueues::default();
        let mut batches = put(&queues, 3).expect("the first one has a queue to be emptied");
        assert_eq!(batches.next(10, |_| 1), Some(vec![3]));
        assert!(put(&queues, 4).is_none());
        assert!(put(&queues, 5).is_none());
        assert_eq!(batches.next(10, |_| 1), Some(vec![4, 5]));
        assert_eq!(batches.next(10, |_| 1), None);
        let mut next = put(&queues, 6).expect("the queue was gone");
        drop(batches);
        assert_eq!(next.next(10, |_| 1), Some(vec![6]), "it is another's");
    }

    #[test]
    fn a_batch_is_no_larger_than_it_may_be_unless_it_is_one() {
        let queues = BatchQueues::default();
        let mut batches = put(&queues, 9).expect("the first one has a queue to be emptied");
        for one in [2, 3, 4] {
            assert!(put(&queues, one).is_none());
        }
        assert!(matches!(queues.put(&1, 1, 4), Err(Full)), "four wait");
        assert_eq!(batches.next(5, |size| *size), Some(vec![9]));
        assert_eq!(batches.next(5, |size| *size), Some(vec![2, 3]));
        assert_eq!(batches.next(5, |size| *size), Some(vec![4]));
    }

    #[test]
    fn a_task_that_is_dropped_takes_its_queue_along() {
        let queues = BatchQueues::default();
        let batches = put(&queues, 1);
        assert!(put(&queues, 2).is_none());
        drop(batches);
        assert!(put(&queues, 3).is_some());
    }
}

//! Writes, and the reads that belong to them.
//!
//! A write is sent once. Whether it was done is known only from Klaviyo's own answer: where none came that can be
//! read, the error says that the outcome is unknown, and the caller may send the same again.

mod client;
mod definition;
mod event;
mod flow;
#[cfg(any(test, fuzzing))]
pub(crate) mod fuzzing;
mod import;
mod list;
mod profile;
mod refusal;
mod request;
mod unsubscribe;

/// The largest body of a request with many rows, in bytes. Klaviyo says 5 MB, which may mean a little more.
const MAX_BATCH_BYTES: usize = 5_000_000;

/// The largest profile in a request, in bytes, by the same reading of 100 KB.
const MAX_PROFILE_BYTES: usize = 100_000;

/// How many of the rows, from the first, have room beside each other. `bytes` tells of a row how many it takes.
fn rows_that_fit<T>(rows: &[T], most: usize, around: usize, bytes: impl Fn(&T) -> usize) -> usize {
    let mut left = MAX_BATCH_BYTES.saturating_sub(around);
    let fitting = rows.iter().take(most).take_while(|row| {
        // With the comma behind it.
        let bytes = bytes(row) + 1;
        let fits = bytes <= left;
        left = left.saturating_sub(bytes);
        fits
    });
    fitting.count().max(1).min(rows.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_ends_by_number_or_by_bytes_whichever_is_first() {
        let fit = |rows: &[usize], most| rows_that_fit(rows, most, 100, |bytes| *bytes);
        assert_eq!(fit(&[], 10), 0);
        assert_eq!(fit(&[1; 20], 10), 10);
        assert_eq!(fit(&[1_000_000; 20], 10), 4);
        assert_eq!(fit(&[MAX_BATCH_BYTES - 101, 1], 10), 1);
        assert_eq!(fit(&[MAX_BATCH_BYTES - 103, 1], 10), 2);
        // It is refused when it is sent, instead of never being sent.
        assert_eq!(fit(&[9_000_000, 1], 10), 1);
    }
}

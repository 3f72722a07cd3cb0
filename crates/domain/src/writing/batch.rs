//! What to do after a batch was refused, so that a bad row costs only itself.

use std::ops::Range;

use super::ContentRefusal;

/// How the rows of a refused batch go on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AfterRefusal {
    /// The rows that were refused, by their place in the batch: they are sent no more.
    pub refused: Vec<usize>,
    /// The rows that are sent again, in these batches, each by the places of its rows.
    pub again: Vec<Vec<usize>>,
}

/// Decides about a batch of `rows` rows that Klaviyo refused for its content, all of it.
///
/// The rows that Klaviyo names are taken out, and the others are sent again together. Where it names none, the batch
/// is halved: a bad row of a thousand is alone after ten refusals, and only then it is refused for good.
pub fn after_refusal(rows: usize, refusal: &ContentRefusal) -> AfterRefusal {
    let mut named: Vec<usize> = refusal.rows.iter().filter_map(|row| row.row).collect();
    named.sort_unstable();
    named.dedup();
    named.retain(|row| *row < rows);
    if rows <= 1 {
        return AfterRefusal {
            refused: (0..rows).collect(),
            again: Vec::new(),
        };
    }
    if named.is_empty() {
        let half = rows.div_ceil(2);
        return AfterRefusal {
            refused: Vec::new(),
            again: vec![places(0..half), places(half..rows)],
        };
    }
    let others: Vec<usize> = (0..rows)
        .filter(|row| named.binary_search(row).is_err())
        .collect();
    AfterRefusal {
        refused: named,
        again: if others.is_empty() {
            Vec::new()
        } else {
            vec![others]
        },
    }
}

fn places(range: Range<usize>) -> Vec<usize> {
    range.collect()
}

#[cfg(test)]
mod tests {
    use super::super::RowRefusal;
    use super::*;
    use proptest::prelude::*;

    fn refusal(rows: &[usize]) -> ContentRefusal {
        ContentRefusal {
            status: 400,
            rows: rows
                .iter()
                .map(|row| RowRefusal {
                    row: Some(*row),
                    field: None,
                    code: "invalid".to_owned(),
                })
                .collect(),
        }
    }

    /// Sends batches to a Klaviyo that refuses each that has a bad row, until none is left. Returns the refused rows,
    /// the accepted ones, and the number of requests.
    fn send_all(total: usize, is_bad: &[bool], tells: bool) -> (Vec<usize>, Vec<usize>, usize) {
        let mut waiting = vec![places(0..total)];
        let (mut refused, mut accepted, mut requests) = (Vec::new(), Vec::new(), 0);
        while let Some(batch) = waiting.pop() {
            requests += 1;
            let bad: Vec<usize> = (0..batch.len()).filter(|at| is_bad[batch[*at]]).collect();
            if bad.is_empty() {
                accepted.extend(batch);
                continue;
            }
            // Klaviyo tells of the first bad row, or of none.
            let named = if tells { &bad[..1] } else { &[] };
            let after = after_refusal(batch.len(), &refusal(named));
            refused.extend(after.refused.iter().map(|at| batch[*at]));
            for again in after.again {
                waiting.push(again.iter().map(|at| batch[*at]).collect());
            }
        }
        refused.sort_unstable();
        accepted.sort_unstable();
        (refused, accepted, requests)
    }

    proptest! {
        #[test]
        fn exactly_the_bad_rows_are_refused(
            is_bad in prop::collection::vec(prop::bool::weighted(0.05), 1..300), names: bool,
        ) {
            let rows = is_bad.len();
            let (refused, accepted, requests) = send_all(rows, &is_bad, names);
            let (bad, good): (Vec<usize>, Vec<usize>) = (0..rows).partition(|row| is_bad[*row]);
            let depth = usize::try_from(rows.next_power_of_two().ilog2()).unwrap();
            prop_assert!(requests <= 1 + bad.len() * (2 * depth).max(1), "{} requests", requests);
            prop_assert_eq!(refused, bad);
            prop_assert_eq!(accepted, good);
        }
    }

    #[test]
    fn one_bad_row_of_a_thousand_costs_itself_and_twenty_requests() {
        let mut is_bad = vec![false; 1_000];
        is_bad[617] = true;
        let (refused, accepted, requests) = send_all(1_000, &is_bad, false);
        assert_eq!((refused, accepted.len()), (vec![617], 999));
        assert!(requests <= 21, "{requests} requests");
        let (refused, accepted, requests) = send_all(1_000, &is_bad, true);
        assert_eq!((refused, accepted.len(), requests), (vec![617], 999, 2));
    }

    #[test]
    fn a_row_that_is_not_there_names_none() {
        let after = after_refusal(4, &refusal(&[9]));
        assert_eq!(after.refused, [0_usize; 0]);
        assert_eq!(after.again, [vec![0, 1], vec![2, 3]]);
    }
}

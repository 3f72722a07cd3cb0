//! What a pass may remove without a user's confirmation: nothing if it saw clearly less than Klaviyo counted, and
//! no more members than the removal threshold.

/// Audiences of up to this many members have no threshold: small audiences often lose half of their members.
const ALWAYS_ALLOWED_UP_TO: u64 = 100;

/// Whether a complete pass may remove `leaving` of the `members_at_start` members. To lose more than half of
/// an audience of over 100 is more likely a mistake in Klaviyo than intended, so a user has to confirm it.
pub const fn may_remove(members_at_start: u64, leaving: u64, confirmed: bool) -> bool {
    confirmed || members_at_start <= ALWAYS_ALLOWED_UP_TO || leaving <= members_at_start / 2
}

/// Whether a pass that saw `seen` profiles has read the list that Klaviyo counted `total` profiles in, at the
/// pass's start: at least nine tenths of them. Some may have left meanwhile. Always, if the count is not known.
pub fn is_complete(seen: u64, total: Option<u64>) -> bool {
    let tenths = |profiles: u64| u128::from(profiles) * 10;
    total.is_none_or(|total| tenths(seen) >= u128::from(total) * 9)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pass_that_saw_fewer_than_nine_tenths_is_not_complete() {
        assert!(is_complete(0, None));
        for (seen, total) in [
            (0, 0),
            (9, 10),
            (90, 100),
            (10, 11),
            (7, 5),
            (u64::MAX, u64::MAX),
        ] {
            assert!(is_complete(seen, Some(total)), "{seen} of {total}");
        }
        for (seen, total) in [(0, 1), (8, 9), (89, 100), (9, 11), (0, u64::MAX)] {
            assert!(!is_complete(seen, Some(total)), "{seen} of {total}");
        }
    }

    #[test]
    fn more_than_half_of_a_large_audience_needs_confirmation() {
        assert!(may_remove(100, 100, false));
        assert!(may_remove(101, 50, false));
        assert!(!may_remove(101, 51, false));
        assert!(may_remove(101, 101, true));
        assert!(may_remove(1_000, 500, false));
        assert!(!may_remove(1_000, 501, false));
    }
}

//! The removal threshold: how many members a pass may remove without a user's confirmation.

/// Audiences of up to this many members have no threshold: small audiences often lose half of their members.
const ALWAYS_ALLOWED_UP_TO: u64 = 100;

/// Whether a complete pass may remove `leaving` of the `members_at_start` members. To lose more than half of
/// an audience of over 100 is more likely a mistake in Klaviyo than intended, so a user has to confirm it.
pub const fn may_remove(members_at_start: u64, leaving: u64, confirmed: bool) -> bool {
    confirmed || members_at_start <= ALWAYS_ALLOWED_UP_TO || leaving <= members_at_start / 2
}

#[cfg(test)]
mod tests {
    use super::may_remove;

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

//! What a pass may remove without a user's confirmation: nothing if it saw clearly less than Klaviyo counted, and
//! no more members than the removal threshold.

/// Audiences of up to this many members have no threshold: small audiences often lose half of their members.
const ALWAYS_ALLOWED_UP_TO: u64 = 100;

/// What a source remembers for the removal threshold from one pass to the next. A pass that fails adds members and
/// removes none, so the members that a pass finds at its start say nothing: a list whose members were all replaced
/// would be half as bad to the second pass as to the first.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RemovalGuard {
    /// How many members the audience had when a pass last succeeded; `None` if none has, or if the version of the
    /// program that worked it did not keep the number.
    pub members_at_success: Option<u64>,
    /// Whether a pass was held, and none has succeeded since: everything that a later pass would remove is held, too,
    /// until a user confirms it.
    pub is_holding: bool,
}

/// Why a pass removes nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Held {
    /// It would remove more than half of so many members.
    TooMany(u64),
    /// An earlier pass was held, and no user has confirmed it.
    Since,
}

impl RemovalGuard {
    /// Whether a complete pass may remove `leaving` members. To lose more than half of an audience of over 100 is more
    /// likely a mistake in Klaviyo than intended, so a user has to confirm it. Where no pass has succeeded,
    /// `members_at_start` of this pass stands for the members at the last success.
    ///
    /// Members whom failed passes have added since count among those who leave, but not among those there were: the
    /// guard rather asks once too often.
    pub fn check(self, members_at_start: u64, leaving: u64, confirmed: bool) -> Result<(), Held> {
        if confirmed || leaving == 0 {
            return Ok(());
        }
        if self.is_holding {
            return Err(Held::Since);
        }
        let members = self.members_at_success.unwrap_or(members_at_start);
        if members <= ALWAYS_ALLOWED_UP_TO || leaving <= members / 2 {
            return Ok(());
        }
        Err(Held::TooMany(members))
    }

    /// The guard after a pass that was held.
    #[must_use]
    pub const fn held(self) -> Self {
        Self {
            is_holding: true,
            ..self
        }
    }

    /// The guard after a pass that succeeded and left so many members.
    pub const fn succeeded(members: u64) -> Self {
        Self {
            members_at_success: Some(members),
            is_holding: false,
        }
    }
}

/// Whether a pass that saw `seen` profiles has read the list that Klaviyo counted `total` profiles in, at the
/// pass's start: at least nine tenths of them. Some may have left meanwhile. Always, if the count is not known.
pub fn is_complete(seen: u64, total: Option<u64>) -> bool {
    let tenths = |profiles: u64| u128::from(profiles) * 10;
    total.is_none_or(|total| tenths(seen) >= u128::from(total) * 9)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

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
        let check = |members, leaving, confirmed| {
            let guard = RemovalGuard::succeeded(members);
            assert_eq!(
                guard.check(0, leaving, confirmed),
                RemovalGuard::default().check(members, leaving, confirmed)
            );
            guard.check(0, leaving, confirmed)
        };
        assert_eq!(check(100, 100, false), Ok(()));
        assert_eq!(check(101, 50, false), Ok(()));
        assert_eq!(check(101, 51, false), Err(Held::TooMany(101)));
        assert_eq!(check(101, 101, true), Ok(()));
        assert_eq!(check(1_000, 500, false), Ok(()));
        assert_eq!(check(1_000, 501, false), Err(Held::TooMany(1_000)));
    }

    proptest! {
        #[test]
        fn a_guard_that_holds_stays_shut_until_a_user_confirms(
            members in any::<u64>(), at_start in any::<u64>(), leaving in 1_u64..,
        ) {
            let held = RemovalGuard::succeeded(members).held();
            prop_assert_eq!(held.check(at_start, leaving, false), Err(Held::Since));
            prop_assert_eq!(held.check(at_start, leaving, true), Ok(()));
            prop_assert_eq!(held.check(at_start, 0, false), Ok(()));
        }

        #[test]
        fn what_failed_passes_have_added_makes_no_removal_easier(
            members in 101_u64..1 << 40, added in 0_u64..1 << 40, leaving in any::<u64>(),
        ) {
            let guard = RemovalGuard::succeeded(members);
            let is_allowed = guard.check(members + added, leaving, false).is_ok();
            prop_assert_eq!(is_allowed, leaving <= members / 2);
        }
    }
}

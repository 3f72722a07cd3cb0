//! Until when a run waits, and why.

use crate::text_enum::text_enum;
use crate::time::Timestamp;

text_enum! {
    /// Why a run waits.
    #[derive(serde::Serialize, serde::Deserialize)]
    WaitReason {
        /// The account's requests of this second or minute are used up.
        Quota = "quota",
        /// Klaviyo has asked for no request until then.
        RetryAfter = "retry_after",
        /// Klaviyo gave no usable answer: the same request is sent again then.
        Retry = "retry",
        /// It is due, and a worker takes it up as soon as one is free.
        Turn = "turn",
    }
}

/// A wait without a worker.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Waiting {
    /// When the work is due. For [`WaitReason::Turn`] this has passed: it has been due since then.
    pub until: Timestamp,
    /// Why it waits.
    pub why: WaitReason,
}

impl Waiting {
    /// The wait of work that is due since `due`.
    pub const fn for_turn(due: Timestamp) -> Self {
        Self {
            until: due,
            why: WaitReason::Turn,
        }
    }

    /// The wait as it is now: what has been waited for is over, and what is left is the turn.
    #[must_use]
    pub fn at(self, now: Timestamp) -> Self {
        if self.until <= now {
            Self::for_turn(self.until)
        } else {
            self
        }
    }

    /// Whether it ends when Klaviyo's quota and its rate-limit blocks end.
    pub const fn is_for_klaviyo(self) -> bool {
        matches!(self.why, WaitReason::Quota | WaitReason::RetryAfter)
    }
}

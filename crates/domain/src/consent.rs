//! Consent to marketing: how far somebody lets themselves be written to, by channel. It is read from Klaviyo, lowered on
//! request, and never raised by anything of ours.

use crate::text_enum::text_enum;
use crate::time::Timestamp;
use crate::writing::Channel;

text_enum! {
    /// A level of consent. The order is that of its height.
    #[derive(serde::Serialize, serde::Deserialize)]
    ConsentLevel {
        /// The address cannot be written to: a hard bounce, an invalid address, a complaint of spam. Nothing of ours changes it.
        Suppressed = "SUPPRESSED",
        /// The person does not want it, or the merchant does not.
        Unsubscribed = "UNSUBSCRIBED",
        /// The person was never asked.
        NeverSubscribed = "NEVER_SUBSCRIBED",
        /// The person wants it.
        Subscribed = "SUBSCRIBED",
    }
}

/// The consent to a channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Consent {
    /// How far.
    pub level: ConsentLevel,
    /// Since when, by Klaviyo's clock; `None` if it does not say.
    pub at: Option<Timestamp>,
}

impl Consent {
    /// Nothing is known: nobody was asked.
    pub const UNKNOWN: Self = Self {
        level: ConsentLevel::NeverSubscribed,
        at: None,
    };

    /// What Klaviyo's `consent` and the reasons of its suppressions come to: the lowest of them. A word that is not known
    /// is no consent; a reason that is not known is a hard one.
    pub fn of<'a>(
        consent: Option<&str>,
        at: Option<Timestamp>,
        suppressions: impl IntoIterator<Item = (&'a str, Option<Timestamp>)>,
    ) -> Self {
        let level = match consent {
            Some("SUBSCRIBED") => ConsentLevel::Subscribed,
            Some("UNSUBSCRIBED") => ConsentLevel::Unsubscribed,
            _ => ConsentLevel::NeverSubscribed,
        };
        let stated = Self { level, at };
        suppressions
            .into_iter()
            .map(|(reason, at)| Self {
                level: match reason {
                    "UNSUBSCRIBE" | "USER_SUPPRESSED" => ConsentLevel::Unsubscribed,
                    // HARD_BOUNCE, INVALID_EMAIL, SPAM_COMPLAINT.
                    _ => ConsentLevel::Suppressed,
                },
                at,
            })
            .fold(stated, Self::lower)
    }

    /// The lower of two. Two people who become one have it.
    #[must_use]
    pub fn lower(self, other: Self) -> Self {
        match self.level.cmp(&other.level) {
            std::cmp::Ordering::Less => self,
            std::cmp::Ordering::Greater => other,
            std::cmp::Ordering::Equal => Self {
                level: self.level,
                at: self.at.min(other.at).or(self.at).or(other.at),
            },
        }
    }

    /// Whether Klaviyo mails the person in no case.
    pub const fn is_suppressed(self) -> bool {
        matches!(
            self.level,
            ConsentLevel::Suppressed | ConsentLevel::Unsubscribed
        )
    }
}

/// The consents of a profile that was read with them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Consents {
    /// To e-mail.
    pub email: Consent,
    /// To SMS.
    pub sms: Consent,
}

impl Consents {
    /// Nothing is known.
    pub const UNKNOWN: Self = Self {
        email: Consent::UNKNOWN,
        sms: Consent::UNKNOWN,
    };

    /// That of a channel.
    pub const fn of(&self, channel: Channel) -> Consent {
        match channel {
            Channel::Email => self.email,
            Channel::Sms => self.sms,
        }
    }

    /// Those of two people who become one: the lower of each.
    #[must_use]
    pub fn lower(self, other: Self) -> Self {
        Self {
            email: self.email.lower(other.email),
            sms: self.sms.lower(other.sms),
        }
    }

    /// Fanfare's `smsOptOut`: whether the person has unsubscribed from SMS. It is false again once Klaviyo says that they subscribed.
    pub const fn sms_opt_out(&self) -> bool {
        self.sms.is_suppressed()
    }

    /// The channels of those asked for in which an unsubscription changes something. There is no function for the
    /// other direction.
    pub fn to_end(&self, channels: &[Channel]) -> Vec<Channel> {
        let is_open = |channel: &&Channel| !self.of(**channel).is_suppressed();
        channels.iter().filter(is_open).copied().collect()
    }
}

/// The consent after an unsubscription.
#[must_use]
pub fn unsubscribed(consent: Consent, at: Timestamp) -> Consent {
    consent.lower(Consent {
        level: ConsentLevel::Unsubscribed,
        at: Some(at),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_micros(second * 1_000_000).unwrap()
    }

    #[test]
    fn the_lowest_of_what_klaviyo_says_counts() {
        let check = |consent, reasons: &[&str], want| {
            let reasons = reasons.iter().map(|reason| (*reason, None));
            assert_eq!(Consent::of(consent, None, reasons).level, want);
        };
        check(Some("SUBSCRIBED"), &[], ConsentLevel::Subscribed);
        check(
            Some("SUBSCRIBED"),
            &["USER_SUPPRESSED"],
            ConsentLevel::Unsubscribed,
        );
        check(
            Some("SUBSCRIBED"),
            &["UNSUBSCRIBE", "HARD_BOUNCE"],
            ConsentLevel::Suppressed,
        );
        check(
            Some("NEVER_SUBSCRIBED"),
            &["A_NEW_REASON"],
            ConsentLevel::Suppressed,
        );
        check(Some("A_NEW_WORD"), &[], ConsentLevel::NeverSubscribed);
        check(None, &[], ConsentLevel::NeverSubscribed);
    }

    #[test]
    fn an_unsubscription_is_sent_only_where_it_changes_something() {
        let consents = Consents {
            email: Consent::of(Some("SUBSCRIBED"), None, []),
            sms: Consent::of(Some("UNSUBSCRIBED"), Some(at(5)), []),
        };
        let both = [Channel::Email, Channel::Sms];
        assert_eq!(consents.to_end(&both), [Channel::Email]);
        assert!(consents.sms_opt_out() && !Consents::UNKNOWN.sms_opt_out());
    }

    fn consent() -> impl Strategy<Value = Consent> {
        let level = prop::sample::select(ConsentLevel::ALL.to_vec());
        (level, prop::option::of(0_i64..100)).prop_map(|(level, second)| Consent {
            level,
            at: second.map(at),
        })
    }

    proptest! {
        #[test]
        fn nothing_of_ours_raises_a_consent(one in consent(), other in consent(), second in 0_i64..200) {
            prop_assert!(unsubscribed(one, at(second)).level <= one.level);
            let merged = one.lower(other);
            prop_assert!(merged.level <= one.level && merged.level <= other.level);
            prop_assert_eq!(merged.level, other.lower(one).level);
            let consents = Consents { email: one, sms: other };
            for channel in consents.to_end(&[Channel::Email, Channel::Sms]) {
                let before = consents.of(channel);
                prop_assert!(unsubscribed(before, at(second)).level < before.level);
            }
        }
    }
}

//! Consent to marketing: how far somebody lets themselves be written to, by channel. It is read from Klaviyo, lowered on
//! request, and never raised by anything of ours.

use std::collections::BTreeMap;

use crate::ids::ProfileId;
use crate::text_enum::text_enum;
use crate::time::Timestamp;
use crate::writing::Channel;

text_enum! {
    /// A level of consent. The order is that of its height.
    #[derive(Default, serde::Serialize, serde::Deserialize)]
    #[serde(rename_all = "SCREAMING_SNAKE_CASE")]
    ConsentLevel {
        /// The address cannot be written to: a hard bounce, an invalid address, a complaint of spam. Nothing of ours changes it.
        Suppressed = "SUPPRESSED",
        /// The person does not want it, or the merchant does not.
        Unsubscribed = "UNSUBSCRIBED",
        /// The person was never asked.
        #[default]
        NeverSubscribed = "NEVER_SUBSCRIBED",
        /// The person wants it.
        Subscribed = "SUBSCRIBED",
    }
}

impl ConsentLevel {
    /// For serde, which wants a function of a reference: most people were never asked, and that is not written down.
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes references")]
    fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

/// The consent to a channel.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(default)]
pub struct Consent {
    /// How far.
    #[serde(skip_serializing_if = "ConsentLevel::is_default")]
    pub level: ConsentLevel,
    /// What the person said, without regard to suppressions: never [`ConsentLevel::Suppressed`].
    #[serde(skip_serializing_if = "ConsentLevel::is_default")]
    pub stated: ConsentLevel,
    /// Since when, by Klaviyo's clock; `None` if it does not say.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<Timestamp>,
}

impl Consent {
    /// Nothing is known: nobody was asked.
    pub const UNKNOWN: Self = Self {
        level: ConsentLevel::NeverSubscribed,
        stated: ConsentLevel::NeverSubscribed,
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
        let stated = Self {
            level,
            stated: level,
            at,
        };
        suppressions
            .into_iter()
            .map(|(reason, at)| Self {
                level: match reason {
                    "UNSUBSCRIBE" | "USER_SUPPRESSED" => ConsentLevel::Unsubscribed,
                    // HARD_BOUNCE, INVALID_EMAIL, SPAM_COMPLAINT.
                    _ => ConsentLevel::Suppressed,
                },
                stated: level,
                at,
            })
            .fold(stated, Self::lower)
    }

    /// The lower of two. Two people who become one have it.
    #[must_use]
    pub fn lower(self, other: Self) -> Self {
        let (level, at) = match self.level.cmp(&other.level) {
            std::cmp::Ordering::Less => (self.level, self.at),
            std::cmp::Ordering::Greater => (other.level, other.at),
            std::cmp::Ordering::Equal => {
                let at = self.at.min(other.at).or(self.at).or(other.at);
                (self.level, at)
            }
        };
        Self {
            level,
            stated: self.stated.min(other.stated),
            at,
        }
    }

    /// Whether nothing is known of it.
    fn is_unknown(&self) -> bool {
        *self == Self::UNKNOWN
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
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(default)]
pub struct Consents {
    /// To e-mail.
    #[serde(skip_serializing_if = "Consent::is_unknown")]
    pub email: Consent,
    /// To SMS.
    #[serde(skip_serializing_if = "Consent::is_unknown")]
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

    /// The same, that to a channel changed.
    fn with(mut self, channel: Channel, consent: Consent) -> Self {
        match channel {
            Channel::Email => self.email = consent,
            Channel::Sms => self.sms = consent,
        }
        self
    }

    /// The channels of those asked for in which an unsubscription changes something. There is no function for the
    /// other direction.
    pub fn to_end(&self, channels: &[Channel]) -> Vec<Channel> {
        let is_open = |channel: &&Channel| !self.of(**channel).is_suppressed();
        channels.iter().filter(is_open).copied().collect()
    }
}

/// What is known of a consumer's consents.
///
/// Each linked profile was read with its own; the lowest of them counts. What was ended here is low at once, and stays so
/// until Klaviyo has taken it over, or tells of a later consent: a read may be older than our own act.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(default)]
pub struct KnownConsents {
    /// Of each linked profile.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    profiles: BTreeMap<ProfileId, Consents>,
    /// When consent to a channel was ended here.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    ended: BTreeMap<Channel, Timestamp>,
}

impl KnownConsents {
    /// Nothing.
    pub const fn new() -> Self {
        Self {
            profiles: BTreeMap::new(),
            ended: BTreeMap::new(),
        }
    }

    /// Whether there is nothing to keep.
    pub fn is_empty(&self) -> bool {
        self.profiles.is_empty() && self.ended.is_empty()
    }

    /// Takes in what a profile was read with.
    pub fn read(&mut self, profile: &ProfileId, consents: Consents) {
        self.profiles.insert(profile.clone(), consents);
        let lowest = self.lowest().unwrap_or(Consents::UNKNOWN);
        self.ended
            .retain(|channel, _| !lowest.of(*channel).is_suppressed());
    }

    /// Forgets a profile that is another consumer's now.
    pub fn forget(&mut self, profile: &ProfileId) {
        self.profiles.remove(profile);
    }

    /// Keeps that consent to these channels was ended here.
    pub fn end(&mut self, channels: &[Channel], at: Timestamp) {
        self.ended
            .extend(channels.iter().map(|channel| (*channel, at)));
    }

    /// The consents as they are; `None` if nothing is known.
    pub fn get(&self) -> Option<Consents> {
        if self.is_empty() {
            return None;
        }
        let lowest = self.lowest().unwrap_or(Consents::UNKNOWN);
        let consents = self.ended.iter().fold(lowest, |consents, (channel, at)| {
            let consent = consents.of(*channel);
            let is_later = consent.level == ConsentLevel::Subscribed && consent.at > Some(*at);
            if is_later {
                consents
            } else {
                consents.with(*channel, unsubscribed(consent, *at))
            }
        });
        Some(consents)
    }

    fn lowest(&self) -> Option<Consents> {
        self.profiles.values().copied().reduce(Consents::lower)
    }
}

/// The consent after an unsubscription.
#[must_use]
pub fn unsubscribed(consent: Consent, at: Timestamp) -> Consent {
    consent.lower(Consent {
        level: ConsentLevel::Unsubscribed,
        stated: ConsentLevel::Unsubscribed,
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

    #[test]
    fn the_lowest_consent_of_a_consumers_profiles_counts() {
        let [one, other] = ["P1", "P2"].map(|id| ProfileId::parse(id).unwrap());
        let subscribed = Consent::of(Some("SUBSCRIBED"), Some(at(1)), []);
        let all = Consents {
            email: subscribed,
            sms: subscribed,
        };
        let mut known = KnownConsents::default();
        assert_eq!(known.get(), None);
        known.read(&one, all);
        assert_eq!(known.get(), Some(all));
        let bounced = [("HARD_BOUNCE", Some(at(2)))];
        let email = Consent::of(Some("SUBSCRIBED"), Some(at(1)), bounced);
        known.read(&other, Consents { email, ..all });
        let email = known.get().unwrap().email;
        assert_eq!(
            (email.level, email.stated, email.at),
            (
                ConsentLevel::Suppressed,
                ConsentLevel::Subscribed,
                Some(at(2))
            )
        );
        known.forget(&other);
        assert_eq!(known.get(), Some(all));
    }

    #[test]
    fn what_was_ended_here_stays_so_until_klaviyo_says_something_later() {
        let profile = ProfileId::parse("P1").unwrap();
        let of = |word, second| Consents {
            email: Consent::UNKNOWN,
            sms: Consent::of(Some(word), Some(at(second)), []),
        };
        let mut known = KnownConsents::default();
        known.read(&profile, of("SUBSCRIBED", 1));
        known.end(&[Channel::Sms], at(10));
        let opts_out = |known: &KnownConsents| known.get().unwrap().sms_opt_out();
        assert!(opts_out(&known));
        known.read(&profile, of("SUBSCRIBED", 1));
        assert!(opts_out(&known), "the read is older");
        let mut again = known.clone();
        again.read(&profile, of("SUBSCRIBED", 11));
        assert!(!opts_out(&again), "the person has subscribed again");
        known.read(&profile, of("UNSUBSCRIBED", 10));
        known.read(&profile, of("SUBSCRIBED", 5));
        assert!(!opts_out(&known), "Klaviyo had taken it over");
        let json = serde_json::to_string(&again).unwrap();
        assert_eq!(serde_json::from_str::<KnownConsents>(&json).unwrap(), again);
    }

    fn consent() -> impl Strategy<Value = Consent> {
        let level = prop::sample::select(ConsentLevel::ALL.to_vec());
        (level, prop::option::of(0_i64..100)).prop_map(|(level, second)| Consent {
            level,
            stated: level.max(ConsentLevel::Unsubscribed),
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

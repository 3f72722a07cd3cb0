//! What requests and people do to consent.

use super::Account;
use super::account::ChangeError;
use super::writes::{Identifier, Named};
use crate::instant;
use crate::journal::{By, Channel, ConsentLevel, Written};
use crate::profiles::{ListSuppression, ProfileId, Suppression};

impl Account {
    /// Changes a consent.
    pub(crate) fn set_consent(
        &mut self,
        id: &ProfileId,
        channel: Channel,
        to: ConsentLevel,
        by: By,
        at: i64,
    ) {
        let Some(before) = self.profiles.get(id) else {
            return;
        };
        let from = before.consent(channel).level;
        if from == to {
            return;
        }
        self.change(id, at, |profile| {
            let consent = profile.consent_mut(channel);
            consent.level = to;
            consent.at = Some(instant::show(at.div_euclid(1_000_000)));
        });
        let profile = id.to_string();
        self.writes.note(
            at,
            Written::Consent {
                profile,
                channel,
                from,
                to,
                by,
            },
        );
    }

    /// Suppresses somebody's e-mail.
    pub(crate) fn suppress(&mut self, id: &ProfileId, reason: &str, at: i64) {
        self.change(id, at, |profile| {
            profile.suppressions.push(Suppression {
                reason: reason.to_owned(),
                timestamp: instant::show(at.div_euclid(1_000_000)),
            });
        });
    }

    pub(super) fn unsuppress(&mut self, email: &str, at: i64) {
        let Some(id) = self.who_has(Identifier::Email, email) else {
            return;
        };
        self.change(&id, at, |profile| {
            profile
                .suppressions
                .retain(|it| it.reason != "USER_SUPPRESSED");
        });
        let profile = id.to_string();
        self.writes.note(at, Written::Unsuppressed { profile });
    }

    pub(super) fn unsubscribe(&mut self, who: &Named, list: Option<&str>, at: i64) {
        let channels = [
            (Channel::Email, Identifier::Email, &who.email),
            (Channel::Sms, Identifier::Phone, &who.phone),
        ];
        for (channel, of, text) in channels {
            let Some(id) = text.as_deref().and_then(|text| self.who_has(of, text)) else {
                continue;
            };
            let profile = id.to_string();
            if let Some(list) = list {
                let members = self.collections.get(list);
                let is_member = members.is_some_and(|members| members.joined(&id).is_some());
                // The same request may just have taken them off by the other channel.
                let is_off = self.profiles.get(&id).is_some_and(|profile| {
                    profile
                        .list_suppressions
                        .iter()
                        .any(|it| it.list_id == list)
                });
                if is_member {
                    self.change(&id, at, |profile| {
                        profile.list_suppressions.push(ListSuppression {
                            list_id: list.to_owned(),
                            reason: "UNSUBSCRIBE".to_owned(),
                            timestamp: instant::show(at.div_euclid(1_000_000)),
                        });
                    });
                    let _ = self.leave(list, &profile);
                    continue;
                }
                if is_off {
                    continue;
                }
                let list = list.to_owned();
                self.writes
                    .note(at, Written::UnsubscribedOutside { list, profile });
            }
            if channel == Channel::Email {
                self.suppress(&id, "UNSUBSCRIBE", at);
            }
            self.set_consent(&id, channel, ConsentLevel::Unsubscribed, By::Request, at);
        }
    }

    /// Does what a client of ours must never ask for.
    pub(super) fn subscribe(&mut self, who: &Named, list: Option<&str>, at: i64) {
        let channels = [
            (Channel::Email, who.email.is_some()),
            (Channel::Sms, who.phone.is_some()),
        ];
        let Some(id) = self.who(who) else {
            return;
        };
        for (channel, is_named) in channels {
            if is_named {
                self.set_consent(&id, channel, ConsentLevel::Subscribed, By::Request, at);
            }
        }
        self.change(&id, at, |profile| {
            let lifted = ["UNSUBSCRIBE", "SPAM_COMPLAINT", "USER_SUPPRESSED"];
            profile
                .suppressions
                .retain(|it| !lifted.contains(&it.reason.as_str()));
        });
        if let Some(list) = list {
            self.add_member(list, &id.to_string(), at);
        }
    }

    /// Lets somebody change a consent of theirs, as by a link in a mail or a form.
    pub(crate) fn consent_by_person(
        &mut self,
        id: &str,
        channel: Channel,
        to: ConsentLevel,
        at: i64,
    ) -> Result<(), ChangeError> {
        let missing = || ChangeError::NoProfile(id.to_owned());
        let found = self.profiles.find(id).ok_or_else(missing)?;
        if channel == Channel::Email {
            self.change(&found, at, |profile| {
                profile.suppressions.retain(|it| it.reason != "UNSUBSCRIBE");
            });
            if to == ConsentLevel::Unsubscribed {
                self.suppress(&found, "UNSUBSCRIBE", at);
            }
        }
        self.set_consent(&found, channel, to, By::World, at);
        Ok(())
    }
}

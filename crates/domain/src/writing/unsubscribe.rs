//! The end of a person's consent, the only change of consent that this service makes.

use std::time::Duration;

use super::PersonalText;
use crate::ids::{CollectionId, ProfileId};
use crate::profile::Profile;
use crate::text_enum::text_enum;
use crate::time::Timestamp;

text_enum! {
    /// A channel of marketing.
    #[derive(serde::Serialize, serde::Deserialize)]
    #[serde(rename_all = "SCREAMING_SNAKE_CASE")]
    Channel {
        /// E-mail.
        Email = "EMAIL",
        /// SMS.
        Sms = "SMS",
    }
}

/// How long a proof of membership lasts.
pub const PROOF_LASTS: Duration = Duration::from_mins(1);

/// That somebody is a member of a list, as Klaviyo said when it was asked. Without it nobody is unsubscribed from
/// a list: Klaviyo unsubscribes somebody who is not in the list from everything.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MembershipProof {
    list: CollectionId,
    profile: ProfileId,
    person: UnsubscribePerson,
    asked_at: Timestamp,
}

impl MembershipProof {
    /// The proof that a person is among these members of a list, who were looked for by the person's own e-mail or
    /// phone number; `None` if the person is not. `asked_at` is when the request for them began. Every identifier that the
    /// person is unsubscribed by must be the member's own.
    pub fn of(
        list: &CollectionId,
        members: &[Profile],
        person: &UnsubscribePerson,
        asked_at: Timestamp,
    ) -> Option<Self> {
        let is_same = |theirs: Option<&str>, ours: &Option<PersonalText>| {
            ours.as_ref().is_none_or(|ours| {
                theirs
                    .is_some_and(|theirs| theirs.trim().eq_ignore_ascii_case(ours.as_str().trim()))
            })
        };
        if person.email.is_none() && person.phone.is_none() {
            return None;
        }
        let member = members.iter().find(|member| {
            is_same(member.email.as_text(), &person.email)
                && is_same(member.phone.as_text(), &person.phone)
        })?;
        Some(Self {
            list: list.clone(),
            profile: member.id.clone(),
            person: person.clone(),
            asked_at,
        })
    }

    /// The list.
    pub const fn list(&self) -> &CollectionId {
        &self.list
    }

    /// The member's id.
    pub const fn profile(&self) -> &ProfileId {
        &self.profile
    }

    /// Whom and from what it proves the unsubscription of.
    pub const fn person(&self) -> &UnsubscribePerson {
        &self.person
    }

    /// Whether it is still young enough. A clock that was set back proves nothing.
    pub fn holds(&self, now: Timestamp) -> bool {
        now >= self.asked_at && now.since(self.asked_at) < PROOF_LASTS
    }
}

/// Somebody who is unsubscribed.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct UnsubscribePerson {
    /// The e-mail, where the channel e-mail is ended.
    pub email: Option<PersonalText>,
    /// The phone number, where the channel SMS is ended.
    pub phone: Option<PersonalText>,
}

impl UnsubscribePerson {
    /// A person by what each of the channels reaches them by; `None` if a channel has nothing, or there is none.
    pub fn of(
        channels: &[Channel],
        email: Option<&PersonalText>,
        phone: Option<&PersonalText>,
    ) -> Option<Self> {
        let mut person = Self {
            email: None,
            phone: None,
        };
        for channel in channels {
            match channel {
                Channel::Email => person.email = Some(email?.clone()),
                Channel::Sms => person.phone = Some(phone?.clone()),
            }
        }
        (!channels.is_empty()).then_some(person)
    }
}

/// From what people are unsubscribed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UnsubscribeScope {
    /// From everything that the channels carry.
    All(Vec<UnsubscribePerson>),
    /// From one list, each of whose members was proved to be one within the minute.
    List(Vec<MembershipProof>),
}

/// People who are unsubscribed by one request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unsubscribe {
    scope: UnsubscribeScope,
}

impl Unsubscribe {
    /// From everything.
    pub const fn from_all(people: Vec<UnsubscribePerson>) -> Self {
        Self {
            scope: UnsubscribeScope::All(people),
        }
    }

    /// From the one list that all these proofs are of; `None` if one of them is too old or of another list, or there is none.
    pub fn from_list(proofs: Vec<MembershipProof>, now: Timestamp) -> Option<Self> {
        let list = proofs.first()?.list();
        let holds = proofs
            .iter()
            .all(|proof| proof.list() == list && proof.holds(now));
        holds.then_some(Self {
            scope: UnsubscribeScope::List(proofs),
        })
    }

    /// From what.
    pub const fn scope(&self) -> &UnsubscribeScope {
        &self.scope
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::Attribute;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_micros(second * 1_000_000).unwrap()
    }

    fn member(id: &str, email: &str, phone: &str) -> Profile {
        Profile {
            id: ProfileId::parse(id).unwrap(),
            email: Attribute::text(email),
            phone: Attribute::text(phone),
            first_name: Attribute::Absent,
            last_name: Attribute::Absent,
            updated: None,
            joined_at: None,
            consents: None,
            unreadable_times: Vec::new(),
        }
    }

    fn person(email: Option<&str>, phone: Option<&str>) -> UnsubscribePerson {
        UnsubscribePerson {
            email: email.map(PersonalText::new),
            phone: phone.map(PersonalText::new),
        }
    }

    #[test]
    fn only_a_member_is_proved_and_only_for_a_minute() {
        let list = CollectionId::parse("L").unwrap();
        let members = [member("P", "A@example.com", "+4915112345678")];
        let prove = |person| MembershipProof::of(&list, &members, &person, at(100));
        let proof = prove(person(Some("a@example.com"), None)).unwrap();
        assert_eq!(proof.profile().as_str(), "P");
        assert!(proof.holds(at(100)) && proof.holds(at(159)));
        assert!(!proof.holds(at(160)) && !proof.holds(at(99)));
        assert!(prove(person(Some("b@example.com"), None)).is_none());
        // The phone number of somebody else would be unsubscribed from everything.
        assert!(prove(person(Some("a@example.com"), Some("+4915100000000"))).is_none());
        assert!(prove(person(None, None)).is_none());
        assert!(Unsubscribe::from_list(vec![proof.clone()], at(159)).is_some());
        assert!(Unsubscribe::from_list(vec![proof.clone()], at(160)).is_none());
        assert!(Unsubscribe::from_list(Vec::new(), at(100)).is_none());
        let other = CollectionId::parse("M").unwrap();
        let other = MembershipProof::of(&other, &members, proof.person(), at(100)).unwrap();
        assert!(Unsubscribe::from_list(vec![proof, other], at(100)).is_none());
    }

    #[test]
    fn a_channel_without_its_identifier_makes_no_person() {
        let email = PersonalText::new("a@example.com");
        let of = |channels: &[Channel]| UnsubscribePerson::of(channels, Some(&email), None);
        assert_eq!(
            of(&[Channel::Email]),
            Some(person(Some("a@example.com"), None))
        );
        assert_eq!(of(&[Channel::Email, Channel::Sms]), None);
        assert_eq!(of(&[]), None);
    }
}

//! The door: which of some people are members of an audience, answered from our own rows alone.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use crate::audience::Freshness;
use crate::ids::ConsumerId;
use crate::value::Email;

/// The most people that one check asks for.
pub const MOST_ASKED: usize = 100;

/// Whom a check asks for, in the texts that its caller sent.
#[derive(Clone, PartialEq, Eq)]
pub enum Asked {
    /// By e-mail.
    Emails(Vec<String>),
    /// By our id.
    Consumers(Vec<String>),
}

/// People as a store knows them, each once: a text that is no e-mail or no id names nobody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum People {
    /// By e-mail.
    Emails(Vec<Email>),
    /// By our id.
    Consumers(Vec<ConsumerId>),
}

/// One of the people asked for who is a member.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// The e-mail that was asked for; `None` where ids were.
    pub email: Option<Email>,
    /// Who it is.
    pub consumer: ConsumerId,
}

/// The members among those whom some checks asked for, by what they were asked for by.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Members {
    by_email: BTreeMap<Email, ConsumerId>,
    ids: BTreeSet<ConsumerId>,
}

/// What a store reads for a check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DoorRead {
    /// How far the members can be trusted.
    pub freshness: Freshness,
    /// Those of the people who are members, in any order.
    pub members: Vec<Member>,
}

impl Asked {
    /// How many answers are asked for.
    pub const fn len(&self) -> usize {
        match self {
            Self::Emails(texts) | Self::Consumers(texts) => texts.len(),
        }
    }

    /// Whether nobody is asked for.
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// For each text, in the order asked, the member whom it names.
    pub fn answers(&self, members: &Members) -> Vec<Option<ConsumerId>> {
        match self {
            Self::Emails(texts) => {
                let answer = |text: &String| members.by_email.get(&Email::parse(text).ok()?);
                texts.iter().map(|text| answer(text).cloned()).collect()
            }
            Self::Consumers(texts) => {
                let answer =
                    |text: &String| members.ids.get(&ConsumerId::parse(text.as_str()).ok()?);
                texts.iter().map(|text| answer(text).cloned()).collect()
            }
        }
    }
}

impl People {
    /// Whom these checks ask for and who can be in a store, each once: a set for each form in which people are asked for.
    pub fn of_all<'a>(checks: impl IntoIterator<Item = &'a Asked>) -> Vec<Self> {
        let (mut emails, mut consumers) = (None, None);
        for asked in checks {
            match asked {
                Asked::Emails(texts) => {
                    let named = texts.iter().filter_map(|text| Email::parse(text).ok());
                    emails.get_or_insert_with(BTreeSet::new).extend(named);
                }
                Asked::Consumers(texts) => {
                    let named = texts
                        .iter()
                        .filter_map(|text| ConsumerId::parse(text.as_str()).ok());
                    consumers.get_or_insert_with(BTreeSet::new).extend(named);
                }
            }
        }
        let emails = emails.map(|emails| Self::Emails(emails.into_iter().collect()));
        let consumers = consumers.map(|ids| Self::Consumers(ids.into_iter().collect()));
        emails.into_iter().chain(consumers).collect()
    }
}

impl Members {
    /// Adds what a store has read.
    pub fn add(&mut self, read: Vec<Member>) {
        for member in read {
            match member.email {
                Some(email) => {
                    self.by_email.insert(email, member.consumer);
                }
                None => {
                    self.ids.insert(member.consumer);
                }
            }
        }
    }
}

/// The texts are a caller's, and personal.
impl fmt::Debug for Asked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let by = match self {
            Self::Emails(_) => "Emails",
            Self::Consumers(_) => "Consumers",
        };
        write!(f, "{by}({} texts)", self.len())
    }
}

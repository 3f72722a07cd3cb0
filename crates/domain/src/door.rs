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

/// The same people as a store knows them, each once: a text that is no e-mail or no id names nobody.
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

    /// The people who can be in a store.
    pub fn people(&self) -> People {
        match self {
            Self::Emails(texts) => {
                let emails = texts.iter().filter_map(|text| Email::parse(text).ok());
                People::Emails(each_once(emails))
            }
            Self::Consumers(texts) => {
                let ids = texts.iter().filter_map(|text| ConsumerId::parse(text).ok());
                People::Consumers(each_once(ids))
            }
        }
    }

    /// For each text, in the order asked, the member whom it names.
    pub fn answers(&self, members: &[Member]) -> Vec<Option<ConsumerId>> {
        match self {
            Self::Emails(texts) => {
                let by_email: BTreeMap<&str, &ConsumerId> = members
                    .iter()
                    .filter_map(|member| Some((member.email.as_ref()?.as_str(), &member.consumer)))
                    .collect();
                let answer = |text: &String| {
                    let email = Email::parse(text).ok()?;
                    by_email.get(email.as_str()).copied().cloned()
                };
                texts.iter().map(answer).collect()
            }
            Self::Consumers(texts) => {
                let ids: BTreeMap<&str, &ConsumerId> = members
                    .iter()
                    .map(|member| (member.consumer.as_str(), &member.consumer))
                    .collect();
                let answer = |text: &String| ids.get(text.as_str()).copied().cloned();
                texts.iter().map(answer).collect()
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

fn each_once<T: Ord>(all: impl Iterator<Item = T>) -> Vec<T> {
    all.collect::<BTreeSet<T>>().into_iter().collect()
}

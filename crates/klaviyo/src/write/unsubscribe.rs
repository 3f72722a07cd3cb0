//! `POST /api/profile-subscription-bulk-delete-jobs`: the end of consent.

use fanfare_domain::writing::{
    MAX_UNSUBSCRIBED, MembershipProof, PersonalText, Unsubscribe, UnsubscribePerson,
    UnsubscribeScope, WriteError,
};
use reqwest::{Method, StatusCode};
use serde::Serialize;

use super::request::{Data, New, Reference, WriteRequest, refused_row};
use crate::origin::Origin;

#[derive(Serialize)]
struct Job<'a> {
    #[serde(rename = "type")]
    of: &'static str,
    attributes: Attributes<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    relationships: Option<Relationships<'a>>,
}

#[derive(Serialize)]
struct Attributes<'a> {
    profiles: Data<Vec<New<Profile<'a>>>>,
}

#[derive(Serialize)]
struct Relationships<'a> {
    list: Data<Reference<'a>>,
}

#[derive(Serialize)]
struct Profile<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    phone_number: Option<&'a str>,
    subscriptions: Channels,
}

#[derive(Serialize)]
struct Channels {
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<Marketing>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sms: Option<Marketing>,
}

#[derive(Serialize)]
struct Marketing {
    marketing: Consent,
}

#[derive(Serialize)]
struct Consent {
    consent: &'static str,
}

const ENDED: Marketing = Marketing {
    marketing: Consent {
        consent: "UNSUBSCRIBED",
    },
};

fn profile(person: &UnsubscribePerson) -> New<Profile<'_>> {
    New {
        of: "profile",
        attributes: Profile {
            email: person.email.as_ref().map(PersonalText::as_str),
            phone_number: person.phone.as_ref().map(PersonalText::as_str),
            subscriptions: Channels {
                email: person.email.as_ref().map(|_| ENDED),
                sms: person.phone.as_ref().map(|_| ENDED),
            },
        },
    }
}

/// Ends the consent of people.
pub(super) fn request(
    origin: &Origin,
    unsubscribe: &Unsubscribe,
) -> Result<WriteRequest, WriteError> {
    let (people, list): (Vec<&UnsubscribePerson>, _) = match unsubscribe.scope() {
        UnsubscribeScope::All(people) => (people.iter().collect(), None),
        UnsubscribeScope::List(proofs) => (
            proofs.iter().map(MembershipProof::person).collect(),
            proofs.first().map(MembershipProof::list),
        ),
    };
    if people.is_empty() || people.len() > MAX_UNSUBSCRIBED {
        return Err(refused_row(None, None, "wrong_number_of_profiles"));
    }
    let nobody = people
        .iter()
        .position(|person| person.email.is_none() && person.phone.is_none());
    if nobody.is_some() {
        return Err(refused_row(nobody, Some("profile"), "no_identifier"));
    }
    let body = Data {
        data: Job {
            of: "profile-subscription-bulk-delete-job",
            attributes: Attributes {
                profiles: Data {
                    data: people.into_iter().map(profile).collect(),
                },
            },
            relationships: list.map(|list| Relationships {
                list: Data {
                    data: Reference {
                        of: "list",
                        id: list.as_str(),
                    },
                },
            }),
        },
    };
    let path = ["profile-subscription-bulk-delete-jobs"];
    WriteRequest::new(Method::POST, origin, path, &body, &[StatusCode::ACCEPTED])
}

//! What must hold whatever bytes Klaviyo answers to writes, and to the reads that belong to them; see [`crate::fuzzing`].

use fanfare_domain::consumer::Consumer;
use fanfare_domain::contact::{ContactSettings, Telling, Winner, lookups, tell, whose};
use fanfare_domain::ids::{ConsumerId, ProfileId};
use fanfare_domain::profile::Attribute;
use fanfare_domain::source::CollectionKind;
use fanfare_domain::time::Timestamp;
use fanfare_domain::value::{Email, FullName, Phone};
use fanfare_domain::writing::{
    Change, ContentRefusal, Effect, FoundProfile, PersonalText, WriteError, after_refusal,
};
use reqwest::StatusCode;

use super::{definition, event, flow, import, profile, refusal};
use crate::fuzzing::{
    MAX_ERROR_BYTES, ORIGIN, Refusal, document, goes_back, shows_nothing_private,
};
use crate::{collection, member};

/// How many rows a refused request had, and which profiles it named.
const ROWS: usize = 40;
const MEMBERS: [&str; 2] = ["01HXYZ", "01HXZA"];

/// The body of the answer to a write: a profile, an import job, or a list that was made.
pub(crate) fn written(body: &[u8]) {
    for is_new in [false, true] {
        let read = document(body, |text| profile::read_written(text, is_new));
        if let Some(written) = read {
            assert_eq!(written.is_new, is_new);
            assert!(is_an_id(written.id.as_str()));
        }
    }
    if let Some(job) = document(body, import::read) {
        // It is a part of an address later.
        assert!(is_an_id(job.id.as_str()));
        let request = import::request(&ORIGIN, &job.id);
        let path = request.map(|request| request.url.path().to_owned());
        let is_one_segment = |path: &str| path.split('/').count() == 4;
        assert!(path.is_ok_and(|path| is_one_segment(&path)) || job.id.as_str().starts_with('.'));
    }
    document(body, |text| collection::read(text, CollectionKind::List));
}

/// A refusal of a write, in the form of the target `klaviyo-refusal`.
pub(crate) fn write_refusal(answer: &[u8]) {
    let Some(Refusal {
        status,
        headers,
        body,
        ..
    }) = Refusal::parse(answer)
    else {
        return;
    };
    let members = MEMBERS.map(|id| ProfileId::parse(id).expect("it is an id"));
    let error = refusal::read(status, &headers, body, &members);
    let is_wait = status == StatusCode::TOO_MANY_REQUESTS;
    assert_eq!(matches!(error, WriteError::Throttled(_)), is_wait);
    // What Klaviyo itself refuses was not done. What another answers says nothing.
    if status.is_server_error() {
        assert_eq!(error.effect(), Effect::Unknown);
    }
    let shown = error.to_string();
    assert!(shown.len() <= MAX_ERROR_BYTES, "{} bytes", shown.len());
    assert!(!shown.chars().any(char::is_control));
    shows_nothing_private(&shown);
    match &error {
        WriteError::ContentRefused(refused) => content(refused),
        WriteError::IdentifierConflict { other } => {
            assert!(other.as_ref().is_none_or(|other| is_an_id(other.as_str())));
        }
        error => shows_nothing_private(&format!("{error:?}")),
    }
}

/// A refused row costs itself alone, and no row is lost or sent twice.
fn content(refused: &ContentRefusal) {
    shows_nothing_private(&format!("{refused:?}"));
    for row in &refused.rows {
        assert!((1..=64).contains(&row.code.len()));
        assert!(row.field.as_ref().is_none_or(|field| field.len() <= 40));
    }
    for rows in [0, 1, 2, ROWS] {
        let after = after_refusal(rows, refused);
        assert!(
            after
                .again
                .iter()
                .all(|batch| (1..rows).contains(&batch.len()))
        );
        let again = after.again.into_iter().flatten();
        let mut places: Vec<usize> = after.refused.into_iter().chain(again).collect();
        places.sort_unstable();
        assert!(places.into_iter().eq(0..rows));
    }
}

/// The body of an answer to the look for people before a write, and what would be written after it.
pub(crate) fn found(body: &[u8]) {
    let Some(found) = document(body, member::read_found) else {
        return;
    };
    let people = [
        edited("cons_1", Some("canary@example.com")),
        edited("cons_2", None),
    ];
    assert_eq!(lookups(&people).len(), 2);
    let seen = whose(&people, &found);
    for person in &people {
        let profile = seen.get(&person.id).and_then(|seen| seen.profile());
        if let Some(profile) = profile {
            tells_what_differs(person.clone(), profile);
        }
    }
    for one in &found {
        shows_nothing_private(&format!("{one:?}").replace(one.profile.id.as_str(), ""));
    }
}

/// A consumer whose name and number were set here.
fn edited(id: &str, email: Option<&str>) -> Consumer {
    let mut consumer = Consumer::new(ConsumerId::parse(id).expect("it is an id"));
    consumer.email = email.and_then(|email| Email::parse(email).ok());
    consumer.edit_full_name(FullName::join(Some("Ada Lovelace"), None).0, at(50));
    consumer.edit_phone(Phone::parse("+15550001").ok(), at(50));
    consumer
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_micros(second * 1_000_000).expect("it is a time")
}

/// Nothing is written that is there already, and no id of another program's is written over.
fn tells_what_differs(mut consumer: Consumer, found: &FoundProfile) {
    let settings = ContactSettings {
        enabled: true,
        winner: Winner::Fanfare,
        create_profiles: false,
    };
    let (mut contact, now) = (None, at(60));
    let telling = tell(&mut consumer, &mut contact, Some(found), settings, now, now);
    let changes = match telling {
        Telling::Update(profile, changes) => {
            assert_eq!(profile, found.profile.id);
            changes
        }
        other => {
            assert_eq!(other, Telling::Equal(false));
            return;
        }
    };
    let is_set_to = |change: &Change<PersonalText>, theirs: &Attribute| match change {
        Change::Set(text) => theirs.as_text() == Some(text.as_str()),
        Change::Keep | Change::Clear => false,
    };
    let profile = &found.profile;
    assert!(!is_set_to(&changes.first_name, &profile.first_name));
    assert!(!is_set_to(&changes.last_name, &profile.last_name));
    assert!(!is_set_to(&changes.phone, &profile.phone));
    let has_id = found
        .external_id
        .as_text()
        .is_some_and(|id| !id.trim().is_empty());
    assert!(changes.external_id.is_keep() || !has_id);
    profile::update(&ORIGIN, &profile.id, &changes).expect("it can be sent");
}

/// The body of a page of rows that an import job has refused.
pub(crate) fn import_errors(body: &[u8]) {
    let Some(page) = document(body, |text| import::read_errors(text, &ORIGIN)) else {
        return;
    };
    page.next.as_ref().map(goes_back);
    for item in &page.items {
        content(&item.refusal);
        let id = item.person.profile.as_ref().map_or("", ProfileId::as_str);
        shows_nothing_private(&format!("{item:?}").replace(id, ""));
    }
}

/// The body of a page of events.
pub(crate) fn recorded_events(body: &[u8]) {
    if let Some(page) = document(body, |text| event::read_recorded(text, &ORIGIN)) {
        page.next.as_ref().map(goes_back);
    }
}

/// The body of an answer with flows, or of a page of metrics.
pub(crate) fn flows(body: &[u8]) {
    for flow in document(body, flow::read).unwrap_or_default() {
        // What is not known to be harmless mails.
        let is_harmless = flow.archived || matches!(flow.status.as_str(), "manual" | "draft");
        assert_eq!(flow.may_mail(), !is_harmless);
    }
    if let Some(page) = document(body, |text| flow::read_metrics(text, &ORIGIN)) {
        page.next.as_ref().map(goes_back);
    }
}

/// The body of a segment with its definition.
pub(crate) fn definition(body: &[u8]) {
    for named in document(body, definition::read).unwrap_or_default() {
        assert!(is_an_id(named.as_str()));
    }
}

fn is_an_id(id: &str) -> bool {
    (1..=255).contains(&id.chars().count()) && !id.contains(char::is_control)
}

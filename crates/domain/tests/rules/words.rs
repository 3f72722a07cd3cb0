//! The words by which users, stores and logs know things.

use fanfare_domain::failure::FailureCode;
use fanfare_domain::issue::{Field, IssueCode};
use fanfare_domain::organization::Role;
use fanfare_domain::quota::Endpoint;
use fanfare_domain::run::{RunMode, SyncStatus, Trigger};
use fanfare_domain::source::CollectionKind;

fn words<T: Copy>(all: &[T], word: fn(T) -> &'static str) -> Vec<&'static str> {
    all.iter().map(|value| word(*value)).collect()
}

#[test]
fn the_words_are_the_ones_that_were_promised() {
    assert_eq!(
        words(SyncStatus::ALL, SyncStatus::as_str),
        ["PENDING", "SYNCING", "SUCCESS", "FAILED"]
    );
    assert_eq!(
        words(RunMode::ALL, RunMode::as_str),
        ["FULL", "INCREMENTAL"]
    );
    assert_eq!(
        words(Trigger::ALL, Trigger::as_str),
        ["IMPORT", "MANUAL", "SCHEDULE", "WEBHOOK"]
    );
    assert_eq!(
        words(CollectionKind::ALL, CollectionKind::as_str),
        ["LIST", "SEGMENT"]
    );
    assert_eq!(
        words(FailureCode::ALL, FailureCode::as_str),
        [
            "key_invalid",
            "scope_missing",
            "source_gone",
            "upstream_invalid",
            "upstream_unavailable",
            "cursor_loop",
            "removal_guard",
            "worker_crashed",
            "cancelled",
            "internal",
        ]
    );
    assert_eq!(
        words(IssueCode::ALL, IssueCode::as_str),
        [
            "missing_contact",
            "invalid_email",
            "invalid_phone",
            "invalid_value",
            "duplicate_email"
        ]
    );
    assert_eq!(
        words(Field::ALL, Field::as_str),
        ["email", "phone_number", "first_name", "last_name"]
    );
}

#[test]
fn every_word_reads_back() {
    assert!(
        SyncStatus::ALL
            .iter()
            .all(|v| SyncStatus::parse(v.as_str()) == Some(*v))
    );
    assert!(
        FailureCode::ALL
            .iter()
            .all(|v| FailureCode::parse(v.as_str()) == Some(*v))
    );
    assert!(
        IssueCode::ALL
            .iter()
            .all(|v| IssueCode::parse(v.as_str()) == Some(*v))
    );
    assert!(
        Endpoint::ALL
            .iter()
            .all(|v| Endpoint::parse(v.as_str()) == Some(*v))
    );
    assert_eq!(SyncStatus::parse("syncing"), None);
}

#[test]
fn each_role_may_do_what_those_below_it_may() {
    let roles = ["viewer", "editor", "admin", "owner"].map(|word| Role::parse(word).unwrap());
    assert!(roles.is_sorted());
    assert_eq!(Role::parse("root"), None);
}

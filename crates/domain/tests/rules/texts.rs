//! The texts by which users, stores and logs know the values of enums.

use fanfare_domain::failure::FailureCode;
use fanfare_domain::issue::{Field, IssueCode};
use fanfare_domain::organization::Role;
use fanfare_domain::quota::Endpoint;
use fanfare_domain::run::{RunMode, SyncStatus, Trigger};
use fanfare_domain::source::CollectionKind;

fn texts<T: Copy>(all: &[T], text: fn(T) -> &'static str) -> Vec<&'static str> {
    all.iter().map(|value| text(*value)).collect()
}

#[test]
fn every_text_is_the_one_that_the_contract_fixes() {
    assert_eq!(
        texts(SyncStatus::ALL, SyncStatus::as_str),
        ["PENDING", "SYNCING", "SUCCESS", "FAILED"]
    );
    assert_eq!(
        texts(RunMode::ALL, RunMode::as_str),
        ["FULL", "INCREMENTAL"]
    );
    assert_eq!(
        texts(Trigger::ALL, Trigger::as_str),
        ["IMPORT", "MANUAL", "SCHEDULE", "WEBHOOK"]
    );
    assert_eq!(
        texts(CollectionKind::ALL, CollectionKind::as_str),
        ["LIST", "SEGMENT"]
    );
    assert_eq!(
        texts(FailureCode::ALL, FailureCode::as_str),
        [
            "key_invalid",
            "scope_missing",
            "source_gone",
            "upstream_invalid",
            "upstream_unavailable",
            "cursor_loop",
            "incomplete_read",
            "removal_guard",
            "worker_crashed",
            "cancelled",
            // Of pushes alone.
            "confirmation_needed",
            "internal",
        ]
    );
    assert_eq!(
        texts(IssueCode::ALL, IssueCode::as_str),
        [
            "missing_contact",
            "invalid_email",
            "invalid_phone",
            "invalid_value",
            "duplicate_email",
            "erased"
        ]
    );
    assert_eq!(
        texts(Field::ALL, Field::as_str),
        [
            "email",
            "phone_number",
            "first_name",
            "last_name",
            "updated",
            "joined_group_at"
        ]
    );
}

#[test]
fn every_text_is_parsed_to_its_value() {
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
    let roles = ["viewer", "editor", "admin", "owner"].map(|name| Role::parse(name).unwrap());
    assert!(roles.is_sorted());
    assert_eq!(Role::parse("root"), None);
}

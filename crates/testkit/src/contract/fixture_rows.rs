//! Rows of the fixture that are the same in every test.

use fanfare_domain::failure::FailureCode;
use fanfare_domain::history;
use fanfare_domain::ids::SnapshotId;
use fanfare_domain::profile::Profile;
use fanfare_domain::run::RunError;

use crate::build::{at, profile};

pub(super) fn four_profiles() -> Vec<Profile> {
    vec![
        profile("p1")
            .email("ada@example.com")
            .first_name("Ada")
            .build(),
        profile("p2").phone("+12025550102").first_name("Bo").build(),
        profile("p3").email("cy@example.com").build(),
        profile("p4")
            .email("di@example.com")
            .phone("+12025550104")
            .build(),
    ]
}

pub(super) fn unreadable() -> RunError {
    RunError {
        code: FailureCode::Internal,
        message: String::new(),
    }
}

pub(super) fn taken_snapshot() -> history::Snapshot {
    history::Snapshot {
        id: SnapshotId::parse("snap_1").expect("an id"),
        name: "Draw".to_owned(),
        at: at(1),
        members: 0,
    }
}

//! `fanfare doctor` and `fanfare migrate`.

use serde_json::Value;

use crate::support::{KLAVIYO_KEY, Place, Ran, klaviyo};

/// The verdict and the finding of a check.
#[track_caller]
fn check(ran: &Ran, subject: &str) -> (String, String) {
    let report: Value = serde_json::from_str(&ran.output).unwrap();
    let mut checks = report["checks"].as_array().unwrap().iter();
    let found = checks.find(|check| check["check"].as_str().unwrap().starts_with(subject));
    let found = found.unwrap_or_else(|| panic!("no {subject} in {ran:?}"));
    let text = |field: &str| found[field].as_str().unwrap().to_owned();
    (text("verdict"), text("finding"))
}

#[test]
fn a_service_in_good_order_passes_every_check() {
    let simulator = klaviyo();
    let place = Place::new().with("FANFARE_KLAVIYO_BASE_URL", simulator.url());
    place.create_organization();
    place.run_with(&["klaviyo", "connect"], KLAVIYO_KEY);
    let up = place.up();
    let worker = up.worker.trim_start_matches("http://").to_owned();
    let place = place.with("FANFARE_WORKER_ADDR", worker);

    let ran = place.run(&["doctor", "--json"]);

    assert_eq!(ran.status, 0, "{ran:?}");
    for subject in ["store", "master key", "Klaviyo", "key of org_", "worker"] {
        assert_eq!(check(&ran, subject).0, "ok", "{subject}: {ran:?}");
    }
}

#[test]
fn before_the_first_start_it_says_what_to_do_and_makes_nothing() {
    // A port that nobody listens on.
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = free.local_addr().unwrap().to_string();
    drop(free);
    let place = Place::new().with("FANFARE_WORKER_ADDR", address);

    let ran = place.run(&["doctor", "--json"]);

    assert_eq!(ran.status, 1, "{ran:?}");
    let (verdict, finding) = check(&ran, "store");
    assert_eq!(verdict, "FAILED");
    assert!(finding.contains("`fanfare migrate` makes it"), "{finding}");
    assert_eq!(check(&ran, "master key").0, "not checked");
    let (verdict, finding) = check(&ran, "worker");
    assert_eq!(verdict, "FAILED");
    assert!(finding.contains("start fanfare-worker"), "{finding}");
    assert!(!place.path(".fanfare").exists());
}

#[test]
fn each_fault_is_found_and_its_remedy_told() {
    let simulator = klaviyo();
    let place = Place::new().with("FANFARE_KLAVIYO_BASE_URL", simulator.url());
    place.create_organization();
    place.run_with(&["klaviyo", "connect"], KLAVIYO_KEY);

    simulator.account().revoke_key(KLAVIYO_KEY).unwrap();
    let ran = place.run(&["doctor", "--json"]);
    assert_eq!(ran.status, 1, "{ran:?}");
    assert_eq!(check(&ran, "Klaviyo").0, "ok");
    let (verdict, finding) = check(&ran, "key of org_");
    assert_eq!(verdict, "FAILED");
    assert!(finding.contains("Klaviyo refuses the API key"), "{finding}");

    drop(simulator);
    let ran = place.run(&["doctor", "--json"]);
    assert_eq!(check(&ran, "Klaviyo").0, "FAILED", "{ran:?}");

    let place = place.with(
        "FANFARE_MASTER_KEY",
        "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
    );
    let ran = place.run(&["doctor", "--json"]);
    assert_eq!(ran.status, 1, "{ran:?}");
    assert_eq!(check(&ran, "master key").0, "FAILED");
}

#[test]
fn the_settings_in_force_are_shown_with_secrets_masked() {
    let place = Place::new()
        .with("FANFARE_DATABASE_URL", "postgres://ann:canary@db/fanfare")
        .with("FANFARE_MASTER_KEY", "canary");
    for arguments in [&["doctor"][..], &["doctor", "--json"]] {
        let ran = place.run(arguments);
        assert!(ran.output.contains("postgres://••••@db/fanfare"), "{ran:?}");
        assert!(!ran.output.contains("canary"), "{ran:?}");
        assert!(!ran.errors.contains("canary"), "{ran:?}");
    }
}

#[test]
fn migrate_tells_first_what_it_would_do() {
    let place = Place::new();
    let told = place.run(&["migrate", "--check"]);
    assert_eq!(told.status, 1, "{told:?}");
    assert!(told.output.contains("there is no store yet"), "{told:?}");
    assert!(!place.store().exists());

    let done = place.run(&["migrate"]);
    assert_eq!(done.status, 0, "{done:?}");
    assert!(done.output.contains("the store was made"), "{done:?}");

    let after = place.run(&["migrate", "--check", "--json"]).json();
    assert_eq!(after["found"], "current");
    assert_eq!(after["migrated"], false);
}

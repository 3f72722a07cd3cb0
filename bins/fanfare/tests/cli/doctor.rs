//! `fanfare doctor` and `fanfare migrate`.

use serde_json::Value;

use crate::support::{Installation, KLAVIYO_KEY, ProgramResult, klaviyo};

/// The status and the finding of a check.
#[track_caller]
fn check(result: &ProgramResult, subject: &str) -> (String, String) {
    let report: Value = serde_json::from_str(&result.output).unwrap();
    let mut checks = report["checks"].as_array().unwrap().iter();
    let found = checks.find(|check| check["check"].as_str().unwrap().starts_with(subject));
    let found = found.unwrap_or_else(|| panic!("no {subject} in {result:?}"));
    let text = |field: &str| found[field].as_str().unwrap().to_owned();
    (text("verdict"), text("finding"))
}

#[test]
fn a_service_in_good_order_passes_every_check() {
    let simulator = klaviyo();
    let installation = Installation::new().with("FANFARE_KLAVIYO_BASE_URL", simulator.url());
    installation.create_organization();
    installation.run_with(&["klaviyo", "connect"], KLAVIYO_KEY);
    let up = installation.up();
    let worker = up.worker.trim_start_matches("http://").to_owned();
    let installation = installation.with("FANFARE_WORKER_ADDR", worker);

    let result = installation.run(&["doctor", "--json"]);

    assert_eq!(result.status, 0, "{result:?}");
    for subject in [
        "store",
        "place of the store",
        "secret files",
        "master key",
        "Klaviyo",
        "key of org_",
        "worker",
    ] {
        assert_eq!(check(&result, subject).0, "ok", "{subject}: {result:?}");
    }
}

#[test]
fn before_the_first_start_doctor_says_what_to_do_and_creates_nothing() {
    // A port on which no program listens.
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = free.local_addr().unwrap().to_string();
    drop(free);
    let installation = Installation::new().with("FANFARE_WORKER_ADDR", address);

    let result = installation.run(&["doctor", "--json"]);

    assert_eq!(result.status, 1, "{result:?}");
    let (status, finding) = check(&result, "store");
    assert_eq!(status, "FAILED");
    assert!(finding.contains("`fanfare migrate` makes it"), "{finding}");
    assert_eq!(check(&result, "master key").0, "not checked");
    let (status, finding) = check(&result, "worker");
    assert_eq!(status, "FAILED");
    assert!(finding.contains("start fanfare-worker"), "{finding}");
    assert!(!installation.path(".fanfare").exists());
}

#[test]
fn doctor_finds_each_fault_and_says_what_to_do() {
    let simulator = klaviyo();
    let installation = Installation::new().with("FANFARE_KLAVIYO_BASE_URL", simulator.url());
    installation.create_organization();
    installation.run_with(&["klaviyo", "connect"], KLAVIYO_KEY);

    simulator.account().revoke_key(KLAVIYO_KEY).unwrap();
    let result = installation.run(&["doctor", "--json"]);
    assert_eq!(result.status, 1, "{result:?}");
    assert_eq!(check(&result, "Klaviyo").0, "ok");
    let (status, finding) = check(&result, "key of org_");
    assert_eq!(status, "FAILED");
    assert!(finding.contains("Klaviyo refuses the API key"), "{finding}");

    drop(simulator);
    let result = installation.run(&["doctor", "--json"]);
    assert_eq!(check(&result, "Klaviyo").0, "FAILED", "{result:?}");

    let installation = installation.with(
        "FANFARE_MASTER_KEY",
        "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
    );
    let result = installation.run(&["doctor", "--json"]);
    assert_eq!(result.status, 1, "{result:?}");
    assert_eq!(check(&result, "master key").0, "FAILED");
}

#[test]
fn a_master_key_that_other_users_may_read_is_a_failed_check_and_a_warning() {
    use std::os::unix::fs::PermissionsExt;
    let installation = Installation::new().with("FANFARE_KLAVIYO_BASE_URL", "http://127.0.0.1:1");
    installation.create_organization();
    let key = installation.path(".fanfare/master.key");
    let allow =
        |mode| std::fs::set_permissions(&key, std::fs::Permissions::from_mode(mode)).unwrap();
    let result = installation.run(&["doctor", "--json"]);
    assert_eq!(check(&result, "secret files").0, "ok", "{result:?}");

    allow(0o644);

    let result = installation.run(&["doctor", "--json"]);
    let (status, finding) = check(&result, "secret files");
    assert_eq!((status.as_str(), result.status), ("FAILED", 1));
    assert!(
        finding.contains("`chmod 600 .fanfare/master.key`"),
        "{finding}"
    );
    let warned = installation.run(&["org", "list"]);
    assert_eq!(warned.status, 0, "{warned:?}");
    assert!(
        warned.errors.contains(".fanfare/master.key holds a secret"),
        "{warned:?}"
    );

    allow(0o600);
    let result = installation.run(&["doctor", "--json"]);
    assert_eq!(check(&result, "secret files").0, "ok", "{result:?}");
}

#[test]
fn the_settings_in_force_are_shown_with_secrets_masked() {
    let installation = Installation::new()
        .with("FANFARE_DATABASE_URL", "postgres://ann:canary@db/fanfare")
        .with("FANFARE_MASTER_KEY", "canary");
    for arguments in [&["doctor"][..], &["doctor", "--json"]] {
        let result = installation.run(arguments);
        assert!(
            result.output.contains("postgres://••••@db/fanfare"),
            "{result:?}"
        );
        assert!(!result.output.contains("canary"), "{result:?}");
        assert!(!result.errors.contains("canary"), "{result:?}");
    }
}

#[test]
fn migrate_check_says_what_migrate_would_do() {
    let installation = Installation::new();
    let told = installation.run(&["migrate", "--check"]);
    assert_eq!(told.status, 1, "{told:?}");
    assert!(told.output.contains("there is no store yet"), "{told:?}");
    assert!(!installation.store().exists());

    let done = installation.run(&["migrate"]);
    assert_eq!(done.status, 0, "{done:?}");
    assert!(done.output.contains("the store was made"), "{done:?}");

    let after = installation.run(&["migrate", "--check", "--json"]).json();
    assert_eq!(after["found"], "current");
    assert_eq!(after["migrated"], false);
}

//! A store that is restored from a backup, in which keys are valid that have been revoked since.

use std::fs;

use serde_json::Value;

use crate::support::{Installation, get, text};

/// The finding of doctor's check of the store's place, and whether it passed.
fn place(installation: &Installation) -> (bool, String) {
    let report = installation.run(&["doctor", "--json"]);
    let report: Value = serde_json::from_str(&report.output).unwrap();
    let mut checks = report["checks"].as_array().unwrap().iter();
    let check = checks.find(|check| check["check"] == "place of the store");
    let check = check.expect("the check");
    (check["verdict"] == "ok", text(check, "finding"))
}

/// The steps of the operations manual: programs are ended, the store is put back, its log and the file of quotas go.
fn restore(installation: &Installation, backup: &[u8]) {
    for entry in fs::read_dir(installation.path(".fanfare")).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if name.starts_with("fanfare.db-") || name.starts_with("fanfare-quota.db") {
            fs::remove_file(path).unwrap();
        }
    }
    fs::write(installation.store(), backup).unwrap();
}

/// An installation whose second key was revoked after the backup. Returns the secret and the id of the key too.
fn restored() -> (Installation, String, String) {
    let installation = Installation::new().with("FANFARE_KLAVIYO_BASE_URL", "http://127.0.0.1:1");
    installation.create_organization();
    let made = installation
        .run(&["key", "create", "--role", "editor", "--json"])
        .json();
    let (secret, id) = (text(&made, "secretKey"), text(&made, "keyId"));
    let backup = fs::read(installation.store()).unwrap();
    assert_eq!(installation.run(&["key", "revoke", &id]).status, 0);
    assert!(place(&installation).0);
    restore(&installation, &backup);
    (installation, secret, id)
}

#[test]
fn a_revoked_key_does_not_come_back_to_life_unnoticed() {
    let (installation, secret, id) = restored();

    let (is_fine, finding) = place(&installation);
    let warned = installation.run(&["org", "list"]);
    let up = installation.up_logged("up.log");
    assert_eq!(get(&format!("{}/api/settings", up.api), Some(&secret)), 200);
    drop(up);

    assert!(
        !is_fine && finding.contains("fanfare restored"),
        "{finding}"
    );
    assert!(warned.errors.contains("fanfare restored"), "{warned:?}");
    let log = fs::read_to_string(installation.path("up.log")).unwrap();
    assert!(log.contains("fanfare restored"), "{log}");

    let listed = installation.run(&["restored", "--json"]).json();
    let keys = listed["keys"].as_array().unwrap();
    assert_eq!(keys.len(), 2);
    assert!(keys.iter().any(|key| key["keyId"] == *id), "{listed}");
    assert!(place(&installation).0);
    assert_eq!(installation.run(&["org", "list"]).errors, "");
}

#[test]
fn all_keys_of_a_restored_store_can_be_revoked_at_once() {
    let (installation, secret, _) = restored();

    let revoked = installation.run(&["restored", "--revoke-keys"]);

    assert_eq!(revoked.status, 0, "{revoked:?}");
    assert!(
        revoked.output.contains("These 2 keys were revoked"),
        "{revoked:?}"
    );
    let up = installation.up();
    assert_eq!(get(&format!("{}/api/settings", up.api), Some(&secret)), 401);
    assert!(place(&installation).0);
}

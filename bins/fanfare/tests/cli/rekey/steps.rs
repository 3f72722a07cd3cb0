//! The steps of the manual, and what comes of a lost master key.

use serde_json::{Value, json};

use super::master_key;
use crate::support::{Installation, KLAVIYO_KEY, ProgramResult, Up, get, klaviyo, text};

/// The installation with these master keys, the present one first.
fn with_keys(installation: Installation, keys: &[u8]) -> Installation {
    let (present, previous) = keys.split_first().unwrap();
    let previous: Vec<String> = previous.iter().map(|byte| master_key(*byte)).collect();
    installation
        .with("FANFARE_MASTER_KEY", master_key(*present))
        .with("FANFARE_MASTER_KEY_PREVIOUS", previous.join(","))
}

fn report(result: &ProgramResult) -> Value {
    serde_json::from_str(&result.output).unwrap_or_else(|error| panic!("{error}: {result:?}"))
}

/// The verdict and the finding of one of doctor's checks.
fn doctor(installation: &Installation, check: &str) -> (String, String) {
    let result = installation.run(&["doctor", "--json"]);
    for byte in 1..=5 {
        assert!(!result.output.contains(&master_key(byte)), "{result:?}");
    }
    let report = report(&result);
    let mut checks = report["checks"].as_array().unwrap().iter();
    let found = checks.find(|found| found["check"] == check);
    let found = found.unwrap_or_else(|| panic!("no {check} in {report}"));
    (text(found, "verdict"), text(found, "finding"))
}

/// Whether a program opens the stored key: it asks Klaviyo with it.
#[track_caller]
fn assert_opens(up: &Up, secret: &str) {
    let lists = format!("{}/api/klaviyo", up.api);
    assert_eq!(get(&lists, Some(secret)), 200);
}

#[track_caller]
fn connect(installation: &Installation, organization: &str) {
    let arguments = ["klaviyo", "connect", "--org", organization];
    let connected = installation.run_with(&arguments, KLAVIYO_KEY);
    assert_eq!(connected.status, 0, "{connected:?}");
}

#[test]
fn the_master_key_is_replaced_in_four_steps_and_every_program_opens_every_key_throughout() {
    let simulator = klaviyo();
    let installation = Installation::new().with("FANFARE_KLAVIYO_BASE_URL", simulator.url());
    let installation = with_keys(installation, &[1]);
    let (first, secret) = installation.create_organization();
    connect(&installation, &first);

    // 1: all programs learn to open with the new one.
    let installation = with_keys(installation, &[1, 2]);
    let before = installation.up();
    // 2: one by one they are restarted to seal with it.
    let installation = with_keys(installation, &[2, 1]);
    let after = installation.up();
    let (second, second_secret) = installation.create_organization();
    connect(&installation, &second);
    for up in [&before, &after] {
        assert_opens(up, &secret);
        assert_opens(up, &second_secret);
    }
    let (verdict, finding) = doctor(&installation, "sealed keys");
    assert_eq!(verdict, "ok");
    assert!(finding.starts_with("1 by the present master key; 1 by previous master key 1"));
    let (_, finding) = doctor(&installation, "master key");
    assert!(finding.contains("the store's is previous master key 1"));

    // 3: what the old one has sealed is sealed anew.
    for (anew, unchanged) in [(1, 1), (0, 2)] {
        let done = installation.run(&["rekey", "--json"]).json();
        let want = json!({"sealedAnew": anew, "unchanged": unchanged, "notOpened": [], "erasuresForgotten": []});
        assert_eq!(done, want);
        assert_opens(&before, &secret);
        assert_opens(&after, &secret);
    }
    let old = with_keys(Installation::new(), &[1]).with(
        "FANFARE_DATABASE_URL",
        format!("sqlite://{}", installation.store().display()),
    );
    let explanation = "the master key is not the store's";
    old.run(&["org", "list"]).assert_refused(1, explanation);

    // 4: the old one is forgotten.
    drop((before, after));
    let installation = with_keys(installation, &[2]);
    let up = installation.up();
    assert_opens(&up, &secret);
    assert_opens(&up, &second_secret);
    let (verdict, finding) = doctor(&installation, "sealed keys");
    assert_eq!(
        (&*verdict, &*finding),
        ("ok", "2 by the present master key")
    );
    assert_eq!(doctor(&installation, "master key").1, "it is the store's");
}

#[test]
fn a_key_that_no_master_key_opens_is_named_by_its_organization() {
    let simulator = klaviyo();
    let installation = Installation::new().with("FANFARE_KLAVIYO_BASE_URL", simulator.url());
    let installation = with_keys(installation, &[1]);
    let (first, _) = installation.create_organization();
    connect(&installation, &first);
    let installation = with_keys(installation, &[2, 1]);
    let (second, _) = installation.create_organization();
    connect(&installation, &second);
    // Forgotten too early: the first one's key was never sealed anew.
    let installation = with_keys(installation, &[3, 1]);
    let (third, _) = installation.create_organization();
    connect(&installation, &third);

    let result = installation.run(&["rekey", "--json"]);

    assert_eq!(result.status, 1, "{result:?}");
    let want =
        json!({"sealedAnew": 1, "unchanged": 1, "notOpened": [second], "erasuresForgotten": []});
    assert_eq!(report(&result), want);
    let told = installation.run(&["rekey"]);
    assert_eq!(told.status, 1, "{told:?}");
    assert!(told.output.contains(&format!("--org {second}")), "{told:?}");
    let (verdict, finding) = doctor(&installation, "sealed keys");
    assert_eq!(verdict, "FAILED");
    assert!(finding.contains("1 by none of them"), "{finding}");
    assert!(finding.ends_with(&second), "{finding}");

    // It is mended by adding the master key that sealed it.
    let installation = with_keys(installation, &[3, 2]);
    let done = installation.run(&["rekey", "--json"]).json();
    let want = json!({"sealedAnew": 1, "unchanged": 2, "notOpened": [], "erasuresForgotten": []});
    assert_eq!(done, want);
}

#[test]
fn a_store_whose_master_key_is_lost_gets_another_one_and_keeps_everything_else() {
    let simulator = klaviyo();
    let installation = Installation::new().with("FANFARE_KLAVIYO_BASE_URL", simulator.url());
    let (organization, secret) = installation.create_organization();
    connect(&installation, &organization);
    let key = installation.path(".fanfare/master.key");
    std::fs::remove_file(&key).unwrap();
    let explanation = "the master key .fanfare/master.key is gone";
    installation.run(&["rekey"]).assert_refused(1, explanation);

    let result = installation.run(&["rekey", "--lost", "--json"]);

    assert_eq!(result.status, 1, "{result:?}");
    assert_eq!(report(&result)["notOpened"], json!([organization]));
    assert!(key.exists());
    connect(&installation, &organization);
    let up = installation.up();
    assert_opens(&up, &secret);
    let done = installation.run(&["rekey", "--json"]).json();
    let want = json!({"sealedAnew": 0, "unchanged": 1, "notOpened": [], "erasuresForgotten": []});
    assert_eq!(done, want);
}

#[test]
fn everything_that_is_wrong_with_previous_master_keys_is_told_without_the_keys() {
    let previous = format!("canary,{},", master_key(1));
    let installation = Installation::new()
        .with("FANFARE_MASTER_KEY", master_key(1))
        .with("FANFARE_MASTER_KEY_PREVIOUS", previous);
    let result = installation.run(&["rekey"]);
    result.assert_refused(
        1,
        "FANFARE_MASTER_KEY_PREVIOUS: key 1 must be 32 bytes in base64; key 2 is the present \
         master key; key 3 must be 32 bytes in base64",
    );
    assert!(!result.errors.contains("canary"), "{result:?}");
}

//! The log of a program that serves.

use std::fs;

use rustix::process::Signal;
use serde_json::Value;

use crate::support::{Installation, KLAVIYO_KEY, klaviyo};

#[test]
fn logs_are_json_lines_with_the_run_and_no_personal_data() {
    let simulator = klaviyo();
    let installation = Installation::new()
        .with("FANFARE_KLAVIYO_BASE_URL", simulator.url())
        // The log of every library.
        .with("FANFARE_LOG", "trace");
    let (organization, secret) = installation.create_organization();
    installation.run_with(&["klaviyo", "connect"], KLAVIYO_KEY);
    let mut up = installation.up_logged("up.log");
    let import = ["klaviyo", "import", "RtPqXs", "--wait", "--json"];
    let outcome = installation.run(&import).json();
    let audience = outcome["imported"][0]["audienceId"].as_str().unwrap();
    let members = format!("{}/api/audiences/{audience}/members", up.api);
    assert_eq!(crate::support::get(&members, Some(&secret)), 200);
    up.signal(Signal::TERM);
    assert_eq!(up.wait(), Some(0));

    let log = fs::read_to_string(installation.path("up.log")).unwrap();
    let lines: Vec<Value> = log
        .lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}")))
        .collect();
    for message in ["run started", "run ended"] {
        let line = lines.iter().find(|line| line["message"] == message);
        let line = line.unwrap_or_else(|| panic!("no {message}"));
        assert_eq!(line["processor"], "klaviyo/sync-list");
        assert_eq!(line["organizationId"], *organization);
        assert_eq!(line["runId"], outcome["imported"][0]["runId"]);
        assert_eq!(line["syncSourceId"], outcome["imported"][0]["syncSourceId"]);
        assert!(line["durationMs"].is_u64(), "{line}");
    }
    let profiles = simulator.account().members("RtPqXs").unwrap();
    let emails = profiles.iter().filter_map(|one| one.profile.email.clone());
    let phones = profiles
        .iter()
        .filter_map(|one| one.profile.phone_number.clone());
    let mut private: Vec<String> = emails.chain(phones).collect();
    private.extend([KLAVIYO_KEY.to_owned(), secret]);
    private.retain(|value| value.trim().len() > 5);
    assert!(private.len() > 200);
    let log = log.to_lowercase();
    for value in private {
        assert!(
            !log.contains(&value.trim().to_lowercase()),
            "{value} is in the log"
        );
    }
}

#[test]
fn an_api_that_other_machines_reach_warns_unless_tls_is_said_to_be_in_front() {
    for (address, public, warns) in [
        ("0.0.0.0:0", None, true),
        ("0.0.0.0:0", Some("http://fanfare.example.com"), true),
        ("0.0.0.0:0", Some("https://fanfare.example.com"), false),
        ("127.0.0.1:0", None, false),
    ] {
        let mut installation = Installation::new().with("FANFARE_API_ADDR", address);
        if let Some(url) = public {
            installation = installation.with("FANFARE_PUBLIC_URL", url);
        }
        drop(installation.up_logged("up.log"));
        let log = fs::read_to_string(installation.path("up.log")).unwrap();
        assert_eq!(
            log.contains("speaks no TLS"),
            warns,
            "{address} {public:?}: {log}"
        );
    }
}

#[test]
fn a_json_line_has_each_key_once() {
    let installation = Installation::new();
    let mut up = installation.up_logged("up.log");
    assert_eq!(
        crate::support::get(&format!("{}/api/settings", up.api), None),
        401
    );
    up.signal(Signal::TERM);
    assert_eq!(up.wait(), Some(0));

    let log = fs::read_to_string(installation.path("up.log")).unwrap();
    let answered = log.lines().find(|line| line.contains("request answered"));
    let answered = answered.expect("a request is logged");
    assert_eq!(answered.matches("\"requestId\"").count(), 1, "{answered}");
}

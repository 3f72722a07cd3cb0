//! The connection to Klaviyo, and imports, against the simulator.

use std::io::{BufRead, BufReader};

use fanfare_klaviyo_sim::Plan;
use serde_json::{Value, json};

use crate::support::{Installation, KLAVIYO_KEY, ProgramResult, klaviyo, klaviyo_as};

fn connect(installation: &Installation) -> ProgramResult {
    installation.run_with(
        &["klaviyo", "connect", "--json"],
        &format!("{KLAVIYO_KEY}\n"),
    )
}

#[test]
fn a_key_comes_from_a_pipe_or_the_environment_and_is_never_shown() {
    let simulator = klaviyo();
    let installation = Installation::new().with("FANFARE_KLAVIYO_BASE_URL", simulator.url());
    installation.create_organization();

    let piped = connect(&installation);
    let mut given = installation.command(&["klaviyo", "connect", "--json"]);
    let given = given.env("KLAVIYO_API_KEY", KLAVIYO_KEY).output().unwrap();

    let connection = piped.json();
    assert_eq!(connection["klaviyo"]["status"], "ACTIVE");
    assert_eq!(connection["klaviyo"]["apiKey"], "••••nary");
    assert_eq!(connection["klaviyo"]["accountId"], "AbC123");
    assert_eq!(connection["klaviyo"]["missingScopes"], json!([]));
    assert!(given.status.success());
    for shown in [
        piped.output,
        piped.errors,
        String::from_utf8(given.stdout).unwrap(),
    ] {
        assert!(!shown.contains("0123456789abcdef"), "{shown}");
    }
}

#[test]
fn a_malformed_key_is_refused_without_being_shown() {
    let simulator = klaviyo();
    let installation = Installation::new().with("FANFARE_KLAVIYO_BASE_URL", simulator.url());
    installation.create_organization();
    for (input, status, explanation) in [
        ("", 2, "no key was given"),
        (" \n", 2, "no key was given"),
        ("sk_live_canary", 1, "this is a Fanfare secret key"),
        ("canary", 1, "begins with pk_"),
        ("pk_canary", 1, "Klaviyo refuses the API key"),
    ] {
        let result = installation.run_with(&["klaviyo", "connect"], input);
        result.assert_refused(status, explanation);
        assert!(!result.errors.contains("canary"), "{result:?}");
    }
}

#[test]
fn commands_that_need_klaviyo_say_how_to_connect_it() {
    let simulator = klaviyo();
    let installation = Installation::new().with("FANFARE_KLAVIYO_BASE_URL", simulator.url());
    installation.create_organization();
    for arguments in [
        &["klaviyo", "lists"][..],
        &["klaviyo", "segments"],
        &["klaviyo", "import", "RtPqXs"],
    ] {
        let result = installation.run(arguments);
        result.assert_refused(1, "connect it with `fanfare klaviyo connect`");
    }
    let status = installation.run(&["klaviyo", "status", "--json"]).json();
    assert_eq!(status["klaviyo"]["status"], "NOT_CONNECTED");
    assert_eq!(status["audiences"], json!([]));
}

#[test]
fn lists_and_segments_are_shown_in_the_apis_shape() {
    let simulator = klaviyo();
    let installation = Installation::new().with("FANFARE_KLAVIYO_BASE_URL", simulator.url());
    installation.create_organization();
    connect(&installation);

    let lists = installation.run(&["klaviyo", "lists", "--json"]).json();
    let segments = installation.run(&["klaviyo", "segments", "--json"]).json();

    let names = |answer: &Value| -> Vec<String> {
        let items = answer.as_array().unwrap().iter();
        items
            .map(|item| item["attributes"]["name"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(names(&lists), ["Newsletter", "VIP"]);
    assert_eq!(names(&segments), ["Berlin"]);
    assert_eq!(lists[0]["isSynced"], false);
    assert_eq!(lists[0]["audienceId"], Value::Null);
    assert!(segments[0]["attributes"]["isActive"].is_boolean());
    let table = installation.run(&["klaviyo", "lists"]).output;
    assert!(
        table.contains("RtPqXs") && table.contains("Newsletter"),
        "{table}"
    );
}

/// Red, a title of the window, and a turn of direction, as a list's name.
const HOSTILE: &str = "VIP \u{1b}[31m\u{1b}]0;owned\u{7}\u{9b}2J\u{202e}txt";

#[test]
fn the_name_of_a_list_does_nothing_to_a_terminal() {
    let simulator = klaviyo();
    simulator.account().rename("RtPqXs", Some(HOSTILE)).unwrap();
    let installation = Installation::new().with("FANFARE_KLAVIYO_BASE_URL", simulator.url());
    installation.create_organization();
    connect(&installation);
    let _up = installation.up();

    let shown = [
        &["klaviyo", "lists"][..],
        &["klaviyo", "lists", "--json"],
        &["klaviyo", "import", "RtPqXs", "--wait"],
        &["klaviyo", "status"],
        &["klaviyo", "status", "--json"],
    ]
    .map(|arguments| installation.run(arguments));

    for result in shown {
        assert_eq!(result.status, 0, "{result:?}");
        assert!(result.output.contains("VIP"), "{result:?}");
        let obeyed = |c: char| (c.is_control() && c != '\n') || c == '\u{202e}';
        assert!(!result.output.contains(obeyed), "{result:?}");
        assert!(!result.errors.contains(obeyed), "{result:?}");
    }
}

#[test]
fn an_import_is_followed_to_its_end_and_shown_afterwards() {
    let simulator = klaviyo();
    let installation = Installation::new().with("FANFARE_KLAVIYO_BASE_URL", simulator.url());
    installation.create_organization();
    connect(&installation);
    let _up = installation.up();

    let import = [
        "klaviyo",
        "import",
        "RtPqXs",
        "--segment",
        "Sg1234",
        "--wait",
        "--json",
    ];
    let outcome = installation.run(&import).json();
    assert_eq!(outcome["imported"].as_array().unwrap().len(), 2);
    assert_eq!(outcome["imported"][1]["kind"], "SEGMENT");
    let run = &outcome["runs"][0];
    assert_eq!(run["status"], "SUCCESS");
    assert_eq!(run["progress"]["processed"], 230);
    assert_eq!(run["error"], Value::Null);

    let status = installation.run(&["klaviyo", "status", "--json"]).json();
    assert_eq!(status["audiences"][0]["name"], "Newsletter");
    assert_eq!(status["audiences"][0]["syncStatus"], "SUCCESS");
    assert_eq!(status["audiences"][0]["run"]["id"], run["id"]);
    let watched = installation.run(&["klaviyo", "status", "--watch"]);
    assert_eq!(watched.status, 0, "{watched:?}");
    assert!(watched.output.contains("list RtPqXs"), "{watched:?}");

    let again = installation
        .run(&["klaviyo", "import", "RtPqXs", "--wait", "--json"])
        .json();
    assert_eq!(again["imported"], json!([]));
    assert_eq!(again["skipped"][0]["reason"], "Already synced");
    assert_eq!(again["runs"], json!([]));
}

#[test]
fn a_list_that_klaviyo_does_not_have_is_a_failure_and_the_others_are_imported() {
    let simulator = klaviyo();
    let installation = Installation::new().with("FANFARE_KLAVIYO_BASE_URL", simulator.url());
    installation.create_organization();
    connect(&installation);

    let result = installation.run(&["klaviyo", "import", "XyZaBc", "NoNeNo"]);

    assert_eq!(result.status, 1, "{result:?}");
    assert!(
        result.output.contains("list XyZaBc is being imported"),
        "{result:?}"
    );
    assert!(
        result
            .output
            .contains("list NoNeNo was skipped: List not found"),
        "{result:?}"
    );
}

#[test]
fn an_import_that_fails_is_a_failure_that_says_why() {
    let simulator = klaviyo();
    let installation = Installation::new().with("FANFARE_KLAVIYO_BASE_URL", simulator.url());
    installation.create_organization();
    connect(&installation);
    assert_eq!(installation.run(&["klaviyo", "import", "XyZaBc"]).status, 0);
    simulator.account().revoke_key(KLAVIYO_KEY).unwrap();

    // The import is watched before the worker starts, so that there is progress to watch.
    let mut watch = installation
        .command(&["klaviyo", "status", "--watch"])
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(watch.stdout.take().unwrap()).lines();
    let waits = lines.any(|line| line.unwrap() == "VIP: 0 of ?, PENDING");
    assert!(waits);
    let _up = installation.up();
    let explained = lines.any(|line| line.unwrap().contains("(key_invalid)"));

    assert!(explained);
    // The rest is read too: a program waits while its output is not read.
    lines.for_each(drop);
    assert_eq!(watch.wait().unwrap().code(), Some(1));
}

#[test]
fn an_import_survives_odd_cursors_an_announced_outage_a_portal_and_a_count_that_is_refused() {
    let faults = [
        "list@for=costly,times=all:refuse=403",
        "accounts@times=all:500",
        "lists@request=2:502",
        "list-profiles@page=2:503=2",
        "list-profiles@page=3:401",
    ];
    let simulator = klaviyo_as(|mut plan| {
        plan.switches.has_odd_cursors = true;
        let faults = faults.map(|fault| fault.parse().unwrap());
        faults.into_iter().fold(plan, Plan::fault)
    });
    let installation = Installation::new().with("FANFARE_KLAVIYO_BASE_URL", simulator.url());
    installation.create_organization();
    let connected = connect(&installation).json();
    assert_eq!(connected["klaviyo"]["status"], "ACTIVE");
    assert_eq!(connected["klaviyo"]["accountId"], Value::Null);
    let lists = installation.run(&["klaviyo", "lists", "--json"]).json();
    assert_eq!(lists.as_array().unwrap().len(), 2);

    let _up = installation.up();
    let import = ["klaviyo", "import", "RtPqXs", "--wait", "--json"];
    let imported = installation.run(&import);

    let progress = &imported.json()["runs"][0]["progress"];
    assert_eq!(progress["total"], Value::Null, "{imported:?}");
    assert_eq!(progress["processed"], 230);
    let status = installation.run(&["klaviyo", "status", "--json"]).json();
    assert_eq!(status["klaviyo"]["status"], "ACTIVE");
    let requests = simulator.requests();
    let early = requests
        .iter()
        .filter(|request| request.retry_after_until.is_some());
    assert_eq!(early.count(), 0, "a request inside a Retry-After");
}

#[test]
fn a_wait_of_years_is_shown_and_named_and_can_be_ended() {
    let simulator = klaviyo_as(|plan| {
        // As text, which the simulator does not hold itself to: it serves the next request.
        let fault = "list-profiles@request=1:429=text:99999999".parse().unwrap();
        plan.fault(fault)
    });
    let installation = Installation::new().with("FANFARE_KLAVIYO_BASE_URL", simulator.url());
    installation.create_organization();
    connect(&installation);
    let _up = installation.up();
    assert_eq!(installation.run(&["klaviyo", "import", "RtPqXs"]).status, 0);

    let mut watch = installation
        .command(&["klaviyo", "status", "--watch"])
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(watch.stdout.take().unwrap()).lines();
    let told = "waits for the time that Klaviyo asked for, until ";
    assert!(lines.any(|line| line.unwrap().contains(told)));
    let status = installation.run(&["klaviyo", "status", "--json"]).json();
    let run = &status["audiences"][0]["run"];
    assert_eq!(run["waitingUntil"]["why"], "retry_after", "{run}");
    let until = run["waitingUntil"]["until"].as_str().unwrap();
    let table = installation.run(&["klaviyo", "status"]).output;
    assert!(table.contains("Waits for"), "{table}");
    let report = installation.run(&["doctor"]).output;
    let named = report
        .lines()
        .find(|line| line.contains("rate limits of org_"));
    let named = named.unwrap();
    assert!(named.starts_with("FAILED"), "{named}");
    assert!(
        named.contains(&format!("list_profiles before {until}")),
        "{named}"
    );
    assert!(
        named.contains("`fanfare klaviyo unblock --org org_"),
        "{named}"
    );

    let unconfirmed = installation.run(&["klaviyo", "unblock"]);
    unconfirmed.assert_refused(2, "may lock the account for longer");
    let ended = installation.run(&["klaviyo", "unblock", "--yes", "--json"]);

    let ended = ended.json();
    assert_eq!(
        ended["blocks"],
        json!([{"endpoint": "list_profiles", "until": until}])
    );
    assert_eq!(ended["wokenRuns"], 1);
    lines.for_each(drop);
    assert_eq!(watch.wait().unwrap().code(), Some(0), "the import goes on");
    let again = installation.run(&["klaviyo", "unblock"]);
    assert_eq!(again.output, "0 rate-limit blocks ended, 0 syncs go on\n");
}

//! The program as the demo, the benchmarks and a user start it.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Read};
use std::process::{Child, ChildStdout, Command, ExitStatus, Output, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

const DEMO_KEY: &str = "pk_demo_0123456789abcdef0123456789abcdef";

/// The running program. Dropping it ends it.
struct Program {
    child: Child,
    output: BufReader<ChildStdout>,
    address: String,
}

impl Program {
    fn start(arguments: &[&str]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_klaviyo-sim"))
            .args(["--addr", "127.0.0.1:0"])
            .args(arguments)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut output = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        output.read_line(&mut line).unwrap();
        let address = line.trim_end().strip_prefix("listening on ");
        let address = address.unwrap_or_else(|| panic!("it printed {line:?}"));
        Self {
            address: address.to_owned(),
            child,
            output,
        }
    }

    fn get(&self, key: &str, path: &str) -> (u16, Value) {
        let agent = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .proxy(None)
            .build()
            .new_agent();
        let mut answer = agent
            .get(format!("{}{path}", self.address))
            .header("authorization", format!("Klaviyo-API-Key {key}"))
            .header("revision", "2026-07-15")
            .call()
            .unwrap();
        let status = answer.status().as_u16();
        (status, answer.body_mut().read_json().unwrap_or_default())
    }

    fn end(mut self, with: Signal) -> (ExitStatus, String) {
        kill_process(Pid::from_child(&self.child), with).unwrap();
        let status = self.child.wait().unwrap();
        let mut rest = String::new();
        self.output.read_to_string(&mut rest).unwrap();
        (status, rest)
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn run(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_klaviyo-sim"))
        .args(arguments)
        .output()
        .unwrap()
}

#[test]
fn without_options_it_shows_the_demos_account() {
    let program = Program::start(&["--latency", "0"]);
    let count = |id: &str, status: u16| {
        let path = format!("/api/lists/{id}?additional-fields%5Blist%5D=profile_count");
        let (answered, list) = program.get(DEMO_KEY, &path);
        assert_eq!(answered, status);
        let attributes = &list["data"]["attributes"];
        (
            attributes["name"].clone(),
            attributes["profile_count"].clone(),
        )
    };
    assert_eq!(
        count("RtPqXs", 200),
        ("Newsletter Subscribers".into(), 12_000.into())
    );
    // Counting is limited to one in a second.
    assert_eq!(count("XyZaBc", 429), (Value::Null, Value::Null));
}

#[test]
fn as_many_percent_of_a_list_as_are_asked_for_joined_within_one_second() {
    for (percent, expected) in [("0", 0..=3), ("40", 25..=55), ("100", 90..=100)] {
        let program = Program::start(&[
            "--list",
            "AaAaAa=One:100",
            "--in-one-second",
            percent,
            "--latency",
            "0",
            "--no-quota",
        ]);
        let path = "/api/lists/AaAaAa/profiles?page%5Bsize%5D=100";
        let (_, page) = program.get(DEMO_KEY, path);
        let members = page["data"].as_array().unwrap();
        assert_eq!(members.len(), 100);
        let mut by_second = HashMap::<_, usize>::new();
        for member in members {
            let joined = member["attributes"]["joined_group_at"].as_str().unwrap();
            *by_second.entry(joined).or_default() += 1;
        }
        let most = *by_second.values().max().unwrap();
        assert!(expected.contains(&most), "{percent} %: {most} of 100");
    }
    let refused = run(&["--in-one-second", "101"]);
    assert_eq!(refused.status.code(), Some(2));
}

#[test]
fn lists_segments_and_keys_can_be_given() {
    let program = Program::start(&[
        "--key",
        "pk_one",
        "--key",
        "pk_two",
        "--list",
        "AaAaAa=One: a:3",
        "--list",
        "BbBbBb=Two:0",
        "--segment",
        "CcCcCc=Three:2",
        "--latency",
        "0",
        "--no-quota",
        "--seed",
        "7",
    ]);
    for key in ["pk_one", "pk_two"] {
        let (_, page) = program.get(key, "/api/lists/AaAaAa/profiles");
        assert_eq!(page["data"].as_array().unwrap().len(), 3);
    }
    assert_eq!(program.get(DEMO_KEY, "/api/lists").0, 401);
    let (_, lists) = program.get("pk_one", "/api/lists");
    assert_eq!(lists["data"][0]["attributes"]["name"], "One: a");
    assert_eq!(lists["data"][1]["id"], "BbBbBb");
    let (_, page) = program.get("pk_one", "/api/segments/CcCcCc/profiles");
    assert_eq!(page["data"].as_array().unwrap().len(), 2);
    let statuses = [0; 3].map(|_| program.get("pk_one", "/api/accounts").0);
    assert_eq!(statuses, [200; 3], "no quota");
}

#[test]
fn faults_happen_and_every_request_is_written_down() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("requests.jsonl");
    let program = Program::start(&[
        "--latency",
        "0",
        "--fault",
        "lists@request=2:503=9",
        "--request-log",
        log.to_str().unwrap(),
    ]);
    let statuses = [0; 3].map(|_| program.get(DEMO_KEY, "/api/lists").0);
    assert_eq!(statuses, [200, 503, 200]);
    let text = std::fs::read_to_string(log).unwrap();
    let lines: Vec<Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let seen: Vec<_> = lines.iter().map(|line| line["status"].as_u64()).collect();
    assert_eq!(seen, [Some(200), Some(503), Some(200)]);
    assert!(lines[1]["retryAfterUntil"].is_null());
    assert!(
        lines[2]["retryAfterUntil"].is_string(),
        "asked before the nine seconds were over"
    );
    assert!(!text.contains(DEMO_KEY));
}

#[test]
fn a_running_program_takes_orders() {
    let program = Program::start(&["--latency", "0", "--list", "AaAaAa=One:3"]);
    let agent: ureq::Agent = ureq::Agent::config_builder().proxy(None).build().into();
    let order = |what: &str, orders: &str| {
        let address = format!("{}/control/{what}", program.address);
        agent.post(address).send(orders).unwrap().status().as_u16()
    };
    assert_eq!(order("changes", "list/AaAaAa:leave=first"), 204);
    assert_eq!(order("faults", "accounts@times=all:503"), 204);
    let (_, page) = program.get(DEMO_KEY, "/api/lists/AaAaAa/profiles");
    assert_eq!(page["data"].as_array().unwrap().len(), 2);
    assert_eq!(program.get(DEMO_KEY, "/api/accounts").0, 503);
}

#[test]
fn the_program_stops_cleanly_on_sigterm() {
    for signal in [Signal::TERM, Signal::INT] {
        let program = Program::start(&["--list", "AaAaAa=One:1"]);
        let (status, rest) = program.end(signal);
        assert_eq!(status.code(), Some(0), "{signal:?}");
        assert_eq!(rest, "");
    }
}

#[test]
fn a_taken_port_is_one_line_and_status_1() {
    let program = Program::start(&["--list", "AaAaAa=One:1"]);
    let address = program.address.strip_prefix("http://").unwrap();
    let output = run(&["--addr", address]);
    assert_eq!(output.status.code(), Some(1));
    let error = String::from_utf8(output.stderr).unwrap();
    assert_eq!(error.lines().count(), 1, "{error}");
    assert!(error.contains(address), "{error}");
}

#[test]
fn what_it_does_not_understand_is_status_2() {
    for arguments in [
        &["--list", "nonsense"][..],
        &["--segment", "A=B"],
        &["--fault", "lists:explode"],
        &["--latency", "soon"],
        &["--addr", "nowhere"],
        &["--unknown"],
    ] {
        let output = run(arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(!output.stderr.is_empty());
    }
}

#[test]
fn help_explains_the_faults() {
    let output = run(&["--help"]);
    let help = String::from_utf8(output.stdout).unwrap();
    for part in ["list-profiles@page=5,times=3:429=30", "/control/changes"] {
        assert!(help.contains(part), "{help}");
    }
}

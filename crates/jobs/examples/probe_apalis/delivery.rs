//! How often jobs are begun, and how soon.

use std::cmp::Ordering;
use std::thread::sleep;
use std::time::Duration;

use anyhow::Result;

use crate::Probe;
use crate::environment::{Environment, WINDOW};

const SOON: Duration = Duration::from_secs(15);

/// Between a notification and a heartbeat.
const PROMPT_MS: i64 = 1_000;

pub(crate) const PROBES: &[Probe] = &[
    Probe {
        name: "R3a",
        question: "a worker that holds a batch back, beside another: jobs begun twice",
        recorded: "some",
        contained_by: "batches of one; the claim",
        run: batch_held_back,
    },
    Probe {
        name: "R3b",
        question: "the same with batches of one: jobs begun twice",
        recorded: "none",
        contained_by: "batches of one; the claim",
        run: batches_of_one,
    },
    Probe {
        name: "R5a",
        question: "a job of five attempts that fails: the attempts take",
        recorded: "under a second",
        contained_by: "one attempt; our own back-off, in the run's row",
        run: failing,
    },
    Probe {
        name: "R5b",
        question: "a handler that asks for another try in a minute: within 3 s it is begun",
        recorded: "again and again",
        contained_by: "handlers return at once and well; pauses are rows of ours",
        run: later,
    },
    Probe {
        name: "R11a",
        question: "an idle worker without a listener: a new job is begun",
        recorded: "at a heartbeat",
        contained_by: "our own listener wakes the worker",
        run: without_listener,
    },
    Probe {
        name: "R11b",
        question: "the same with apalis's listener",
        recorded: "at once",
        contained_by: "our own listener wakes the worker",
        run: with_listener,
    },
    Probe {
        name: "R11c",
        question: "a job for later, with apalis's listener: when it is due it is begun",
        recorded: "at a heartbeat",
        contained_by: "pauses are rows of ours: the reaper rings each second",
        run: scheduled,
    },
    Probe {
        name: "R12",
        question: "the listener's connection is cut: the next job is begun",
        recorded: "at once",
        contained_by: "our own listener connects again, and the heartbeat finds what it missed",
        run: listener_cut,
    },
];

const JOBS: [&str; 8] = ["a", "b", "c", "d", "e", "f", "g", "h"];

fn two_workers(environment: &Environment, batch: &str) -> Result<String> {
    environment.push(&JOBS, 0, 5)?;
    let how = ["--work-ms", "1500", "--batch", batch];
    let _first = environment.start_worker("first", "work", &how)?;
    sleep(Duration::from_millis(500));
    let _second = environment.start_worker("second", "work", &how)?;
    sleep(WINDOW * 6);
    let begun = environment.all_executions()?;
    let jobs = i64::try_from(JOBS.len())?;
    Ok(match begun.cmp(&jobs) {
        Ordering::Greater => "some".to_owned(),
        Ordering::Equal => "none".to_owned(),
        Ordering::Less => format!("only {begun} of {jobs} were begun at all"),
    })
}

fn batch_held_back(environment: &Environment) -> Result<String> {
    two_workers(environment, "10")
}

fn batches_of_one(environment: &Environment) -> Result<String> {
    two_workers(environment, "1")
}

fn failing(environment: &Environment) -> Result<String> {
    environment.push(&["job"], 0, 5)?;
    let _worker = environment.start_worker("one", "fail", &[])?;
    environment.wait_for("job", 1, SOON)?;
    sleep(Duration::from_secs(1));
    Ok(match environment.executions("job")? {
        5 => "under a second".to_owned(),
        times => format!("longer: {times} in a second"),
    })
}

fn later(environment: &Environment) -> Result<String> {
    environment.push(&["job"], 0, 5)?;
    let _worker = environment.start_worker("one", "later", &[])?;
    environment.wait_for("job", 1, SOON)?;
    sleep(Duration::from_secs(3));
    Ok(match environment.executions("job")? {
        1 => "once".to_owned(),
        2..=5 => "up to its attempts".to_owned(),
        _ => "again and again".to_owned(),
    })
}

fn promptness(environment: &Environment, label: &str) -> Result<String> {
    environment.wait_for(label, 1, SOON)?;
    Ok(if environment.latency(label)? < PROMPT_MS {
        "at once".to_owned()
    } else {
        "at a heartbeat".to_owned()
    })
}

/// A heartbeat is 6 s here, so that what waits for one is late.
fn idle(environment: &Environment, how: &[&str], after: i32) -> Result<String> {
    let how = [&["--heartbeat-ms", "6000"], how].concat();
    let _worker = environment.start_worker("one", "work", &how)?;
    sleep(Duration::from_secs(1));
    environment.push(&["job"], after, 1)?;
    promptness(environment, "job")
}

fn without_listener(environment: &Environment) -> Result<String> {
    idle(environment, &[], 0)
}

fn with_listener(environment: &Environment) -> Result<String> {
    idle(environment, &["--listen"], 0)
}

fn scheduled(environment: &Environment) -> Result<String> {
    idle(environment, &["--listen"], 2)
}

fn listener_cut(environment: &Environment) -> Result<String> {
    let _worker =
        environment.start_worker("one", "work", &["--heartbeat-ms", "6000", "--listen"])?;
    sleep(Duration::from_secs(1));
    environment.cut_listeners()?;
    sleep(Duration::from_secs(1));
    environment.push(&["job"], 0, 1)?;
    promptness(environment, "job")
}

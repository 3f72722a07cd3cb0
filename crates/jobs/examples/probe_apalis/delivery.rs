//! How often jobs are begun, and how soon.

use std::cmp::Ordering;
use std::thread::sleep;
use std::time::Duration;

use anyhow::Result;

use crate::Probe;
use crate::scene::{Scene, WINDOW};

const SOON: Duration = Duration::from_secs(15);

/// Between a notification and a heartbeat.
const PROMPT_MS: i64 = 1_000;

pub(crate) const PROBES: &[Probe] = &[
    Probe {
        name: "R3a",
        question: "a worker that holds a batch back, beside another: jobs begun twice",
        recorded: "some",
        contained_by: "batches of one; the claim",
        play: batch_held_back,
    },
    Probe {
        name: "R3b",
        question: "the same with batches of one: jobs begun twice",
        recorded: "none",
        contained_by: "batches of one; the claim",
        play: batches_of_one,
    },
    Probe {
        name: "R5a",
        question: "a job of five attempts that fails: the attempts take",
        recorded: "under a second",
        contained_by: "one attempt; our own back-off, in the run's row",
        play: failing,
    },
    Probe {
        name: "R5b",
        question: "a handler that asks for another try in a minute: within 3 s it is begun",
        recorded: "again and again",
        contained_by: "handlers return at once and well; pauses are rows of ours",
        play: later,
    },
    Probe {
        name: "R11a",
        question: "an idle worker without a listener: a new job is begun",
        recorded: "at a heartbeat",
        contained_by: "our own listener wakes the worker",
        play: without_listener,
    },
    Probe {
        name: "R11b",
        question: "the same with apalis's listener",
        recorded: "at once",
        contained_by: "our own listener wakes the worker",
        play: with_listener,
    },
    Probe {
        name: "R11c",
        question: "a job for later, with apalis's listener: when it is due it is begun",
        recorded: "at a heartbeat",
        contained_by: "pauses are rows of ours: the reaper rings each second",
        play: scheduled,
    },
    Probe {
        name: "R12",
        question: "the listener's connection is cut: the next job is begun",
        recorded: "at once",
        contained_by: "our own listener connects again, and the heartbeat finds what it missed",
        play: listener_cut,
    },
];

const JOBS: [&str; 8] = ["a", "b", "c", "d", "e", "f", "g", "h"];

fn two_workers(scene: &Scene, batch: &str) -> Result<String> {
    scene.push(&JOBS, 0, 5)?;
    let how = ["--work-ms", "1500", "--batch", batch];
    let _first = scene.hire("first", "work", &how)?;
    sleep(Duration::from_millis(500));
    let _second = scene.hire("second", "work", &how)?;
    sleep(WINDOW * 6);
    let begun = scene.all_executions()?;
    let jobs = i64::try_from(JOBS.len())?;
    Ok(match begun.cmp(&jobs) {
        Ordering::Greater => "some".to_owned(),
        Ordering::Equal => "none".to_owned(),
        Ordering::Less => format!("only {begun} of {jobs} were begun at all"),
    })
}

fn batch_held_back(scene: &Scene) -> Result<String> {
    two_workers(scene, "10")
}

fn batches_of_one(scene: &Scene) -> Result<String> {
    two_workers(scene, "1")
}

fn failing(scene: &Scene) -> Result<String> {
    scene.push(&["job"], 0, 5)?;
    let _worker = scene.hire("one", "fail", &[])?;
    scene.wait_for("job", 1, SOON)?;
    sleep(Duration::from_secs(1));
    Ok(match scene.executions("job")? {
        5 => "under a second".to_owned(),
        times => format!("longer: {times} in a second"),
    })
}

fn later(scene: &Scene) -> Result<String> {
    scene.push(&["job"], 0, 5)?;
    let _worker = scene.hire("one", "later", &[])?;
    scene.wait_for("job", 1, SOON)?;
    sleep(Duration::from_secs(3));
    Ok(match scene.executions("job")? {
        1 => "once".to_owned(),
        2..=5 => "up to its attempts".to_owned(),
        _ => "again and again".to_owned(),
    })
}

fn promptness(scene: &Scene, label: &str) -> Result<String> {
    scene.wait_for(label, 1, SOON)?;
    Ok(if scene.latency(label)? < PROMPT_MS {
        "at once".to_owned()
    } else {
        "at a heartbeat".to_owned()
    })
}

/// A heartbeat is 6 s here, so that what waits for one is late.
fn idle(scene: &Scene, how: &[&str], after: i32) -> Result<String> {
    let how = [&["--heartbeat-ms", "6000"], how].concat();
    let _worker = scene.hire("one", "work", &how)?;
    sleep(Duration::from_secs(1));
    scene.push(&["job"], after, 1)?;
    promptness(scene, "job")
}

fn without_listener(scene: &Scene) -> Result<String> {
    idle(scene, &[], 0)
}

fn with_listener(scene: &Scene) -> Result<String> {
    idle(scene, &["--listen"], 0)
}

fn scheduled(scene: &Scene) -> Result<String> {
    idle(scene, &["--listen"], 2)
}

fn listener_cut(scene: &Scene) -> Result<String> {
    let _worker = scene.hire("one", "work", &["--heartbeat-ms", "6000", "--listen"])?;
    sleep(Duration::from_secs(1));
    scene.cut_listeners()?;
    sleep(Duration::from_secs(1));
    scene.push(&["job"], 0, 1)?;
    promptness(scene, "job")
}

//! Workers that die, sleep, panic or are stopped.

use std::thread::sleep;
use std::time::Duration;

use anyhow::Result;

use crate::Probe;
use crate::environment::{Environment, WINDOW};

const SOON: Duration = Duration::from_secs(10);

pub(crate) const PROBES: &[Probe] = &[
    Probe {
        name: "R1",
        question: "a worker is killed and comes back under its name: its job",
        recorded: "stays with it, begun once",
        contained_by: "a new name for each start; the reaper rings again",
        run: same_name,
    },
    Probe {
        name: "R2",
        question: "another worker starts: a job at work",
        recorded: "is left alone",
        contained_by: "the claim: who comes second gets nothing",
        run: starting_worker,
    },
    Probe {
        name: "R4",
        question: "the database is away for 6 s: the worker",
        recorded: "exits with 0, job not done",
        contained_by: "an end that nobody asked for is an error; the queue is listened to anew",
        run: database_away,
    },
    Probe {
        name: "R6",
        question: "a job of two attempts kills every worker: it is begun",
        recorded: "more than twice",
        contained_by: "our own count of crashes ends the run at the third",
        run: crash_loop,
    },
    Probe {
        name: "R7",
        question: "a sleeper whose job was given away wakes up: the other's end",
        recorded: "stands",
        contained_by: "fencing tokens; jobs' results mean nothing to us",
        run: late_end,
    },
    Probe {
        name: "R8",
        question: "three processes of one name: at work are",
        recorded: "2",
        contained_by: "a new name for each start",
        run: one_name,
    },
    Probe {
        name: "R9a",
        question: "a panic with the catch-panic layer: the job",
        recorded: "has its end, and the next is begun",
        contained_by: "the layer, and slices in tasks of their own",
        run: guarded_panic,
    },
    Probe {
        name: "R9b",
        question: "a panic without it: the job",
        recorded: "not over",
        contained_by: "the layer, and slices in tasks of their own",
        run: bare_panic,
    },
    Probe {
        name: "R10",
        question: "SIGTERM, and a grace that is too short: the worker",
        recorded: "exits with 0, job not done",
        contained_by: "slices stop at the next page and give their runs back",
        run: short_grace,
    },
];

fn is_over(environment: &Environment, label: &str) -> Result<bool> {
    let status = environment.status(label)?;
    Ok(matches!(status.as_str(), "Done" | "Failed" | "Killed"))
}

fn job(environment: &Environment, label: &str) -> Result<&'static str> {
    Ok(if is_over(environment, label)? {
        "job done"
    } else {
        "job not done"
    })
}

fn same_name(environment: &Environment) -> Result<String> {
    environment.push(&["job"], 0, 5)?;
    let first = environment.start_worker("one", "work", &["--work-ms", "60000"])?;
    environment.wait_for("job", 1, SOON)?;
    drop(first);
    let _second = environment.start_worker("one", "work", &[])?;
    sleep(WINDOW * 4);
    Ok(
        match (is_over(environment, "job")?, environment.executions("job")?) {
            (false, 1) => "stays with it, begun once".to_owned(),
            (_, times) => format!("{}, begun {times} times", environment.status("job")?),
        },
    )
}

fn starting_worker(environment: &Environment) -> Result<String> {
    environment.push(&["job"], 0, 5)?;
    let _first = environment.start_worker("first", "work", &["--work-ms", "8000"])?;
    environment.wait_for("job", 1, SOON)?;
    let _second = environment.start_worker("second", "work", &[])?;
    sleep(WINDOW * 2);
    Ok(if environment.executions_by("second")? == 0 {
        "is left alone".to_owned()
    } else {
        "is begun again".to_owned()
    })
}

fn database_away(environment: &Environment) -> Result<String> {
    environment.push(&["job"], 0, 5)?;
    let mut worker = environment.start_worker("one", "work", &["--work-ms", "4000"])?;
    environment.wait_for("job", 1, SOON)?;
    environment.disconnect_database(WINDOW * 2)?;
    let status = worker.status_within(WINDOW * 2)?;
    Ok(format!("{status}, {}", job(environment, "job")?))
}

fn crash_loop(environment: &Environment) -> Result<String> {
    environment.push(&["job"], 0, 2)?;
    for life in 1..=3 {
        let name = format!("life{life}");
        let mut worker = environment.start_worker(&name, "die", &[])?;
        worker.status_within(WINDOW * 4)?;
    }
    Ok(match environment.executions("job")? {
        3 => "more than twice".to_owned(),
        times => format!("{times} times"),
    })
}

fn late_end(environment: &Environment) -> Result<String> {
    environment.push(&["job"], 0, 5)?;
    let sleeper = environment.start_worker("sleeper", "work", &["--work-ms", "1000"])?;
    environment.wait_for("job", 1, SOON)?;
    sleeper.freeze()?;
    let _other = environment.start_worker("other", "work", &[])?;
    environment.wait_for("job", 2, WINDOW * 4)?;
    sleep(WINDOW);
    let before = environment.end_of("job")?;
    sleeper.thaw()?;
    sleep(WINDOW);
    Ok(if environment.end_of("job")? == before {
        "stands".to_owned()
    } else {
        "is overwritten".to_owned()
    })
}

fn one_name(environment: &Environment) -> Result<String> {
    let mut alive = 0;
    let mut all = Vec::new();
    for _ in 0..3 {
        all.push(environment.start_worker("one", "work", &[])?);
        sleep(WINDOW / 2);
    }
    sleep(WINDOW);
    for process in &mut all {
        alive += usize::from(process.is_alive()?);
    }
    Ok(alive.to_string())
}

fn guarded_panic(environment: &Environment) -> Result<String> {
    environment.push(&["job"], 0, 1)?;
    let _worker = environment.start_worker("one", "panic", &["--catch-panic"])?;
    environment.wait_for("job", 1, SOON)?;
    sleep(WINDOW);
    environment.push(&["next"], 0, 1)?;
    environment.wait_for("next", 1, SOON)?;
    // Not by its status: the lock, which apalis sends off beside the handler, can come after the end, and
    // makes the job Running again. That is why we have none.
    Ok(if environment.has_end("job")? {
        "has its end, and the next is begun".to_owned()
    } else {
        "has no end, and the next is begun".to_owned()
    })
}

fn bare_panic(environment: &Environment) -> Result<String> {
    environment.push(&["job"], 0, 1)?;
    let _worker = environment.start_worker("one", "panic", &[])?;
    environment.wait_for("job", 1, SOON)?;
    sleep(WINDOW * 2);
    Ok(if is_over(environment, "job")? {
        environment.status("job")?
    } else {
        "not over".to_owned()
    })
}

fn short_grace(environment: &Environment) -> Result<String> {
    environment.push(&["job"], 0, 5)?;
    let mut worker =
        environment.start_worker("one", "work", &["--work-ms", "8000", "--grace-ms", "1000"])?;
    environment.wait_for("job", 1, SOON)?;
    worker.terminate()?;
    let status = worker.status_within(WINDOW * 2)?;
    Ok(format!("{status}, {}", job(environment, "job")?))
}

//! The built program: how it starts, how it ends, and how it does not start.

use std::fs;

use fanfare_testkit::program::Program;

const WORKER: Program = Program {
    name: "fanfare-worker",
    path: env!("CARGO_BIN_EXE_fanfare-worker"),
    address: "FANFARE_WORKER_ADDR",
};

#[test]
fn the_program_prints_its_address_is_ready_and_stops_on_sigterm() {
    WORKER.starts_and_ends();
}

#[test]
fn what_keeps_it_from_starting_is_one_line_and_status_1() {
    WORKER.explains_why_it_does_not_start();
}

#[test]
fn help_and_version_are_no_error_and_any_other_argument_is_status_2() {
    WORKER.takes_no_arguments();
}

/// The priority of a thread: the seventeenth field behind its name.
fn nice(stat: &str) -> i32 {
    let (_, fields) = stat.rsplit_once(')').expect("a name");
    fields.split_whitespace().nth(16).unwrap().parse().unwrap()
}

#[cfg(target_os = "linux")]
#[test]
fn all_of_its_threads_let_other_programs_go_first() {
    let ours = nice(&fs::read_to_string("/proc/thread-self/stat").unwrap());
    WORKER.while_ready(|pid| {
        let threads = fs::read_dir(format!("/proc/{pid}/task")).unwrap();
        let stats = threads.map(|thread| fs::read_to_string(thread.unwrap().path().join("stat")));
        let stats: Vec<String> = stats.map(Result::unwrap).collect();
        assert!(stats.len() > 1, "it has threads");
        // 19 is as far back as it goes.
        let theirs = (ours + 5).min(19);
        assert!(stats.iter().all(|stat| nice(stat) == theirs), "{stats:?}");
    });
}

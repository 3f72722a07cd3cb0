//! The built program: how it starts, how it ends, and how it does not start.

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

//! The built program: how it starts, how it ends, and how it does not start.

use fanfare_testkit::program::Program;

const API: Program = Program {
    name: "fanfare-api",
    path: env!("CARGO_BIN_EXE_fanfare-api"),
    address: "FANFARE_API_ADDR",
};

#[test]
fn the_program_prints_its_address_is_ready_and_stops_on_sigterm() {
    API.starts_and_ends();
}

#[test]
fn what_keeps_it_from_starting_is_one_line_and_status_1() {
    API.explains_why_it_does_not_start();
}

#[test]
fn help_and_version_are_no_error_and_any_other_argument_is_status_2() {
    API.takes_no_arguments();
}

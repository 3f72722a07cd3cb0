//! The fuzzing engine, libFuzzer, over one target. `cargo xtask fuzz` compiles it, with the flag `fuzzing` for the crates of
//! this workspace, and runs it with the name of the target in a variable.
#![cfg_attr(fuzzing, no_main)]

#[cfg(fuzzing)]
mod engine {
    use std::sync::LazyLock;

    /// The variable with the name of the target.
    const TARGET: &str = "FANFARE_FUZZ_TARGET";

    static RUN: LazyLock<fn(&[u8])> = LazyLock::new(|| {
        let name = std::env::var_os(TARGET).unwrap_or_default();
        let all = [
            fanfare_http::fuzzing::TARGETS,
            fanfare_klaviyo::fuzzing::TARGETS,
            fanfare_runtime::fuzzing::TARGETS,
        ];
        let found = all.into_iter().flatten().find(|(known, _)| name == *known);
        let (_, run) = found.unwrap_or_else(|| panic!("{TARGET} names no target"));
        *run
    });

    libfuzzer_sys::fuzz_target!(|bytes: &[u8]| (*RUN)(bytes));
}

#[cfg(not(fuzzing))]
fn main() {
    eprintln!("run `cargo xtask fuzz`");
}

//! The bytes that fuzzing has found, given to its targets again: without an engine, among the ordinary tests.

use std::fs;
use std::path::Path;

/// A fuzz target: its name, which is that of its corpus, and its function.
pub type Target = (&'static str, fn(&[u8]));

/// Gives each target every file of its corpus. A file that a target panics for is the last one printed.
pub fn replay(targets: &[Target]) {
    let corpora = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../fuzz/corpus"));
    for (name, run) in targets {
        let folder = corpora.join(name);
        let files = fs::read_dir(&folder);
        let files = files.unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
        let mut paths: Vec<_> = files.map(|file| file.unwrap().path()).collect();
        assert!(!paths.is_empty(), "{name} has no corpus");
        paths.sort();
        for path in paths {
            println!("{}", path.display());
            run(&fs::read(&path).unwrap());
        }
    }
}

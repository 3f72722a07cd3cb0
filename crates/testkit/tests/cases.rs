//! The macro that makes tests of the contract's cases leaves none out.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

#[test]
fn every_case_is_a_test() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/contract");
    let mut written = BTreeSet::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let suite = path.file_stem().unwrap().to_str().unwrap().to_owned();
        for line in fs::read_to_string(&path).unwrap().lines() {
            if let Some(rest) = line.strip_prefix("pub async fn ") {
                let name = rest.split('(').next().unwrap();
                written.insert((suite.clone(), name.to_owned()));
            }
        }
    }
    let run: BTreeSet<(String, String)> = fanfare_testkit::store_contract!(@list)
        .into_iter()
        .map(|(suite, name)| (suite.to_owned(), name.to_owned()))
        .collect();

    assert!(written.len() > 80, "{}", written.len());
    assert_eq!(written, run);
}

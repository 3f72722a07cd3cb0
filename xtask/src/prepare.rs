//! What is generated from the code and committed: made anew here, and compared by `cargo xtask ci`.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

use anyhow::{Context, Result, bail};

use crate::workspace;

/// A generated file: its place in the repository, and what it should hold.
pub(crate) type Generated = BTreeMap<PathBuf, Vec<u8>>;

/// Where the data of the checked queries is kept. It must be the crate's own folder: the files' names
/// tell statements apart, not databases.
const QUERY_DATA: &str = "crates/sqlite/.sqlx";

/// The document that holds the table of settings.
const OPERATIONS: &str = "docs/OPERATIONS.md";

/// The variable that names the database that queries are checked against; see
/// `crates/sqlite/sqlx.toml`.
const BUILD_URL: &str = "FANFARE_SQLITE_BUILD_URL";

/// Writes what is generated.
pub(crate) fn run() -> Result<ExitCode> {
    // First of all: the programs that generate the rest need it to be built.
    write(&query_data()?)?;
    write(&documents()?)?;
    Ok(ExitCode::SUCCESS)
}

/// Everything generated that is not as it would be now: a line for each file.
pub(crate) fn stale() -> Result<Vec<String>> {
    let mut expected = documents()?;
    expected.extend(query_data()?);
    Ok(differences(&expected)?
        .into_iter()
        .map(|path| {
            format!(
                "{} is not up to date; run `cargo xtask prepare`",
                path.display()
            )
        })
        .collect())
}

/// The documents.
fn documents() -> Result<Generated> {
    let examples = workspace::build(&["--workspace", "--examples"])?;
    let openapi = print_of(&examples, "openapi")?;
    let mut documents = Generated::from([(PathBuf::from("docs/openapi.json"), openapi)]);
    if examples.iter().any(|(name, _)| name == "settings") {
        let table = String::from_utf8(print_of(&examples, "settings")?)?;
        let text = fs::read_to_string(workspace::root().join(OPERATIONS))?;
        let text = replace_between(
            &text,
            "<!-- settings -->",
            "<!-- end of settings -->",
            &table,
        )
        .with_context(|| format!("{OPERATIONS} has no place for the settings"))?;
        documents.insert(PathBuf::from(OPERATIONS), text.into_bytes());
    } else {
        println!(
            "No example prints the settings: their table in {OPERATIONS} is as it was written."
        );
    }
    Ok(documents)
}

/// The text with something else between two marks, each of which ends its line.
fn replace_between(text: &str, begin: &str, end: &str, with: &str) -> Option<String> {
    let (before, rest) = text.split_once(begin)?;
    let (_, after) = rest.split_once(end)?;
    Some(format!("{before}{begin}\n{}\n{end}{after}", with.trim()))
}

/// The data that lets the embedded store's queries be checked without a database.
fn query_data() -> Result<Generated> {
    let folder = tempfile::tempdir()?;
    let (database, data) = (folder.path().join("schema.db"), folder.path().join("data"));
    fs::create_dir(&data)?;
    let examples = workspace::build(&["--package", "xtask", "--example", "schema"])?;
    let mut schema = Command::new(find(&examples, "schema")?);
    schema.arg(&database);
    workspace::must_succeed(schema)?;

    // A flag that was never used before makes cargo compile this crate, and this one alone.
    let nonce = folder
        .path()
        .file_name()
        .unwrap_or_default()
        .to_string_lossy();
    let nonce = nonce.trim_matches(|c: char| !c.is_alphanumeric());
    let package = [
        "rustc",
        "--quiet",
        "--package",
        "fanfare-sqlite",
        "--lib",
        "--profile",
        "check",
    ];
    let mut compile = workspace::cargo(&package);
    compile.args(["--", "--cfg", &format!("prepared_{nonce}")]);
    compile.env("SQLX_OFFLINE_DIR", &data);
    compile.env(BUILD_URL, format!("sqlite://{}", database.display()));
    workspace::must_succeed(compile)?;

    let mut generated = Generated::new();
    for entry in fs::read_dir(&data)? {
        let entry = entry?;
        let path = Path::new(QUERY_DATA).join(entry.file_name());
        generated.insert(path, fs::read(entry.path())?);
    }
    if generated.is_empty() {
        bail!("fanfare-sqlite was compiled, but no query data came of it");
    }
    Ok(generated)
}

/// What a program prints.
fn print_of(programs: &[(String, PathBuf)], name: &str) -> Result<Vec<u8>> {
    let mut command = Command::new(find(programs, name)?);
    let output = command.stderr(Stdio::inherit()).output()?;
    if !output.status.success() {
        bail!("example {name} failed ({})", output.status);
    }
    Ok(output.stdout)
}

fn find<'a>(programs: &'a [(String, PathBuf)], name: &str) -> Result<&'a Path> {
    let found = programs.iter().find(|(built, _)| built == name);
    found
        .map(|(_, path)| path.as_path())
        .with_context(|| format!("there is no example {name}"))
}

fn write(generated: &Generated) -> Result<()> {
    for path in differences(generated)? {
        let file = workspace::root().join(&path);
        let Some(content) = generated.get(&path) else {
            fs::remove_file(&file)?;
            println!("removed {}", path.display());
            continue;
        };
        if let Some(folder) = file.parent() {
            fs::create_dir_all(folder)?;
        }
        fs::write(&file, content)?;
        println!("wrote {}", path.display());
    }
    Ok(())
}

/// The files that do not hold what they should, or should not be there.
fn differences(generated: &Generated) -> Result<Vec<PathBuf>> {
    let mut paths = Vec::new();
    for (path, content) in generated {
        if fs::read(workspace::root().join(path)).ok().as_ref() != Some(content) {
            paths.push(path.clone());
        }
    }
    let data = workspace::root().join(QUERY_DATA);
    let has_data = generated.keys().any(|path| path.starts_with(QUERY_DATA));
    if has_data && data.is_dir() {
        for entry in fs::read_dir(data)? {
            let path = Path::new(QUERY_DATA).join(entry?.file_name());
            if !generated.contains_key(&path) {
                paths.push(path);
            }
        }
    }
    Ok(paths)
}

#[cfg(test)]
mod tests {
    use super::replace_between;

    #[test]
    fn what_stands_between_two_marks_is_replaced_and_nothing_else() {
        let text = "# A\n<a>\nold\n<b>\nend\n";

        let replaced = replace_between(text, "<a>", "<b>", "new\n");

        assert_eq!(replaced.as_deref(), Some("# A\n<a>\nnew\n<b>\nend\n"));
        assert_eq!(replace_between(text, "<c>", "<b>", "new"), None);
    }
}

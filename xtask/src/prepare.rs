//! What is generated from the code and committed: made anew here, and compared by `cargo xtask ci`.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

use anyhow::{Context, Result, bail};

use crate::test::postgres::Cluster;
use crate::workspace;

/// A generated file: its place in the repository, and what it should hold.
pub(crate) type Generated = BTreeMap<PathBuf, Vec<u8>>;

/// A store whose queries are checked when it is compiled.
struct Store {
    /// Its package.
    package: &'static str,
    /// Where the data of its queries is kept. It must be the crate's own folder: the files' names tell
    /// statements apart, not databases.
    query_data: &'static str,
    /// The variable that names the database that queries are checked against; see the crate's
    /// `sqlx.toml`.
    build_url: &'static str,
}

const SQLITE: Store = Store {
    package: "fanfare-sqlite",
    query_data: "crates/sqlite/.sqlx",
    build_url: "FANFARE_SQLITE_BUILD_URL",
};

const POSTGRES: Store = Store {
    package: "fanfare-postgres",
    query_data: "crates/postgres/.sqlx",
    build_url: "FANFARE_PG_BUILD_URL",
};

/// The document that holds the table of settings.
const OPERATIONS: &str = "docs/OPERATIONS.md";

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

/// The data that lets the stores' queries be checked without a database.
fn query_data() -> Result<Generated> {
    let folder = tempfile::tempdir()?;
    let file = format!("sqlite://{}", folder.path().join("schema.db").display());
    let mut generated = query_data_of(&SQLITE, &file)?;
    if let Some(cluster) = Cluster::of_installed()? {
        generated.extend(query_data_of(&POSTGRES, cluster.address())?);
    } else {
        println!(
            "Postgres is not installed: {} is as it was written. `cargo xtask test --install` \
             installs it.",
            POSTGRES.query_data
        );
    }
    Ok(generated)
}

/// The same of one store, by an empty database at this address.
fn query_data_of(store: &Store, address: &str) -> Result<Generated> {
    let folder = tempfile::tempdir()?;
    let data = folder.path();
    let examples = workspace::build(&["--package", "xtask", "--example", "schema"])?;
    let mut schema = Command::new(find(&examples, "schema")?);
    schema.arg(address);
    workspace::must_succeed(schema)?;

    // A flag that was never used before makes cargo compile this crate, and this one alone.
    let nonce = data.file_name().unwrap_or_default().to_string_lossy();
    let nonce = nonce.trim_matches(|c: char| !c.is_alphanumeric());
    let package = [
        "rustc",
        "--quiet",
        "--package",
        store.package,
        "--lib",
        "--profile",
        "check",
    ];
    let mut compile = workspace::cargo(&package);
    compile.args(["--", "--cfg", &format!("prepared_{nonce}")]);
    compile.env("SQLX_OFFLINE_DIR", data);
    compile.env(store.build_url, address);
    workspace::must_succeed(compile)?;

    let mut generated = Generated::new();
    for entry in fs::read_dir(data)? {
        let entry = entry?;
        let path = Path::new(store.query_data).join(entry.file_name());
        generated.insert(path, fs::read(entry.path())?);
    }
    if generated.is_empty() {
        bail!(
            "{} was compiled, but no query data came of it",
            store.package
        );
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
    for folder in [SQLITE.query_data, POSTGRES.query_data].map(Path::new) {
        let has_data = generated.keys().any(|path| path.starts_with(folder));
        let data = workspace::root().join(folder);
        if !has_data || !data.is_dir() {
            continue;
        }
        for entry in fs::read_dir(data)? {
            let path = folder.join(entry?.file_name());
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

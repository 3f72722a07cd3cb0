//! Postgres for tests and for checked queries: the one that is given, or a private cluster that
//! lives as long as it is needed.

mod account;
mod programs;

use std::ffi::OsString;
use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::Read;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use tempfile::TempDir;

use self::account::Account;
use self::programs::Programs;

/// Where tests look for a cluster: a superuser's address of it.
pub(crate) const VARIABLE: &str = "FANFARE_TEST_DATABASE_URL";

/// What the tests run against.
pub(crate) enum Server {
    /// The user's own, whose address is in the variable already.
    Given,
    /// Ours.
    Private(Cluster),
}

impl Server {
    /// The server that is given, or else a private cluster. With `install`, Postgres is installed
    /// where it is missing; without it, that is an error.
    pub(crate) fn provide(install: bool) -> Result<Self> {
        if std::env::var_os(VARIABLE).is_some() {
            return Ok(Self::Given);
        }
        if let Some(programs) = Programs::find() {
            return Cluster::start(&programs).map(Self::Private);
        }
        if !install {
            bail!(
                "Postgres {} or later with its contributed extensions is not installed: run \
                 `cargo xtask test --install`, or set {VARIABLE}",
                programs::OLDEST
            );
        }
        programs::install()?;
        let programs = Programs::find()
            .context("Postgres was installed, but is too old, incomplete or in no usual place")?;
        Cluster::start(&programs).map(Self::Private)
    }

    /// What tests must have in their environment.
    pub(crate) fn environment(&self) -> Option<(&'static str, &str)> {
        match self {
            Self::Given => None,
            Self::Private(cluster) => Some((VARIABLE, cluster.address())),
        }
    }
}

/// A throw-away cluster on a port of its own, for this machine alone. Stopped and deleted when it is
/// dropped.
pub(crate) struct Cluster {
    programs: Programs,
    account: Option<Account>,
    folder: TempDir,
    address: String,
    port: u16,
}

/// What a throw-away cluster is told. It need not survive a power cut; each test has a store with
/// its own connections.
const SETTINGS: &str = "-c listen_addresses=127.0.0.1 -c unix_socket_directories='' \
     -c max_connections=600 -c fsync=off -c full_page_writes=off";

/// A port is found free and used a moment later. Another program may take it in between, but not every time.
const PORTS_TRIED: u32 = 5;

impl Cluster {
    /// A private cluster of the installed programs. `None` where there are none.
    pub(crate) fn of_installed() -> Result<Option<Self>> {
        Programs::find()
            .map(|programs| Self::start(&programs))
            .transpose()
    }

    fn start(programs: &Programs) -> Result<Self> {
        let account = Account::other_than_root()?;
        let folder = tempfile::tempdir()?;
        let password = password()?;
        let password_file = folder.path().join("password");
        fs::write(&password_file, &password)?;
        if let Some(account) = account {
            account.own(folder.path())?;
            account.own(&password_file)?;
        }
        let mut cluster = Self {
            programs: programs.clone(),
            account,
            folder,
            address: String::new(),
            port: 0,
        };
        let mut initdb = cluster.command("initdb");
        initdb.args(["--username=postgres", "--auth=scram-sha-256"]);
        initdb.args(["--encoding=UTF8", "--no-locale", "--no-sync"]);
        initdb.arg(option("--pwfile=", &password_file));
        initdb.arg(option("--pgdata=", &cluster.data()));
        run(initdb)?;
        for tried in 1.. {
            let port = TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port();
            cluster.port = port;
            match cluster.go_on() {
                Ok(()) => {
                    cluster.address =
                        format!("postgres://postgres:{password}@127.0.0.1:{port}/postgres");
                    break;
                }
                Err(error) if tried == PORTS_TRIED => {
                    let log = fs::read_to_string(cluster.log()).unwrap_or_default();
                    return Err(error.context(log));
                }
                Err(_) => {}
            }
        }
        Ok(cluster)
    }

    /// The superuser's address.
    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    /// The port it listens on.
    pub(crate) const fn port(&self) -> u16 {
        self.port
    }

    /// Makes a database. Returns the superuser's address of it.
    pub(crate) fn database(&self, name: &str) -> Result<String> {
        let mut create = self.command("createdb");
        create
            .arg(format!("--maintenance-db={}", self.address))
            .arg(name);
        run(create)?;
        let (server, _) = self
            .address
            .rsplit_once('/')
            .context("an address has a path")?;
        Ok(format!("{server}/{name}"))
    }

    /// Writes these tables' rows of one database into another that has the same schema and none of them,
    /// by one script. Returns how long that took.
    pub(crate) fn copy_rows(&self, from: &str, to: &str, tables: &[&str]) -> Result<Duration> {
        let script = self.folder.path().join("rows.sql");
        let mut dump = self.command("pg_dump");
        dump.args(["--data-only", "--no-owner", "--table=organizations"]);
        dump.args(tables.iter().map(|table| format!("--table={table}")));
        dump.arg(option("--file=", &script)).arg(from);
        run(dump)?;
        let mut load = self.command("psql");
        load.args(["--quiet", "--single-transaction", "--set=ON_ERROR_STOP=1"]);
        load.arg(option("--file=", &script)).arg(to);
        let begun = Instant::now();
        run(load)?;
        Ok(begun.elapsed())
    }

    /// Gathers the planner's statistics of a database.
    pub(crate) fn analyze(&self, database: &str) -> Result<()> {
        let mut analyze = self.command("psql");
        analyze.args(["--quiet", "--command=ANALYZE", database]);
        run(analyze)
    }

    /// Does what its autovacuum would do in time.
    pub(crate) fn vacuum(&self, database: &str) -> Result<()> {
        let mut vacuum = self.command("psql");
        vacuum.args(["--quiet", "--command=VACUUM (ANALYZE)", database]);
        run(vacuum)
    }

    /// Ends it as a power cut would: no connection is told.
    pub(crate) fn halt(&self) -> Result<()> {
        let mut stop = self.command("pg_ctl");
        stop.args(["stop", "--mode=immediate", "--silent"]);
        stop.arg(option("--pgdata=", &self.data()));
        run(stop)
    }

    /// Starts it on its port.
    pub(crate) fn go_on(&self) -> Result<()> {
        let mut start = self.command("pg_ctl");
        start.args(["start", "--wait", "--timeout=60", "--silent"]);
        start.arg(option("--pgdata=", &self.data()));
        start.arg(option("--log=", &self.log()));
        start.arg(format!("--options={SETTINGS} -c port={}", self.port));
        run(start)
    }

    fn data(&self) -> std::path::PathBuf {
        self.folder.path().join("data")
    }

    fn log(&self) -> std::path::PathBuf {
        self.folder.path().join("log")
    }

    /// One of Postgres's programs, run as the owner of the cluster.
    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(self.programs.path(program));
        command.current_dir(self.folder.path());
        if let Some(account) = self.account {
            account.run(&mut command);
        }
        command
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        // There may be nothing to stop: it did not start.
        self.halt().ok();
    }
}

fn option(name: &str, value: &Path) -> OsString {
    let mut option = OsString::from(name);
    option.push(value);
    option
}

/// Runs one of Postgres's programs, whose output is shown only if it fails. It goes to a file: a
/// server that `pg_ctl` leaves running would keep a pipe open.
fn run(mut command: Command) -> Result<()> {
    let shown = crate::workspace::show(&command);
    let output = tempfile::tempfile()?;
    command
        .stdin(Stdio::null())
        .stdout(output.try_clone()?)
        .stderr(output.try_clone()?);
    let status = command
        .status()
        .with_context(|| format!("`{shown}` cannot be started"))?;
    if status.success() {
        return Ok(());
    }
    bail!("`{shown}` failed ({status})\n{}", text_of(output)?)
}

fn text_of(mut file: File) -> Result<String> {
    let mut text = String::new();
    std::io::Seek::rewind(&mut file)?;
    file.read_to_string(&mut text)?;
    Ok(text)
}

/// Other users of this machine must not be superusers of the cluster.
fn password() -> Result<String> {
    let mut bytes = [0; 16];
    File::open("/dev/urandom")?.read_exact(&mut bytes)?;
    let mut password = String::new();
    for byte in bytes {
        write!(password, "{byte:02x}")?;
    }
    Ok(password)
}

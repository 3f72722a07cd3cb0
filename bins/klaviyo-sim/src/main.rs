//! The Klaviyo simulator on a port, until it is told to stop.

mod options;

use std::fs::File;
use std::io::{BufWriter, Write};
use std::process::ExitCode;
use std::thread;

use anyhow::{Context, Result};
use clap::Parser;
use fanfare_klaviyo_sim::{LivingAccount, Simulator};
use tokio::signal::unix::{SignalKind, signal};

use self::options::Options;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match run(Options::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("klaviyo-sim: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run(options: Options) -> Result<()> {
    // Before anything is printed: a reader of the address may send a signal at once.
    let mut terminated = signal(SignalKind::terminate())?;
    let mut interrupted = signal(SignalKind::interrupt())?;
    let (log, living) = (options.request_log.clone(), options.living.clone());
    let mut plan = options.plan();
    if let Some(path) = log {
        let file = File::create(&path);
        let file = file.with_context(|| format!("cannot write {}", path.display()))?;
        plan.request_log = Some(Box::new(LineByLine(BufWriter::new(file))));
    }
    let living = living.zip(plan.accounts.first().map(|account| account.id.clone()));
    let simulator = Simulator::start(plan)?;
    if let Some((list, account)) = living {
        let living = LivingAccount::to_be_watched(&simulator.handle(), &account, &list)?;
        // It ends with the program.
        thread::spawn(|| {
            if let Err(error) = living.live() {
                eprintln!("klaviyo-sim: nothing happens any more: {error}");
            }
        });
    }
    println!("listening on {}", simulator.url());
    tokio::select! {
        _ = interrupted.recv() => {}
        _ = terminated.recv() => {}
    }
    Ok(())
}

/// A file that others can read along: whole lines, each as soon as it is written.
struct LineByLine(BufWriter<File>);

impl Write for LineByLine {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let written = self.0.write(bytes)?;
        if bytes[..written].ends_with(b"\n") {
            self.0.flush()?;
        }
        Ok(written)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.0.flush()
    }
}

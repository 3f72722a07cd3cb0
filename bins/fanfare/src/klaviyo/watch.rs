//! Follows runs to their end: with progress bars on a terminal, else with a line for each tenth.

use std::io::IsTerminal;
use std::time::Duration;

use anyhow::Result;
use fanfare_domain::ids::{OrganizationId, RunId};
use fanfare_domain::run::{SyncRun, SyncStatus};
use fanfare_domain::time::Timestamp;
use fanfare_domain::waiting::{WaitReason, Waiting};
use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::context::CommandContext;
use crate::errors::explain;
use crate::output::{harmless, print_line};

/// The time between two looks at the runs.
const INTERVAL: Duration = Duration::from_millis(300);

/// If no worker has taken up a run after this time, the line says so.
const TAKE_UP_TIMEOUT: Duration = Duration::from_secs(5);

/// A run, and the name of its audience as it may be shown.
pub(super) struct Watched {
    name: String,
    run: RunId,
}

impl Watched {
    pub(super) fn new(name: &str, run: RunId) -> Self {
        let name = harmless(name).into_owned();
        Self { name, run }
    }
}

/// Follows the runs until all have ended, and returns them.
pub(super) async fn until_ended(
    context: &CommandContext,
    organization: &OrganizationId,
    watched: Vec<Watched>,
) -> Result<Vec<SyncRun>> {
    let bars = (std::io::stdout().is_terminal() && !context.json)
        .then(|| MultiProgress::with_draw_target(ProgressDrawTarget::stdout()));
    let mut views: Vec<ProgressView> = watched
        .iter()
        .map(|one| ProgressView::new(&one.name, bars.as_ref(), context.json))
        .collect();
    let mut ticks = tokio::time::interval(INTERVAL);
    loop {
        ticks.tick().await;
        let mut runs = Vec::new();
        for (one, view) in watched.iter().zip(&mut views) {
            let run = context.integration().run(organization, &one.run).await;
            let run = run.map_err(explain)?;
            view.show(&run, context.integration().clock().now())?;
            runs.push(run);
        }
        if !runs.iter().any(|run| run.status.is_active()) {
            tell_failures(context, &watched, &runs)?;
            return Ok(runs);
        }
    }
}

fn tell_failures(context: &CommandContext, watched: &[Watched], runs: &[SyncRun]) -> Result<()> {
    if context.json {
        return Ok(());
    }
    for (one, run) in watched.iter().zip(runs) {
        if let Some(error) = &run.error {
            let (code, message) = (error.code.as_str(), &error.message);
            print_line(format!("{}: {message} ({code})", one.name))?;
        }
    }
    Ok(())
}

/// How a run's progress is shown.
enum ProgressView {
    Bar(ProgressBar),
    Lines { name: String, last: String },
    Hidden,
}

impl ProgressView {
    fn new(name: &str, bars: Option<&MultiProgress>, is_hidden: bool) -> Self {
        if is_hidden {
            return Self::Hidden;
        }
        let Some(bars) = bars else {
            return Self::Lines {
                name: name.to_owned(),
                last: String::new(),
            };
        };
        let bar = bars.add(ProgressBar::no_length());
        let template = "{prefix:24} [{bar:32}] {human_pos:>9} of {human_len:9} {msg}";
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style.progress_chars("=> "));
        }
        bar.set_prefix(name.to_owned());
        Self::Bar(bar)
    }

    fn show(&mut self, run: &SyncRun, now: Timestamp) -> Result<()> {
        let (total, processed) = (run.progress.total, run.progress.tally.processed);
        match self {
            Self::Hidden => Ok(()),
            Self::Bar(bar) => {
                if let Some(total) = total {
                    bar.set_length(total.max(processed));
                } else if !run.status.is_active() {
                    bar.set_length(processed);
                }
                bar.set_position(processed);
                bar.set_message(describe(run, now));
                if !run.status.is_active() {
                    bar.abandon();
                }
                Ok(())
            }
            Self::Lines { name, last } => {
                let tenth = total.map_or(processed / 1_000, |total| processed * 10 / total.max(1));
                let waiting = run.waiting_at(now);
                let is_slow = is_not_taken_up(run, now);
                let state = format!("{} {tenth} {is_slow} {waiting:?}", run.status);
                if state == *last {
                    return Ok(());
                }
                *last = state;
                let total = total.map_or_else(|| "?".to_owned(), |total| total.to_string());
                print_line(format!(
                    "{name}: {processed} of {total}, {}",
                    describe(run, now)
                ))
            }
        }
    }
}

fn describe(run: &SyncRun, now: Timestamp) -> String {
    let status = run.status;
    if is_not_taken_up(run, now) {
        return format!("{status}: no worker has taken it up; is fanfare-worker running?");
    }
    let waiting = run.waiting_at(now);
    if let Some(waiting) = waiting.filter(|waiting| waiting.why != WaitReason::Turn) {
        return format!("{status}, waits for {}", waits_for(waiting, now));
    }
    let rate = run.profiles_per_second(now);
    match rate.filter(|_| status == SyncStatus::Syncing) {
        Some(rate) => format!("{status}, {rate:.0} profiles/s"),
        None => status.to_string(),
    }
}

/// What a run waits for, and until when.
pub(super) fn waits_for(waiting: Waiting, now: Timestamp) -> String {
    let what = match waiting.why {
        WaitReason::Quota => "Klaviyo's quota",
        WaitReason::RetryAfter => "the time that Klaviyo asked for",
        WaitReason::Retry => "another try",
        WaitReason::Turn => return "its turn".to_owned(),
    };
    let seconds = waiting.until.since(now).as_secs() + 1;
    format!("{what}, until {} ({seconds} s)", waiting.until)
}

fn is_not_taken_up(run: &SyncRun, now: Timestamp) -> bool {
    run.status == SyncStatus::Pending && now.since(run.queued_at) > TAKE_UP_TIMEOUT
}

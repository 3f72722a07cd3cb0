//! The progress of the imports: bars on a terminal, lines elsewhere.

use std::io::IsTerminal;

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::services::api::Run;

/// The terminal, or plain output.
pub(super) struct ProgressDisplay {
    bars: Option<MultiProgress>,
}

/// One run's progress.
pub(super) struct RunProgress {
    name: String,
    bar: Option<ProgressBar>,
    last_line: String,
}

impl ProgressDisplay {
    pub(super) fn new() -> Self {
        let is_terminal = std::io::stdout().is_terminal();
        let target = ProgressDrawTarget::stdout();
        Self {
            bars: is_terminal.then(|| MultiProgress::with_draw_target(target)),
        }
    }

    /// Prints a line above the bars.
    pub(super) fn print_line(&self, line: &str) {
        match &self.bars {
            Some(bars) if bars.println(line).is_ok() => {}
            _ => println!("{line}"),
        }
    }

    pub(super) fn row(&self, name: &str) -> RunProgress {
        let bar = self.bars.as_ref().map(|bars| {
            let bar = bars.add(ProgressBar::no_length());
            let template = "{prefix:24} [{bar:32}] {human_pos:>9} of {human_len:9} {msg}";
            if let Ok(style) = ProgressStyle::with_template(template) {
                bar.set_style(style.progress_chars("=> "));
            }
            bar.set_prefix(name.to_owned());
            bar
        });
        RunProgress {
            name: name.to_owned(),
            bar,
            last_line: String::new(),
        }
    }
}

impl RunProgress {
    /// Shows where the run stands.
    pub(super) fn show(&mut self, run: &Run) {
        let progress = &run.progress;
        let rate = progress.profiles_per_second.filter(|_| run.is_active());
        let rate = rate.map_or(String::new(), |rate| format!(", {rate:.0} profiles/s"));
        if let Some(bar) = &self.bar {
            if let Some(total) = progress.total {
                bar.set_length(total.max(progress.processed));
            } else if !run.is_active() {
                bar.set_length(progress.processed);
            }
            bar.set_position(progress.processed);
            bar.set_message(format!("{}{rate}", run.status));
            if !run.is_active() {
                bar.abandon();
            }
            return;
        }
        // A line for each tenth, not for each look.
        let tenth = progress.total.map_or(progress.processed / 1_000, |total| {
            progress.processed * 10 / total.max(1)
        });
        let line = format!("{} {tenth}", run.status);
        if line != self.last_line {
            let total = progress
                .total
                .map_or("?".to_owned(), |total| total.to_string());
            println!(
                "{}: {}, {} of {total}{rate}",
                self.name, run.status, progress.processed
            );
            self.last_line = line;
        }
    }
}

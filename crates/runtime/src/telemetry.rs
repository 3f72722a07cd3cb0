//! Logs on standard error, and the metrics that `/metrics` shows.

use std::io::{self, IsTerminal};
use std::panic;
use std::sync::Arc;
use std::time::Duration;

use fanfare_http::RenderMetrics;
use metrics_exporter_prometheus::PrometheusBuilder;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer, Registry};

use crate::config::{Config, LogFormat};
use crate::error::StartError;

/// The log filters of programs that serve and of the command line, unless a setting says otherwise.
const SERVICE_FILTER: &str = "info";
const COMMAND_LINE_FILTER: &str = "warn";

/// Upper ends of the histograms' buckets, in seconds: from a read of SQLite to Klaviyo's time-out.
const BUCKETS: &[f64] = &[
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0,
];

/// The time between two moves of measured values into the histograms. Until then they take memory.
const UPKEEP: Duration = Duration::from_secs(5);

/// Sets up the log and the metrics of a program that serves. Returns what renders the metrics. It
/// must be called within the runtime.
pub fn init_service(config: &Config) -> Result<RenderMetrics, StartError> {
    log(config, SERVICE_FILTER)?;
    let builder = PrometheusBuilder::new().set_buckets(BUCKETS);
    let recorder = builder.and_then(PrometheusBuilder::install_recorder);
    let handle = recorder.map_err(|error| StartError::Metrics(error.into()))?;
    let upkeep = handle.clone();
    tokio::spawn(async move {
        let mut ticks = tokio::time::interval(UPKEEP);
        loop {
            ticks.tick().await;
            upkeep.run_upkeep();
        }
    });
    for name in &config.unknown_variables {
        tracing::warn!("the variable {name} is not a setting of Fanfare, and has no effect");
    }
    Ok(Arc::new(move || handle.render()))
}

/// Sets up the log of the operator's command line: silent unless something is wrong.
pub fn init_command_line(config: &Config) -> Result<(), StartError> {
    log(config, COMMAND_LINE_FILTER)
}

fn log(config: &Config, default: &str) -> Result<(), StartError> {
    let filter = config.log.as_deref().unwrap_or(default);
    // The settings have been looked through already.
    let filter = EnvFilter::try_new(filter).map_err(|error| StartError::Log(error.into()))?;
    let is_terminal = io::stderr().is_terminal();
    let format = config.log_format.unwrap_or(if is_terminal {
        LogFormat::Text
    } else {
        LogFormat::Json
    });
    let lines: Box<dyn Layer<Registry> + Send + Sync> = match format {
        LogFormat::Text => tracing_subscriber::fmt::layer()
            .with_writer(io::stderr)
            .with_ansi(is_terminal)
            .boxed(),
        // Everything at the top: `runId` is found there, whichever span has it.
        LogFormat::Json => json_subscriber::fmt::layer()
            .with_writer(io::stderr)
            .flatten_event(true)
            .with_current_span(false)
            .with_span_list(false)
            .flatten_span_list_on_top_level(true)
            .boxed(),
    };
    let subscriber = tracing_subscriber::registry().with(lines).with(filter);
    subscriber
        .try_init()
        .map_err(|error| StartError::Log(error.into()))?;
    log_panics();
    Ok(())
}

/// A panic is a line of the log like any other, without its message, which could quote anything.
fn log_panics() {
    panic::set_hook(Box::new(|panicked| {
        let place = panicked.location().map(ToString::to_string);
        tracing::error!(place, "a fault of ours: a task panicked");
    }));
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::sync::Mutex;

    use super::*;

    #[derive(Clone, Default)]
    struct Written(Arc<Mutex<Vec<u8>>>);

    impl Write for Written {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_panic_is_a_line_of_the_log_that_tells_where_and_not_what() {
        let written = Written::default();
        let writer = written.clone();
        let lines = tracing_subscriber::fmt()
            .with_ansi(false)
            .with_writer(move || writer.clone());
        let before = panic::take_hook();
        log_panics();

        let panicked = tracing::subscriber::with_default(lines.finish(), || {
            panic::catch_unwind(|| panic!("canary"))
        });
        panic::set_hook(before);

        assert!(panicked.is_err());
        let log = String::from_utf8(written.0.lock().unwrap().clone()).unwrap();
        assert!(log.contains("a task panicked"), "{log}");
        assert!(log.contains(file!()), "{log}");
        assert!(!log.contains("canary"), "{log}");
    }
}

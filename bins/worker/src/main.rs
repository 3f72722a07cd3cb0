//! The worker: works sync runs, and serves nothing but its health.

use std::process::ExitCode;

use fanfare_runtime::{
    App, Config, Socket, StartError, conclude, give_way, no_arguments, shutdown, telemetry, work,
};

/// Pages of many megabytes come and go. The system's allocator keeps what they leave between other allocations.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> ExitCode {
    no_arguments(
        "fanfare-worker",
        "Works the sync runs of Fanfare's Klaviyo integration; serves nothing but its health.",
    );
    give_way();
    conclude("fanfare-worker", run())
}

#[tokio::main]
async fn run() -> Result<(), StartError> {
    let config = Config::load()?;
    let metrics = telemetry::init_service(&config)?;
    let stop = shutdown::on_signal()?;
    let socket = Socket::of_worker(&config)?;
    let app = App::open(&config).await?;
    let ended = Box::pin(work(&app, socket, metrics, stop)).await;
    app.close().await;
    ended
}

//! The HTTP API.

use std::process::ExitCode;

use fanfare_runtime::{
    App, Config, Socket, StartError, conclude, no_arguments, serve_api, shutdown, telemetry,
};

#[tokio::main]
async fn main() -> ExitCode {
    no_arguments(
        "fanfare-api",
        "Serves the HTTP API of Fanfare's Klaviyo integration; runs no jobs.",
    );
    conclude("fanfare-api", run().await)
}

async fn run() -> Result<(), StartError> {
    let config = Config::load()?;
    let metrics = telemetry::init_service(&config)?;
    let stop = shutdown::on_signal()?;
    let socket = Socket::of_api(&config)?;
    let app = App::open(&config).await?;
    let ended = serve_api(&app, socket, metrics, stop).await;
    app.close().await;
    ended
}

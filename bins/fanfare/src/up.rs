//! `fanfare up`

use std::process::ExitCode;

use anyhow::Result;
use fanfare_runtime::{App, Config, Socket, serve_both, shutdown, telemetry};

pub(crate) async fn run(config: &Config) -> Result<ExitCode> {
    let metrics = telemetry::init_service(config)?;
    let stop = shutdown::on_signal()?;
    let sockets = (Socket::of_api(config)?, Socket::of_worker(config)?);
    let app = App::open(config).await?;
    let ended = serve_both(&app, sockets, metrics, stop).await;
    app.close().await;
    Ok(ended.map(|()| ExitCode::SUCCESS)?)
}

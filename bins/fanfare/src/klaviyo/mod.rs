//! `fanfare klaviyo`

mod connection;
mod import;
mod lists;
mod status;
mod watch;

use std::process::ExitCode;

use anyhow::Result;
use fanfare_domain::source::CollectionKind;

use crate::args::KlaviyoCommand;
use crate::operator::Operator;

pub(crate) async fn run(operator: &Operator, command: KlaviyoCommand) -> Result<ExitCode> {
    match command {
        KlaviyoCommand::Connect {
            of,
            confirm_account_change,
        } => connection::connect(operator, &of, confirm_account_change).await,
        KlaviyoCommand::Lists { of } => lists::run(operator, &of, CollectionKind::List).await,
        KlaviyoCommand::Segments { of } => lists::run(operator, &of, CollectionKind::Segment).await,
        KlaviyoCommand::Import(import) => import::run(operator, import).await,
        KlaviyoCommand::Status { of, watch } => status::run(operator, &of, watch).await,
    }
}

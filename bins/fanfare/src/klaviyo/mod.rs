//! `fanfare klaviyo`

mod connection;
mod import;
mod lists;
mod status;
mod unblock;
mod watch;

use std::process::ExitCode;

use anyhow::Result;
use fanfare_domain::source::CollectionKind;

use crate::args::KlaviyoCommand;
use crate::context::CommandContext;

pub(crate) async fn run(context: &CommandContext, command: KlaviyoCommand) -> Result<ExitCode> {
    match command {
        KlaviyoCommand::Connect {
            of,
            confirm_account_change,
        } => connection::connect(context, &of, confirm_account_change).await,
        KlaviyoCommand::Lists { of } => lists::run(context, &of, CollectionKind::List).await,
        KlaviyoCommand::Segments { of } => lists::run(context, &of, CollectionKind::Segment).await,
        KlaviyoCommand::Import(import) => import::run(context, import).await,
        KlaviyoCommand::Unblock { of, yes } => unblock::run(context, &of, yes).await,
        KlaviyoCommand::Status { of, watch } => status::run(context, &of, watch).await,
    }
}

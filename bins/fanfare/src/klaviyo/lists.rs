//! `fanfare klaviyo lists` and `fanfare klaviyo segments`

use std::process::ExitCode;

use anyhow::Result;
use fanfare_domain::source::CollectionKind;
use serde_json::Value;

use crate::api_json;
use crate::args::OrganizationOption;
use crate::context::CommandContext;
use crate::errors::explain;
use crate::output::{or_dash, print_json, print_line, table};

pub(super) async fn run(
    context: &CommandContext,
    of: &OrganizationOption,
    kind: CollectionKind,
) -> Result<ExitCode> {
    let organization = context.organization(of).await?;
    let found = context.integration().collections(&organization, kind).await;
    let found = found.map_err(explain)?;
    if context.json {
        let shape = match kind {
            CollectionKind::List => api_json::list,
            CollectionKind::Segment => api_json::segment,
        };
        print_json(&found.iter().map(shape).collect::<Vec<Value>>().into())?;
        return Ok(ExitCode::SUCCESS);
    }
    let heading = kind.descriptor().title;
    let mut rows = table(&[heading, "Name", "Sync", "Audience", "Last synced"]);
    for browsed in found {
        let source = browsed.source.as_ref();
        rows.add_row([
            browsed.collection.id.to_string(),
            or_dash(browsed.collection.name),
            or_dash(source.map(|source| source.status)),
            or_dash(source.map(|source| &source.audience)),
            or_dash(source.and_then(|source| source.last_synced_at)),
        ]);
    }
    print_line(rows)?;
    Ok(ExitCode::SUCCESS)
}

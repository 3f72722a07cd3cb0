//! `fanfare klaviyo lists` and `fanfare klaviyo segments`

use std::process::ExitCode;

use anyhow::Result;
use fanfare_domain::source::CollectionKind;
use serde_json::Value;

use crate::args::Of;
use crate::explain::explain;
use crate::operator::Operator;
use crate::output::{or_dash, say, say_json, table};
use crate::wire;

pub(super) async fn run(operator: &Operator, of: &Of, kind: CollectionKind) -> Result<ExitCode> {
    let organization = operator.organization(of).await?;
    let found = operator
        .integration()
        .collections(&organization, kind)
        .await;
    let found = found.map_err(explain)?;
    if operator.json {
        let shape = match kind {
            CollectionKind::List => wire::list,
            CollectionKind::Segment => wire::segment,
        };
        say_json(&found.iter().map(shape).collect::<Vec<Value>>().into())?;
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
    say(rows)?;
    Ok(ExitCode::SUCCESS)
}

//! `fanfare explain`

use std::process::ExitCode;

use anyhow::{Result, anyhow};
use fanfare_domain::explain::Live;
use fanfare_domain::value::Email;
use fanfare_sync::{Entity, Error as SyncError, Explanation, Whom};

use crate::api_json;
use crate::args::{Explain, Person};
use crate::context::CommandContext;
use crate::errors;
use crate::output::{or_dash, print_json, print_line, table};

pub(crate) async fn run(context: &CommandContext, command: Explain) -> Result<ExitCode> {
    let organization = context.organization(&command.of).await?;
    let (audience, whom) = (&command.audience, whom(command.person));
    let explained = context
        .integration()
        .explain(&organization, audience, &whom, command.live)
        .await;
    let explained = explained.map_err(explain)?;
    if context.json {
        print_json(&api_json::explanation(audience, &explained))?;
    } else {
        show(&explained)?;
    }
    Ok(ExitCode::SUCCESS)
}

fn whom(person: Person) -> Whom {
    match (person.consumer, person.profile) {
        (Some(consumer), _) => Whom::Consumer(consumer),
        (None, Some(profile)) => Whom::Profile(profile),
        (None, None) => Whom::Email(Email::parse(&person.email.unwrap_or_default()).ok()),
    }
}

fn explain(error: SyncError) -> anyhow::Error {
    match error {
        SyncError::NotFound(Entity::Audience) => anyhow!(
            "the organization has no such audience; `fanfare klaviyo status` shows those there are"
        ),
        SyncError::NotFound(Entity::Consumer) => anyhow!("the organization has no such consumer"),
        other => errors::explain(other),
    }
}

fn show(explained: &Explanation) -> Result<()> {
    let is_member = if explained.is_member { "yes" } else { "no" };
    print_line(format!("Member: {is_member}"))?;
    print_line(format!(
        "Consumer: {}",
        or_dash(explained.consumer.as_ref())
    ))?;
    print_line(format!("As of: {}", or_dash(explained.as_of)))?;
    if let Live::Members(members) = &explained.live {
        let in_list = if members.is_empty() { "no" } else { "yes" };
        print_line(format!("In Klaviyo's list now: {in_list}"))?;
    }
    if !explained.profiles.is_empty() {
        let mut rows = table(&["Profile", "In the list", "Joined", "Last seen"]);
        for profile in &explained.profiles {
            let in_list = profile.in_list.map(|is| if is { "yes" } else { "no" });
            rows.add_row([
                profile.profile.to_string(),
                or_dash(in_list),
                or_dash(profile.joined_at),
                or_dash(profile.last_seen_at),
            ]);
        }
        print_line(rows)?;
    }
    for reason in &explained.reasons {
        print_line(format!("{}: {}", reason.code, reason.message))?;
    }
    Ok(())
}

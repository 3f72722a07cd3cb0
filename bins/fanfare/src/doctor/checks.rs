//! The checks. Some are skipped when one before them fails.

use fanfare_domain::organization::Organization;
use fanfare_runtime::{
    Config, ExposedFile, SchemaState, StartError, Storage, StorePlace, one_line,
};

use super::{Check, CheckStatus, master_keys, waits, worker};
use crate::context::CommandContext;
use crate::errors::explain;
use crate::organizations;

/// All checks.
pub(super) async fn all(config: &Config) -> Vec<Check> {
    let mut checks = vec![schema(config).await];
    let is_usable = checks
        .iter()
        .all(|check| check.status == CheckStatus::Passed);
    if is_usable {
        wired(config, &mut checks).await;
    } else {
        let why = "the store must be in order first";
        checks.extend(
            ["master key", "Klaviyo"].map(|it| Check::new(it, CheckStatus::NotChecked, why)),
        );
    }
    checks.extend(secret_files(config));
    checks.push(worker::check(&config.worker_addr).await);
    checks
}

/// Whether files that hold secrets are for the programs' user alone.
fn secret_files(config: &Config) -> Vec<Check> {
    const SUBJECT: &str = "secret files";
    let exposed = config.exposed_files();
    if exposed.is_empty() {
        let finding = "no other user may read them";
        return vec![Check::new(SUBJECT, CheckStatus::Passed, finding)];
    }
    let failed = |file: ExposedFile| Check::new(SUBJECT, CheckStatus::Failed, file.to_string());
    exposed.into_iter().map(failed).collect()
}

/// The store and its schema, looked at without changing anything.
async fn schema(config: &Config) -> Check {
    let (status, finding) = match Storage::schema(&config.database).await {
        Ok(SchemaState::Current) => (
            CheckStatus::Passed,
            format!("{}, with this version's schema", config.database),
        ),
        Ok(SchemaState::Successor) => (
            CheckStatus::Passed,
            format!(
                "{}, with a newer version's schema, on which this program runs",
                config.database
            ),
        ),
        Ok(SchemaState::Missing) => (
            CheckStatus::Failed,
            format!(
                "there is none yet at {}; `fanfare migrate` makes it",
                config.database
            ),
        ),
        Ok(SchemaState::Behind(_)) => (
            CheckStatus::Failed,
            "its schema is older than this program; `fanfare migrate` brings it up to date".into(),
        ),
        Err(error) => (CheckStatus::Failed, one_line(&error)),
    };
    Check::new("store", status, finding)
}

/// Checks that need the wired service: the master key and Klaviyo.
async fn wired(config: &Config, checks: &mut Vec<Check>) {
    let context = match CommandContext::open(config, false).await {
        Ok(context) => context,
        Err(error) => {
            let subject = match error.downcast_ref() {
                Some(StartError::Key(_)) => "master key",
                Some(StartError::Klaviyo(_)) => "Klaviyo",
                _ => "store",
            };
            let finding = one_line(error.as_ref());
            checks.push(Check::new(subject, CheckStatus::Failed, finding));
            return;
        }
    };
    checks.push(place(&context).await);
    checks.push(master_keys::of_store(&context).await);
    checks.push(reach(&context, config).await);
    match organizations::all(&context).await {
        Ok(organizations) if organizations.is_empty() => checks.push(Check::new(
            "organizations",
            CheckStatus::NotChecked,
            "there are none yet; `fanfare org create --name NAME` makes one",
        )),
        Ok(organizations) => {
            checks.push(master_keys::sealed_by(&context, &organizations).await);
            for organization in &organizations {
                checks.push(connection(&context, organization).await);
                checks.extend(waits::check(&context, &organization.id).await);
            }
        }
        Err(error) => checks.push(Check::new(
            "organizations",
            CheckStatus::Failed,
            one_line(error.as_ref()),
        )),
    }
    context.close().await;
}

/// Whether the store is a backup that was restored and whose keys the operator has not looked at yet.
async fn place(context: &CommandContext) -> Check {
    let (status, finding) = match context.app().store_place().await {
        Ok(StorePlace::Same) => (CheckStatus::Passed, "it is where it was".to_owned()),
        Ok(StorePlace::Another) => (
            CheckStatus::Failed,
            "the store was restored from a backup or moved: secret keys that were revoked since the backup are valid \
             again; `fanfare restored` lists the valid ones"
                .to_owned(),
        ),
        Ok(StorePlace::Unknown) => (
            CheckStatus::NotChecked,
            "the database does not tell where it is; after a restore run `fanfare restored`".to_owned(),
        ),
        Err(error) => (CheckStatus::Failed, one_line(&error)),
    };
    Check::new("place of the store", status, finding)
}

async fn reach(context: &CommandContext, config: &Config) -> Check {
    let (status, finding) = match context.reach_klaviyo().await {
        Ok(()) => (CheckStatus::Passed, format!("{} answers", config.klaviyo)),
        Err(error) => (
            CheckStatus::Failed,
            format!(
                "{} does not answer as Klaviyo does ({error}): a firewall, a proxy or name \
                 resolution may be in the way, or Klaviyo is down (https://status.klaviyo.com)",
                config.klaviyo
            ),
        ),
    };
    Check::new("Klaviyo", status, finding)
}

/// Asks Klaviyo whether it still takes the organization's key.
async fn connection(context: &CommandContext, organization: &Organization) -> Check {
    let id = &organization.id;
    let subject = format!("key of {id}");
    let is_connected = match context.integration().settings(id).await {
        Ok(settings) => settings.connection.is_some(),
        Err(error) => {
            let finding = one_line(explain(error).as_ref());
            return Check::new(subject, CheckStatus::Failed, finding);
        }
    };
    if !is_connected {
        return Check::new(
            subject,
            CheckStatus::NotChecked,
            format!("Klaviyo is not connected; `fanfare klaviyo connect --org {id}` connects it"),
        );
    }
    match context.integration().check_connection(id).await {
        Ok(missing) if missing.is_empty() => Check::new(
            subject,
            CheckStatus::Passed,
            "Klaviyo takes it, with every scope",
        ),
        Ok(missing) => Check::new(
            subject,
            CheckStatus::Passed,
            format!(
                "Klaviyo takes it; it lacks {}, which only optional features need",
                missing.join(", ")
            ),
        ),
        Err(error) => Check::new(
            subject,
            CheckStatus::Failed,
            one_line(explain(error).as_ref()),
        ),
    }
}

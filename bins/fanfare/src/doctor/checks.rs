//! The checks, each as far as the ones before allow.

use fanfare_domain::organization::Organization;
use fanfare_runtime::{Config, SchemaState, StartError, Storage, one_line};

use super::{Check, Verdict, worker};
use crate::explain::explain;
use crate::operator::Operator;
use crate::organizations;

/// All of them.
pub(super) async fn all(config: &Config) -> Vec<Check> {
    let mut checks = vec![schema(config).await];
    let is_usable = checks.iter().all(|check| check.verdict == Verdict::Good);
    if is_usable {
        wired(config, &mut checks).await;
    } else {
        let why = "the store must be in order first";
        checks.extend(["master key", "Klaviyo"].map(|it| Check::new(it, Verdict::Unknown, why)));
    }
    checks.push(worker::check(&config.worker_addr).await);
    checks
}

/// The store and its schema, looked at without changing anything.
async fn schema(config: &Config) -> Check {
    let (verdict, finding) = match Storage::schema(&config.database).await {
        Ok(SchemaState::Current) => (
            Verdict::Good,
            format!("{}, with this version's schema", config.database),
        ),
        Ok(SchemaState::Missing) => (
            Verdict::Bad,
            format!(
                "there is none yet at {}; `fanfare migrate` makes it",
                config.database
            ),
        ),
        Ok(SchemaState::Behind(_)) => (
            Verdict::Bad,
            "its schema is older than this program; `fanfare migrate` brings it up to date".into(),
        ),
        Err(error) => (Verdict::Bad, one_line(&error)),
    };
    Check::new("store", verdict, finding)
}

/// What takes the wired service: the master key and Klaviyo.
async fn wired(config: &Config, checks: &mut Vec<Check>) {
    let operator = match Operator::open(config, false).await {
        Ok(operator) => operator,
        Err(error) => {
            let subject = match error.downcast_ref() {
                Some(StartError::Key(_)) => "master key",
                Some(StartError::Klaviyo(_)) => "Klaviyo",
                _ => "store",
            };
            let finding = one_line(error.as_ref());
            checks.push(Check::new(subject, Verdict::Bad, finding));
            return;
        }
    };
    checks.push(Check::new(
        "master key",
        Verdict::Good,
        "the store was made with it",
    ));
    checks.push(reach(&operator, config).await);
    match organizations::all(&operator).await {
        Ok(organizations) if organizations.is_empty() => checks.push(Check::new(
            "organizations",
            Verdict::Unknown,
            "there are none yet; `fanfare org create --name NAME` makes one",
        )),
        Ok(organizations) => {
            for organization in &organizations {
                checks.push(connection(&operator, organization).await);
            }
        }
        Err(error) => checks.push(Check::new(
            "organizations",
            Verdict::Bad,
            one_line(error.as_ref()),
        )),
    }
    operator.close().await;
}

async fn reach(operator: &Operator, config: &Config) -> Check {
    let (verdict, finding) = match operator.reach_klaviyo().await {
        Ok(()) => (Verdict::Good, format!("{} answers", config.klaviyo)),
        Err(error) => (
            Verdict::Bad,
            format!(
                "{} does not answer as Klaviyo does ({error}): a firewall, a proxy or name \
                 resolution may be in the way, or Klaviyo is down (https://status.klaviyo.com)",
                config.klaviyo
            ),
        ),
    };
    Check::new("Klaviyo", verdict, finding)
}

/// An organization's connection, asked for anew.
async fn connection(operator: &Operator, organization: &Organization) -> Check {
    let id = &organization.id;
    let subject = format!("key of {id}");
    let is_connected = match operator.integration().settings(id).await {
        Ok(settings) => settings.connection.is_some(),
        Err(error) => {
            let finding = one_line(explain(error).as_ref());
            return Check::new(subject, Verdict::Bad, finding);
        }
    };
    if !is_connected {
        return Check::new(
            subject,
            Verdict::Unknown,
            format!("Klaviyo is not connected; `fanfare klaviyo connect --org {id}` connects it"),
        );
    }
    match operator.integration().check_connection(id).await {
        Ok(missing) if missing.is_empty() => {
            Check::new(subject, Verdict::Good, "Klaviyo takes it, with every scope")
        }
        Ok(missing) => Check::new(
            subject,
            Verdict::Good,
            format!(
                "Klaviyo takes it; it lacks {}, which only optional features need",
                missing.join(", ")
            ),
        ),
        Err(error) => Check::new(subject, Verdict::Bad, one_line(explain(error).as_ref())),
    }
}

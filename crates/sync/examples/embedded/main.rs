//! Another service that embeds the integration.
//!
//! `fanfare-sync` and `fanfare-domain` are all it takes; a service gives them its adapters for the
//! ports. Here these are the embedded store on a temporary file, a Klaviyo in memory ([`klaviyo`]), and the
//! machine's time and random numbers ([`ambient`]). The program connects Klaviyo, imports a list, works the
//! run, and prints the audience.
//!
//! ```text
//! cargo run -p fanfare-sync --example embedded
//! ```

mod ambient;
mod klaviyo;

use std::path::Path;
use std::sync::Arc;

use fanfare_domain::connection::ApiKey;
use fanfare_domain::ids::{AccountId, OrganizationId};
use fanfare_domain::paging::PageRequest;
use fanfare_domain::ports::Clock;
use fanfare_domain::run::SyncRun;
use fanfare_domain::work::WorkItem;
use fanfare_sqlite::SqliteStore;
use fanfare_sync::engine::{Engine, Pace, SliceEnd};
use fanfare_sync::{ConnectRequest, ImportRequest, Integration, Ports};
use secrecy::SecretString;
use tokio_util::sync::CancellationToken;

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let integration = wire(&folder.path().join("example.db")).await?;
    let organization = integration
        .create_organization("Example organization")
        .await?
        .organization;
    let request = ConnectRequest {
        api_key: ApiKey::parse(&SecretString::from("pk_embedded_example"))?,
        confirm_account_change: false,
    };
    integration.connect(&organization, request).await?;

    let request = ImportRequest {
        collections: vec![klaviyo::newsletter()],
        refresh_interval_seconds: None,
        actor: "example".to_owned(),
    };
    for imported in integration.import(&organization, request).await?.imported {
        work(&integration, &WorkItem::pull(&organization, &imported.run)).await?;
        let run = integration.run(&organization, &imported.run).await?;
        print(&integration, &organization, &run).await?;
    }
    Ok(())
}

/// The composition root: adapters in, use cases out.
async fn wire(file: &Path) -> Result<Integration> {
    let clock = Arc::new(ambient::SystemClock);
    let klaviyo = klaviyo::with_a_newsletter(AccountId::parse("AbC123")?);
    let store = Arc::new(SqliteStore::open(file, clock.clone()).await?);
    Ok(Integration::new(Ports {
        store: store.clone(),
        directory: store.clone(),
        work_queue: store.clone(),
        ledger: store.clone(),
        request_limits: store,
        klaviyo: Arc::new(klaviyo),
        sealer: Arc::new(ambient::Vault::default()),
        clock,
        ids: Arc::new(ambient::RandomIds),
    }))
}

/// What a job runner does when it is notified of work: a slice, and again when the work is due.
async fn work(integration: &Integration, work: &WorkItem) -> Result<()> {
    let engine = Engine::new(integration.clone(), Pace::default());
    let stop = CancellationToken::new();
    loop {
        match engine.work(work, &stop).await? {
            SliceEnd::Paused(until) => {
                tokio::time::sleep(until.since(ambient::SystemClock.now())).await;
            }
            SliceEnd::Yielded => {}
            SliceEnd::Finished(_) | SliceEnd::NotDue | SliceEnd::Overtaken => return Ok(()),
        }
    }
}

async fn print(
    integration: &Integration,
    organization: &OrganizationId,
    run: &SyncRun,
) -> Result<()> {
    let audience = integration
        .audience(organization, &run.audience)
        .await?
        .audience;
    let tally = run.progress.tally;
    println!(
        "{}: {}, {} profiles, {} skipped",
        audience.name, run.status, tally.processed, tally.skipped
    );
    let all = PageRequest {
        first: 100,
        after: None,
    };
    let members = integration.members(organization, &run.audience, None, &all);
    for member in members.await?.items {
        let consumer = member.consumer;
        println!(
            "  {:<20} {:<14} {}",
            consumer.email.as_ref().map_or("-", |email| email.as_str()),
            consumer
                .phone
                .as_ref()
                .map_or("-", |held| held.value.as_str()),
            consumer
                .full_name
                .as_ref()
                .map_or("-", |held| held.value.as_str()),
        );
    }
    for issue in integration.issues(organization, &run.id, &all).await?.items {
        println!("  {}: {}", issue.profile, issue.kind.code.message());
    }
    Ok(())
}

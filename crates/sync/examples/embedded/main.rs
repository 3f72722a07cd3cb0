//! Another service that embeds the integration, with a store of its own.
//!
//! `fanfare-sync` and `fanfare-domain` are all it takes; a service gives them its adapters for the
//! ports. Here these are a store in memory ([`store`]), a Klaviyo that answers from a table
//! ([`klaviyo`]), and the machine's time and dice ([`ambient`]). The program connects, imports a list,
//! works the run, and prints the audience.
//!
//! The store is long, about a thousand lines, because the ports have some sixty methods and none is
//! left out here; each is a few lines. A service that has Fanfare's tables already writes the same
//! methods as statements.
//!
//! ```text
//! cargo run -p fanfare-sync --example embedded
//! ```

mod ambient;
mod klaviyo;
mod store;

use std::sync::Arc;

use fanfare_domain::connection::ApiKey;
use fanfare_domain::ids::{CollectionId, OrganizationId};
use fanfare_domain::paging::PageRequest;
use fanfare_domain::ports::{Clock, DueRun};
use fanfare_domain::run::SyncRun;
use fanfare_domain::source::{CollectionKind, CollectionRef};
use fanfare_sync::engine::{Engine, Pace, SliceEnd};
use fanfare_sync::{ConnectRequest, ImportRequest, Integration, Ports};
use secrecy::SecretString;
use tokio_util::sync::CancellationToken;

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let integration = wire();
    let shop = integration.create_organization("Shop").await?.organization;
    let request = ConnectRequest {
        api_key: ApiKey::parse(&SecretString::from("pk_embedded_example"))?,
        confirm_account_change: false,
    };
    integration.connect(&shop, request).await?;

    let newsletter = CollectionRef {
        kind: CollectionKind::List,
        id: CollectionId::parse(klaviyo::LIST)?,
    };
    let request = ImportRequest {
        collections: vec![newsletter],
        actor: "example".to_owned(),
    };
    for imported in integration.import(&shop, request).await?.imported {
        let due = DueRun {
            organization: shop.clone(),
            run: imported.run,
        };
        work(&integration, &due).await?;
        let run = integration.run(&shop, &due.run).await?;
        print(&integration, &shop, &run).await?;
    }
    Ok(())
}

/// The composition root: adapters in, use cases out.
fn wire() -> Integration {
    let clock = Arc::new(ambient::SystemClock);
    let store = Arc::new(store::Memory::new(clock.clone()));
    Integration::new(Ports {
        store: store.clone(),
        directory: store.clone(),
        due_runs: store.clone(),
        ledger: store,
        klaviyo: Arc::new(klaviyo::Table),
        sealer: Arc::new(ambient::Vault::default()),
        clock,
        ids: Arc::new(ambient::Dice),
    })
}

/// What a job runner does when it is notified: a slice, and again when the run is due.
async fn work(integration: &Integration, due: &DueRun) -> Result<()> {
    let engine = Engine::new(integration.clone(), Pace::default());
    let stop = CancellationToken::new();
    loop {
        match engine.work(due, &stop).await? {
            SliceEnd::Paused(until) => {
                tokio::time::sleep(until.since(ambient::SystemClock.now())).await;
            }
            SliceEnd::Yielded => {}
            SliceEnd::Finished(_) | SliceEnd::NotDue | SliceEnd::Overtaken => return Ok(()),
        }
    }
}

async fn print(integration: &Integration, shop: &OrganizationId, run: &SyncRun) -> Result<()> {
    let audience = integration.audience(shop, &run.audience).await?.audience;
    let tally = run.progress.tally;
    println!(
        "{}: {}, {} profiles, {} skipped",
        audience.name, run.status, tally.processed, tally.skipped
    );
    let everybody = PageRequest {
        first: 100,
        after: None,
    };
    let members = integration.members(shop, &run.audience, None, &everybody);
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
    for issue in integration.issues(shop, &run.id, &everybody).await?.items {
        println!("  {}: {}", issue.profile, issue.kind.code.message());
    }
    Ok(())
}

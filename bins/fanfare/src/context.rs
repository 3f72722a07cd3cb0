//! The context of a command: the wired service, and the form of the answers.

use anyhow::{Result, bail};
use fanfare_domain::ids::OrganizationId;
use fanfare_runtime::{App, Config};
use fanfare_sync::{Error as SyncError, Integration};

use crate::args::OrganizationOption;
use crate::errors::{UsageError, explain};

/// What a command works with.
pub(crate) struct CommandContext {
    app: App,
    /// Whether answers are JSON.
    pub(crate) json: bool,
}

impl CommandContext {
    pub(crate) async fn open(config: &Config, json: bool) -> Result<Self> {
        let app = App::open(config).await?;
        Ok(Self { app, json })
    }

    /// The same for a store whose master key is lost.
    pub(crate) async fn open_without_its_master_key(config: &Config, json: bool) -> Result<Self> {
        let app = App::open_without_its_master_key(config).await?;
        Ok(Self { app, json })
    }

    pub(crate) async fn close(self) {
        self.app.close().await;
    }

    /// The wired service.
    pub(crate) const fn app(&self) -> &App {
        &self.app
    }

    /// The use cases.
    pub(crate) fn integration(&self) -> &Integration {
        &self.app.integration
    }

    /// Whether Klaviyo answers at all.
    pub(crate) async fn reach_klaviyo(&self) -> Result<()> {
        match self.integration().reach_klaviyo().await {
            Err(SyncError::KlaviyoUnreachable(cause)) => Err(cause.into()),
            reached => reached.map_err(explain),
        }
    }

    /// The organization that a command is about: the one named, or the only one.
    pub(crate) async fn organization(&self, of: &OrganizationOption) -> Result<OrganizationId> {
        if let Some(id) = &of.org {
            let found = self.integration().organization(id).await;
            return Ok(found.map_err(explain)?.id);
        }
        let first = self.integration().organizations(2, None).await;
        match first.map_err(explain)?.as_slice() {
            [] => bail!("there is no organization yet; `fanfare org create --name NAME` makes one"),
            [only] => Ok(only.id.clone()),
            _ => Err(UsageError(
                "there are several organizations; say which with --org ID (`fanfare org list` \
                 shows them)"
                    .to_owned(),
            )
            .into()),
        }
    }
}

//! Rate-limit blocks: which there are, and ending them before their time.

use fanfare_domain::connection::{Connection, quota_account};
use fanfare_domain::ids::{OrganizationId, RunId};
use fanfare_domain::ports::UnitOfWork;
use fanfare_domain::time::Timestamp;
use fanfare_domain::work::{WorkKey, WorkKind};

use crate::error::Error;
use crate::integration::Integration;
use crate::klaviyo::RateLimitBlock;
use crate::saving::{load_run, save_run};

/// How many organizations are looked at in one step.
const ORGANIZATIONS: u32 = 100;

/// What unblocking has done.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Unblocked {
    /// The rate-limit blocks that were in force.
    pub blocks: Vec<RateLimitBlock>,
    /// How many syncs were waiting for Klaviyo and are due now, of all organizations with the account.
    pub woken: u64,
}

impl Integration {
    /// The rate-limit blocks of the organization's Klaviyo account that are in force.
    pub async fn rate_limit_blocks(
        &self,
        organization: &OrganizationId,
    ) -> Result<Vec<RateLimitBlock>, Error> {
        let account = self.quota_account(organization).await?;
        let account = account.ok_or(Error::KeyNotFound)?;
        Ok(self.klaviyo.blocks(&account).await?)
    }

    /// Ends the rate-limit blocks of the organization's Klaviyo account before their time, and makes the syncs due that
    /// wait for it, whichever organization they belong to. Klaviyo has not agreed to this: it may ask to wait again,
    /// and for longer.
    pub async fn unblock(&self, organization: &OrganizationId) -> Result<Unblocked, Error> {
        let account = self.quota_account(organization).await?;
        let account = account.ok_or(Error::KeyNotFound)?;
        let blocks = self.klaviyo.blocks(&account).await?;
        for block in &blocks {
            self.klaviyo.unblock(&account, block.endpoint).await?;
        }
        let (mut woken, mut after) = (0, None);
        loop {
            let window = self.organizations(ORGANIZATIONS, after.as_ref()).await?;
            for other in &window {
                let is_of_account = self.quota_account(&other.id).await;
                // An organization whose connection cannot be read has no sync that could go on.
                if is_of_account.is_ok_and(|of| of.as_deref() == Some(&account)) {
                    woken += self.wake_runs(&other.id).await?;
                }
            }
            let Some(last) = window.last() else {
                return Ok(Unblocked { blocks, woken });
            };
            after = Some(last.id.clone());
        }
    }

    /// The name by which the requests of the organization's connection are counted; `None` if it has none.
    async fn quota_account(&self, organization: &OrganizationId) -> Result<Option<String>, Error> {
        let connection = self.read(organization).await?.connection().await?;
        let account = |stored: Connection| quota_account(organization, stored.account.as_ref());
        Ok(connection.map(account))
    }

    /// Makes the organization's syncs due that wait for Klaviyo, and its deliveries. Returns how many syncs there were.
    async fn wake_runs(&self, organization: &OrganizationId) -> Result<u64, Error> {
        let mut unit = self.begin(organization).await?;
        let mut woken = 0;
        for work in unit.queued(WorkKind::Pull).await? {
            woken += u64::from(wake(unit.as_mut(), &work.id.as_run(), self.now()).await?);
        }
        // Deliveries that wait have one work, which is none of the syncs.
        unit.wake(&WorkKey::push()).await?;
        unit.commit().await?;
        Ok(woken)
    }
}

/// Makes a run due if it waits for Klaviyo. Returns whether it did.
async fn wake(unit: &mut dyn UnitOfWork, run: &RunId, now: Timestamp) -> Result<bool, Error> {
    let mut run = match load_run(unit, run).await {
        Ok(Some(run)) => run,
        Ok(None) => return Ok(false),
        // It waits for a newer version of the program, or for its end.
        Err(Error::Store(error)) if error.is_unreadable() => return Ok(false),
        Err(error) => return Err(error),
    };
    if !run.wake(now) || !unit.wake(&WorkKey::pull(&run.run().id)).await? {
        return Ok(false);
    }
    save_run(unit, &run).await?;
    Ok(true)
}

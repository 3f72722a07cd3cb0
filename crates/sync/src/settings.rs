//! The connection to Klaviyo: showing, making, replacing and deleting it.

use std::collections::BTreeSet;

use fanfare_domain::account_changes::AccountChanges;
use fanfare_domain::collection::CollectionKind;
use fanfare_domain::connection::{
    ApiKey, Connection, ConnectionStatus, Credential, OpenConnection,
};
use fanfare_domain::contact::ContactSettings;
use fanfare_domain::delivery::DeliveryCode;
use fanfare_domain::events::EventSettings;
use fanfare_domain::ids::{AccountId, OrganizationId, RunId};
use fanfare_domain::klaviyo::{Capability, KlaviyoError};
use fanfare_domain::ports::{StoreError, UnitOfWork};
use fanfare_domain::push::PUSH_LIMIT;
use fanfare_domain::time::Timestamp;
use fanfare_domain::work::{WorkKey, WorkKind};
use secrecy::{ExposeSecret, SecretString};
use tracing::info;

use crate::error::Error;
use crate::integration::Integration;
use crate::log::log_cancelled;
use crate::saving::{cancel_runs, queue_kept_lists, queue_push};

/// The settings as the API shows them: never the key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// The connection, if there is one.
    pub connection: Option<ConnectionView>,
    /// What is sent of events.
    pub events: EventSettings,
    /// What is sent of contacts.
    pub contacts: ContactSettings,
    /// How many people a push changes without a confirmation.
    pub push_limit: u64,
}

/// A connection without its key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConnectionView {
    /// The key's last four characters.
    pub last4: String,
    /// Whether it works.
    pub status: ConnectionStatus,
    /// The Klaviyo account of the key. `None` if Klaviyo did not tell it.
    pub account: Option<AccountId>,
    /// When Klaviyo last accepted the key.
    pub verified_at: Timestamp,
    /// Scopes of optional features that the key lacks.
    pub missing_scopes: Vec<String>,
    /// What is wrong, as a message for the user.
    pub message: Option<String>,
}

/// A request to connect a key.
#[derive(Debug)]
pub struct ConnectRequest {
    /// The key.
    pub api_key: ApiKey,
    /// Whether the key may belong to another Klaviyo account than the stored key.
    pub confirm_account_change: bool,
}

impl Integration {
    /// The organization's connection.
    pub async fn settings(&self, organization: &OrganizationId) -> Result<Settings, Error> {
        let mut unit = self.read(organization).await?;
        Ok(Settings {
            connection: unit.connection().await?.map(ConnectionView::from),
            events: unit.event_settings().await?,
            contacts: unit.contact_settings().await?,
            push_limit: unit.push_limit().await?.unwrap_or(PUSH_LIMIT),
        })
    }

    /// Whether a key is connected.
    pub async fn is_connected(&self, organization: &OrganizationId) -> Result<bool, Error> {
        let connection = self.read(organization).await?.connection().await?;
        Ok(connection.is_some())
    }

    /// Connects a key. If Klaviyo does not accept it, or does not let it read lists and profiles, nothing
    /// changes. Schedules that the key before has paused go on.
    pub async fn connect(
        &self,
        organization: &OrganizationId,
        request: ConnectRequest,
    ) -> Result<Settings, Error> {
        let key = request.api_key;
        let verified = self.verify(organization, &key).await?;

        let mut unit = self.begin(organization).await?;
        let before = unit
            .connection()
            .await?
            .and_then(|connection| connection.account);
        if let (Some(connected), Some(offered)) = (before.clone(), &verified.account)
            && connected != *offered
        {
            if !request.confirm_account_change {
                return Err(Error::AccountDiffers {
                    connected,
                    offered: offered.clone(),
                });
            }
            // They were the other account's.
            let read = unit.account_changes().await?;
            let unread = AccountChanges::default();
            unit.put_account_changes(&read, &unread).await?;
        }
        if let Some(offered) = &verified.account {
            let pending_for = unit.outbox_account().await?.or(before);
            if pending_for.is_some_and(|account| account != *offered) {
                let dropped = drop_all_pending(unit.as_mut()).await?;
                // What was agreed on was agreed on with the profiles of that account.
                unit.forget_contacts().await?;
                self.forget_kept_lists(unit.as_mut()).await?;
                info!(organizationId = %organization, dropped, "pending deliveries were another account's");
            }
            unit.put_outbox_account(offered).await?;
        }
        let connection = Connection {
            key: self.ports.sealer.seal(organization, key.secret()),
            generation: 0,
            last4: key.last4(),
            account: verified.account,
            status: ConnectionStatus::Active,
            verified_at: self.now(),
            missing_scopes: verified.missing_scopes,
            message: None,
        };
        unit.put_connection(&connection).await?;
        self.resume_with_new_key(unit.as_mut()).await?;
        queue_push(unit.as_mut()).await?;
        queue_kept_lists(unit.as_mut()).await?;
        let events = unit.event_settings().await?;
        let contacts = unit.contact_settings().await?;
        let push_limit = unit.push_limit().await?.unwrap_or(PUSH_LIMIT);
        unit.commit().await?;
        Ok(Settings {
            connection: Some(connection.into()),
            events,
            contacts,
            push_limit,
        })
    }

    /// Checks whether Klaviyo still accepts the stored key and lets it read lists and profiles. It changes
    /// nothing. Returns the scopes of optional features that the key lacks.
    pub async fn check_connection(
        &self,
        organization: &OrganizationId,
    ) -> Result<Vec<String>, Error> {
        let connection = self.open_connection(organization).await?;
        let Credential::ApiKey(key) = &connection.credential;
        let verified = self.verify(organization, key).await?;
        Ok(verified.missing_scopes)
    }

    /// Checks whether Klaviyo answers at all. The request has a key that belongs to no account; that Klaviyo
    /// refuses the key is an answer.
    pub async fn reach_klaviyo(&self) -> Result<(), Error> {
        let invalid = |_| Error::KeyRejected;
        let key = ApiKey::parse(&SecretString::from("pk_nobodys")).map_err(invalid)?;
        let connection = OpenConnection::without_account(key.into());
        let call = || self.klaviyo.account(&connection);
        match self.klaviyo.with_short_wait(call).await {
            // Klaviyo that asks to wait answers, too.
            Ok(_) | Err(Error::KeyRejected | Error::KlaviyoThrottled(_)) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Deletes the connection: the key is overwritten, active runs are cancelled and schedules end; audiences stay. Neither the
    /// connection nor the runs have to be readable for that.
    pub async fn disconnect(&self, organization: &OrganizationId) -> Result<Settings, Error> {
        let mut unit = self.begin(organization).await?;
        unit.delete_connection().await?;
        unit.end_schedules().await?;
        // What is pending waits for a key of the same account.
        unit.dequeue(&WorkKey::push()).await?;
        for kept in unit.kept_lists().await? {
            unit.dequeue(&WorkKey::kept_list(&kept.audience)).await?;
        }
        let mut active: BTreeSet<RunId> = unit.active_runs().await?.into_iter().collect();
        // A run whose status this version does not know has a place in the queue.
        let queued = unit.queued(WorkKind::Pull).await?;
        active.extend(queued.iter().map(|work| work.id.as_run()));
        let why = "Klaviyo was disconnected.";
        let cancelled = cancel_runs(unit.as_mut(), active, why, self.now()).await?;
        let events = unit.event_settings().await?;
        let contacts = unit.contact_settings().await?;
        let push_limit = unit.push_limit().await?.unwrap_or(PUSH_LIMIT);
        unit.commit().await?;
        log_cancelled(&cancelled);
        Ok(Settings {
            connection: None,
            events,
            contacts,
            push_limit,
        })
    }

    async fn verify(&self, organization: &OrganizationId, key: &ApiKey) -> Result<Verified, Error> {
        let stored = self.read(organization).await?.connection().await?;
        let mut missing_scopes = Vec::new();
        // The account comes first, because the calls after it are counted against its quota.
        let account = self
            .account_of(organization, key, stored.as_ref(), &mut missing_scopes)
            .await?;
        let connection = OpenConnection::new(organization, account.as_ref(), key.clone().into());

        let mut required = Vec::new();
        let (needed, optional): (Vec<CollectionKind>, Vec<CollectionKind>) = CollectionKind::ALL
            .iter()
            .partition(|kind| kind.descriptor().is_scope_required);
        let needed = needed.into_iter().map(Capability::ReadCollections);
        for capability in needed.chain([Capability::ReadProfiles]) {
            required.extend(self.probe(&connection, capability).await?);
        }
        if !required.is_empty() {
            return Err(Error::ScopeMissing(required));
        }
        for kind in optional {
            let capability = Capability::ReadCollections(kind);
            match self.probe(&connection, capability).await {
                Ok(missing) => missing_scopes.extend(missing),
                // An optional feature never costs the connection: its own use will tell what it lacks.
                Err(Error::KlaviyoUnreachable(_) | Error::KlaviyoThrottled(_)) => {}
                Err(error) => return Err(error),
            }
        }
        missing_scopes.sort();
        missing_scopes.dedup();
        Ok(Verified {
            account,
            missing_scopes,
        })
    }

    /// The Klaviyo account of a key. `None` if it is not to be had: a sync does not need it.
    async fn account_of(
        &self,
        organization: &OrganizationId,
        key: &ApiKey,
        stored: Option<&Connection>,
        missing_scopes: &mut Vec<String>,
    ) -> Result<Option<AccountId>, Error> {
        let known = stored.and_then(|connection| connection.account.as_ref());
        let before = OpenConnection::new(organization, known, key.clone().into());
        let call = || self.klaviyo.account(&before);
        let account = match self.klaviyo.with_short_wait(call).await {
            Ok(found) => Some(found.id),
            Err(Error::ScopeMissing(scopes)) => {
                missing_scopes.extend(scopes);
                None
            }
            // The same key is of the same account still.
            Err(Error::KlaviyoUnreachable(_)) => known
                .filter(|_| self.is_stored(organization, key, stored))
                .cloned(),
            Err(Error::KlaviyoThrottled(wait)) => match known {
                None => None,
                Some(known) if self.is_stored(organization, key, stored) => Some(known.clone()),
                // Whether the key belongs to another account cannot be checked now.
                Some(_) => return Err(Error::KlaviyoThrottled(wait)),
            },
            Err(error) => return Err(error),
        };
        let after = OpenConnection::new(organization, account.as_ref(), key.clone().into());
        self.klaviyo.inherit_blocks(&before, &after).await?;
        Ok(account)
    }

    /// Whether this is the key that is stored.
    fn is_stored(
        &self,
        organization: &OrganizationId,
        key: &ApiKey,
        stored: Option<&Connection>,
    ) -> bool {
        let opened = stored.map(|stored| self.ports.sealer.open(organization, &stored.key));
        let Some(Ok(opened)) = opened else {
            return false;
        };
        opened.secret.expose_secret() == key.secret().expose_secret()
    }

    /// The scopes that the key lacks for a capability: none if it has the capability.
    async fn probe(
        &self,
        connection: &OpenConnection,
        capability: Capability,
    ) -> Result<Vec<String>, Error> {
        let call = || self.klaviyo.probe(connection, capability);
        match self.klaviyo.with_short_wait(call).await {
            Ok(()) => Ok(Vec::new()),
            Err(Error::ScopeMissing(scopes)) if scopes.is_empty() => {
                Ok(vec![capability.scope().to_owned()])
            }
            Err(Error::ScopeMissing(scopes)) => Ok(scopes),
            Err(Error::KlaviyoUnreachable(KlaviyoError::NotPermitted)) => {
                Ok(vec![capability.scope().to_owned()])
            }
            Err(error) => Err(error),
        }
    }
}

/// Drops everything that is pending for another account. Returns how many deliveries that were.
async fn drop_all_pending(unit: &mut dyn UnitOfWork) -> Result<u64, StoreError> {
    const AT_ONCE: u32 = 1_000;
    let mut dropped = 0;
    loop {
        let some = unit
            .drop_pending(DeliveryCode::AccountChanged, AT_ONCE)
            .await?;
        dropped += some;
        if some < u64::from(AT_ONCE) {
            return Ok(dropped);
        }
    }
}

struct Verified {
    account: Option<AccountId>,
    missing_scopes: Vec<String>,
}

impl From<Connection> for ConnectionView {
    fn from(connection: Connection) -> Self {
        Self {
            last4: connection.last4,
            status: connection.status,
            account: connection.account,
            verified_at: connection.verified_at,
            missing_scopes: connection.missing_scopes,
            message: connection.message,
        }
    }
}

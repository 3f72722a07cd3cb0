//! The secrets of webhooks: made, rotated, and compared with signatures.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use fanfare_domain::events::{SignedAt, WebhookSecrets, signature_of};
use fanfare_domain::ids::OrganizationId;
use fanfare_domain::ports::UnitOfWork;
use fanfare_domain::time::Timestamp;
use hmac::{Hmac, KeyInit, Mac};
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};
use tokio::time::Instant;
use tracing::info;

use super::Webhook;
use crate::error::Error;
use crate::hexadecimal::digits;
use crate::integration::Integration;

/// For how long secrets are good that the store has shown. A signature by another secret has them read anew.
const KNOWN_FOR: Duration = Duration::from_secs(1);

/// The most organizations whose secrets a process keeps.
const MOST_KNOWN: usize = 10_000;

/// Secrets that signatures were good by lately. Clones are the same.
#[derive(Clone, Default)]
pub(crate) struct KnownSecrets(Arc<Mutex<Known>>);

/// Secrets, and when the store has shown them.
type Known = HashMap<OrganizationId, (Instant, Vec<SecretString>)>;

impl KnownSecrets {
    fn of(&self, organization: &OrganizationId) -> Vec<SecretString> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let found = known.get(organization);
        let fresh = found.filter(|(at, _)| at.elapsed() < KNOWN_FOR);
        fresh
            .map(|(_, secrets)| secrets.clone())
            .unwrap_or_default()
    }

    fn keep(&self, organization: &OrganizationId, secrets: Vec<SecretString>) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= MOST_KNOWN {
            known.retain(|_, (at, _)| at.elapsed() < KNOWN_FOR);
        }
        known.insert(organization.clone(), (Instant::now(), secrets));
    }
}

/// Whether one of the secrets makes this signature. Each is compared in constant time, and all of them are tried.
fn is_signed(secrets: &[SecretString], webhook: Webhook<'_>, code: &[u8; 32]) -> bool {
    let mut is_signed = false;
    for secret in secrets {
        is_signed |= mac(secret, webhook.timestamp, webhook.body)
            .verify_slice(code)
            .is_ok();
    }
    is_signed
}

/// A hash of the sealed secret: whoever sees it learns only whether the secret has been replaced.
fn mark(secrets: &WebhookSecrets) -> String {
    digits(&Sha256::digest(&secrets.current.bytes)[..8])
}

fn mac(secret: &SecretString, timestamp: &str, body: &[u8]) -> Hmac<Sha256> {
    let key = secret.expose_secret().as_bytes();
    // A key of any length will do.
    let mac = Hmac::<Sha256>::new_from_slice(key).unwrap_or_else(|_| unreachable!("any length"));
    mac.chain_update(timestamp.as_bytes())
        .chain_update(b".")
        .chain_update(body)
}

/// What can be told of the secrets of webhooks after they were made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebhookSecretView {
    /// What tells the present secret from every other one, and nothing of it.
    pub mark: String,
    /// Until when the secret of before is good, if it is still.
    pub previous_until: Option<Timestamp>,
}

impl Integration {
    /// The organization's present secret for webhooks, if one was made.
    pub async fn webhook_secret(
        &self,
        organization: &OrganizationId,
    ) -> Result<Option<WebhookSecretView>, Error> {
        let secrets = self.read(organization).await?.webhook_secrets().await?;
        let now = self.now();
        Ok(secrets.map(|secrets| WebhookSecretView {
            mark: mark(&secrets),
            previous_until: secrets
                .previous
                .map(|(_, until)| until)
                .filter(|until| now < *until),
        }))
    }

    /// Makes a secret as [`Self::rotate_webhook_secret`] does, if the present one is the one with the mark that the caller has
    /// seen; `None` if it is not. So a form that is sent twice replaces one secret and not two, of which the older one
    /// may be in use.
    pub async fn replace_webhook_secret(
        &self,
        organization: &OrganizationId,
        seen: Option<&str>,
    ) -> Result<Option<SecretString>, Error> {
        let secret = self.new_webhook_secret();
        let mut unit = self.begin(organization).await?;
        let before = unit.webhook_secrets().await?;
        if before.as_ref().map(mark).as_deref() != seen {
            return Ok(None);
        }
        self.put_webhook_secret(organization, unit, before, &secret)
            .await?;
        Ok(Some(secret))
    }

    /// Makes the secret that the organization's webhooks are signed with from now on. The one before is good for a day.
    pub async fn rotate_webhook_secret(
        &self,
        organization: &OrganizationId,
    ) -> Result<SecretString, Error> {
        let secret = self.new_webhook_secret();
        let mut unit = self.begin(organization).await?;
        let before = unit.webhook_secrets().await?;
        self.put_webhook_secret(organization, unit, before, &secret)
            .await?;
        Ok(secret)
    }

    async fn put_webhook_secret(
        &self,
        organization: &OrganizationId,
        mut unit: Box<dyn UnitOfWork>,
        before: Option<WebhookSecrets>,
        secret: &SecretString,
    ) -> Result<(), Error> {
        let sealed = self.ports.sealer.seal(organization, secret);
        let secrets = WebhookSecrets::rotated(before, sealed, self.now());
        unit.put_webhook_secrets(&secrets).await?;
        unit.commit().await?;
        info!(organizationId = %organization, "a secret for webhooks was made");
        Ok(())
    }

    /// The signature's header for a body that is sent at this time, with the present secret: Fanfare's part.
    pub async fn sign_webhook(
        &self,
        organization: &OrganizationId,
        timestamp: &str,
        body: &[u8],
    ) -> Result<String, Error> {
        let secrets = self.read(organization).await?.webhook_secrets().await?;
        let secrets = secrets.ok_or(Error::NoWebhookSecret)?;
        let opened = self.ports.sealer.open(organization, &secrets.current)?;
        let code = mac(&opened.secret, timestamp, body).finalize().into_bytes();
        Ok(format!("sha256={}", digits(&code)))
    }

    /// Fails unless the webhook is signed with a secret of the organization's, a short time ago.
    pub(super) async fn verify_webhook(
        &self,
        organization: &OrganizationId,
        webhook: Webhook<'_>,
        now: Timestamp,
    ) -> Result<(), Error> {
        let signed_at = SignedAt::parse(webhook.timestamp);
        let is_fresh = signed_at.is_some_and(|signed_at| signed_at.is_good(now));
        let (Some(code), true) = (signature_of(webhook.signature), is_fresh) else {
            return Err(Error::SignatureInvalid);
        };
        if is_signed(&self.known_secrets.of(organization), webhook, &code) {
            return Ok(());
        }
        let stored = self.read(organization).await?.webhook_secrets().await?;
        let Some(stored) = stored else {
            // Nobody's secret, so that whoever has none is told by the same steps.
            is_signed(&[SecretString::from("whsec_nobodys")], webhook, &code);
            return Err(Error::SignatureInvalid);
        };
        let sealer = &self.ports.sealer;
        let opened = stored.good_at(now).map(|sealed| {
            let opened = sealer.open(organization, sealed);
            opened.map(|opened| opened.secret)
        });
        let secrets = opened.collect::<Result<Vec<SecretString>, _>>()?;
        if !is_signed(&secrets, webhook, &code) {
            return Err(Error::SignatureInvalid);
        }
        self.known_secrets.keep(organization, secrets);
        Ok(())
    }

    /// 240 random bits.
    fn new_webhook_secret(&self) -> SecretString {
        let part = |_| digits(&self.ports.ids.ulid().random().to_be_bytes()[6..]);
        let random: String = (0..3).map(part).collect();
        SecretString::from(format!("whsec_{random}"))
    }
}

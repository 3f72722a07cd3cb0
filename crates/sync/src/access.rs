//! Organizations and their secret keys.

use fanfare_domain::ids::{KeyId, OrganizationId};
use fanfare_domain::organization::{KeyHash, KeyKind, Organization, Role, SecretKey, parse_name};
use fanfare_domain::rate_limit::{Counted, TakenRequests};
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};

use crate::error::{Entity, Error};
use crate::integration::Integration;

/// The caller of the API, as its secret key identifies it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// The organization that the key belongs to.
    pub organization: OrganizationId,
    /// What the key allows.
    pub role: Role,
    /// The key's id.
    pub key: KeyId,
}

/// A key that was just made. Its secret is shown only here.
#[derive(Debug)]
pub struct NewKey {
    /// The organization that it belongs to.
    pub organization: OrganizationId,
    /// Its id.
    pub id: KeyId,
    /// The key itself.
    pub secret: SecretString,
}

impl Integration {
    /// Finds the organization and the role of a secret key. `None` if the key is unknown or revoked.
    pub async fn authenticate(&self, secret: &SecretString) -> Result<Option<Caller>, Error> {
        self.find_caller(&hash(secret)).await
    }

    /// The same as the store said within the last second: a check at the door must not cost a look-up of its key.
    pub async fn authenticate_at_door(
        &self,
        secret: &SecretString,
    ) -> Result<Option<Caller>, Error> {
        let (key, now) = (hash(secret), self.now());
        if let Some((caller, is_to_renew)) = self.known_keys.get(&key, now) {
            if is_to_renew {
                let (integration, key) = (self.clone(), key);
                tokio::spawn(async move { integration.renew_at_door(key).await });
            }
            return Ok(Some(caller));
        }
        let found = self.find_caller(&key).await?;
        if let Some(caller) = &found {
            self.known_keys.put(key, caller.clone(), now);
        }
        Ok(found)
    }

    /// The caller that a key's id names, for whom has shown the key itself before. `None` if it is unknown or revoked.
    pub async fn caller_of(
        &self,
        organization: &OrganizationId,
        key: &KeyId,
    ) -> Result<Option<Caller>, Error> {
        let keys = self.ports.directory.keys(organization).await?;
        let found = keys
            .into_iter()
            .find(|found| found.id == *key && found.revoked_at.is_none());
        Ok(found.map(|key| Caller {
            organization: key.organization,
            role: key.role,
            key: key.id,
        }))
    }

    /// Asks the store for a key that the door knows. While the store cannot be asked, the key stays known until its second is over.
    async fn renew_at_door(&self, key: KeyHash) {
        let now = self.now();
        match self.find_caller(&key).await {
            Ok(Some(caller)) => self.known_keys.put(key, caller, now),
            Ok(None) => self.known_keys.forget(&key),
            Err(_) => {}
        }
    }

    async fn find_caller(&self, key: &KeyHash) -> Result<Option<Caller>, Error> {
        let found = self.ports.directory.find_key(key).await?;
        Ok(found.map(|key| Caller {
            organization: key.organization,
            role: key.role,
            key: key.id,
        }))
    }

    /// Takes requests or checks out of the organization's rate limit, for this process to admit.
    pub async fn take_requests(
        &self,
        organization: &OrganizationId,
        counted: Counted,
        wanted: u32,
    ) -> Result<TakenRequests, Error> {
        let limits = &self.ports.request_limits;
        Ok(limits.take_requests(organization, counted, wanted).await?)
    }

    /// Makes an organization with an owner's live key.
    pub async fn create_organization(&self, name: &str) -> Result<NewKey, Error> {
        let name = parse_name(name).map_err(|error| Error::invalid("name", error.to_string()))?;
        let organization = Organization {
            id: OrganizationId::new(self.ports.ids.ulid()),
            name,
            created_at: self.now(),
        };
        let (stored, new) = self.mint(&organization.id, Role::Owner, KeyKind::Live);
        self.ports
            .directory
            .create_organization(&organization, &stored)
            .await?;
        Ok(new)
    }

    /// Makes another key for an organization.
    pub async fn create_key(
        &self,
        organization: &OrganizationId,
        role: Role,
        kind: KeyKind,
    ) -> Result<NewKey, Error> {
        self.require_organization(organization).await?;
        let (stored, new) = self.mint(organization, role, kind);
        self.ports.directory.add_key(&stored).await?;
        Ok(new)
    }

    /// An organization's keys, revoked ones too.
    pub async fn keys(&self, organization: &OrganizationId) -> Result<Vec<SecretKey>, Error> {
        self.require_organization(organization).await?;
        Ok(self.ports.directory.keys(organization).await?)
    }

    /// Revokes a key: from now on it authenticates no caller.
    pub async fn revoke_key(
        &self,
        organization: &OrganizationId,
        key: &KeyId,
    ) -> Result<(), Error> {
        let revoked = self
            .ports
            .directory
            .revoke_key(organization, key, self.now())
            .await?;
        if revoked {
            Ok(())
        } else {
            Err(Error::NotFound(Entity::SecretKey))
        }
    }

    /// An organization, by id.
    pub async fn organization(&self, id: &OrganizationId) -> Result<Organization, Error> {
        let found = self.ports.directory.organization(id).await?;
        found.ok_or(Error::NotFound(Entity::Organization))
    }

    /// Organizations by id, at most `first`, after `after`.
    pub async fn organizations(
        &self,
        first: u32,
        after: Option<&OrganizationId>,
    ) -> Result<Vec<Organization>, Error> {
        Ok(self.ports.directory.organizations(first, after).await?)
    }

    async fn require_organization(&self, id: &OrganizationId) -> Result<(), Error> {
        self.organization(id).await.map(drop)
    }

    fn mint(
        &self,
        organization: &OrganizationId,
        role: Role,
        kind: KeyKind,
    ) -> (SecretKey, NewKey) {
        let ids = &self.ports.ids;
        // The random parts of two ULIDs, of 80 bits each.
        let secret = SecretString::from(format!(
            "sk_{kind}_{:020x}{:020x}",
            ids.ulid().random(),
            ids.ulid().random()
        ));
        let stored = SecretKey {
            id: KeyId::new(ids.ulid()),
            organization: organization.clone(),
            role,
            kind,
            hash: hash(&secret),
            created_at: self.now(),
            revoked_at: None,
        };
        let new = NewKey {
            organization: organization.clone(),
            id: stored.id.clone(),
            secret,
        };
        (stored, new)
    }
}

fn hash(secret: &SecretString) -> KeyHash {
    KeyHash(Sha256::digest(secret.expose_secret().as_bytes()).into())
}

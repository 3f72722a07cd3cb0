//! Organizations and their secret keys.

use fanfare_domain::ids::{KeyId, OrganizationId};
use fanfare_domain::organization::{KeyHash, KeyKind, Organization, Role, SecretKey};
use fanfare_domain::ports::StoreError;

use crate::columns::{corrupt, id, parse_enum};
use crate::db_timestamp::{DbTimestamp, from_db};

/// A row of `organizations`.
#[derive(Debug)]
#[expect(missing_docs, reason = "the columns' names say it")]
pub struct OrganizationRow {
    pub id: String,
    pub name: String,
    pub created_at: DbTimestamp,
}

impl TryFrom<OrganizationRow> for Organization {
    type Error = StoreError;

    fn try_from(row: OrganizationRow) -> Result<Self, StoreError> {
        Ok(Self {
            id: id(row.id, OrganizationId::parse, "organizations.id")?,
            name: row.name,
            created_at: row.created_at.0,
        })
    }
}

/// A row of `api_keys`.
#[derive(Debug)]
#[expect(missing_docs, reason = "the columns' names say it")]
pub struct KeyRow {
    pub id: String,
    pub organization_id: String,
    pub role: String,
    pub kind: String,
    pub hash: Vec<u8>,
    pub created_at: DbTimestamp,
    pub revoked_at: Option<DbTimestamp>,
}

impl TryFrom<KeyRow> for SecretKey {
    type Error = StoreError;

    fn try_from(row: KeyRow) -> Result<Self, StoreError> {
        let organization = "api_keys.organization_id";
        Ok(Self {
            id: id(row.id, KeyId::parse, "api_keys.id")?,
            organization: id(row.organization_id, OrganizationId::parse, organization)?,
            role: parse_enum(&row.role, Role::parse, "api_keys.role")?,
            kind: parse_enum(&row.kind, KeyKind::parse, "api_keys.kind")?,
            hash: KeyHash(row.hash.try_into().map_err(|_| corrupt("api_keys.hash"))?),
            created_at: row.created_at.0,
            revoked_at: from_db(row.revoked_at),
        })
    }
}

//! What a key has to be allowed for everything that an organization has switched on.

use std::collections::BTreeSet;

use fanfare_domain::delivery::DeliveryKind;
use fanfare_domain::ids::OrganizationId;

use crate::error::Error;
use crate::integration::Integration;
use crate::saving::scopes_of;

impl Integration {
    /// The scopes by which what is switched on writes to Klaviyo, each once, by name. Which of them the stored key lacks shows only
    /// when something is written; a new key needs all of them.
    pub async fn scopes_in_use(&self, organization: &OrganizationId) -> Result<Vec<String>, Error> {
        let mut unit = self.read(organization).await?;
        let is_switched_on = [
            (DeliveryKind::Event, unit.event_settings().await?.enabled),
            (
                DeliveryKind::Contact,
                unit.contact_settings().await?.enabled,
            ),
            (
                DeliveryKind::Membership,
                !unit.kept_lists().await?.is_empty(),
            ),
        ];
        let in_use = is_switched_on.into_iter().filter(|(_, is_on)| *is_on);
        let scopes: BTreeSet<&str> = in_use
            .flat_map(|(kind, _)| scopes_of(kind).iter().copied())
            .collect();
        Ok(scopes.into_iter().map(str::to_owned).collect())
    }
}

//! Contacts that both sides write.

use std::collections::BTreeMap;

use async_trait::async_trait;
use fanfare_domain::contact::{Contact, ContactSettings};
use fanfare_domain::delivery::PendingContact;
use fanfare_domain::ids::ConsumerId;
use fanfare_domain::ports::{Contacts, StoreError};
use fanfare_sql_rows::{
    ContactColumns, ContactRow, ContactSettingsRow, JsonText, PendingContactRow, all, json, one,
};

use super::deliveries::take_places;
use super::pages::Scope;
use crate::parameters::texts;
use crate::timeout::WithTimeout;
use crate::unit::Unit;

#[async_trait]
impl Contacts for Unit {
    async fn contact_settings(&mut self) -> Result<ContactSettings, StoreError> {
        let (organization, connection) = self.reading();
        let get = sqlx::query_file_as!(
            ContactSettingsRow,
            "../sql-rows/sql/contact_settings/get.sql",
            organization
        );
        let row = get.fetch_optional(connection).with_timeout().await?;
        Ok(one(row)?.unwrap_or_default())
    }

    async fn put_contact_settings(&mut self, settings: &ContactSettings) -> Result<(), StoreError> {
        let (organization, connection) = self.writing()?;
        let put = sqlx::query_file!(
            "../sql-rows/sql/contact_settings/put.sql",
            organization,
            settings.enabled,
            settings.winner.as_str(),
            settings.create_profiles
        );
        put.execute(connection).with_timeout().await?;
        Ok(())
    }

    async fn contacts_of(
        &mut self,
        consumers: &[ConsumerId],
    ) -> Result<BTreeMap<ConsumerId, Contact>, StoreError> {
        let (organization, connection) = self.reading();
        let ids: Vec<&str> = consumers.iter().map(ConsumerId::as_str).collect();
        let find = sqlx::query_file_as!(
            ContactRow,
            "sql/contacts/of_consumers.sql",
            organization,
            texts(&ids) as _
        );
        let rows = find.fetch_all(connection).with_timeout().await?;
        let found: Vec<(ConsumerId, Contact)> = all(rows)?;
        Ok(found.into_iter().collect())
    }

    async fn put_contacts(
        &mut self,
        contacts: &BTreeMap<ConsumerId, Contact>,
    ) -> Result<(), StoreError> {
        if contacts.is_empty() {
            return Ok(());
        }
        let mut scope = Scope::of(self.writing()?);
        // The row beside which they are inserted.
        take_places(scope.reborrow(), 0).await?;
        let columns: Vec<ContactColumns<'_>> = contacts
            .iter()
            .map(|(consumer, contact)| ContactColumns::of(consumer, contact))
            .collect();
        let put = sqlx::query_file!(
            "sql/contacts/put.sql",
            scope.organization,
            JsonText(json(&columns)) as _
        );
        put.execute(scope.connection).with_timeout().await?;
        Ok(())
    }

    async fn forget_contacts(&mut self) -> Result<(), StoreError> {
        let (organization, connection) = self.writing()?;
        let clear = sqlx::query_file!("../sql-rows/sql/contacts/clear.sql", organization, "");
        clear.execute(connection).with_timeout().await?;
        Ok(())
    }

    async fn pending_contacts(
        &mut self,
        consumers: &[ConsumerId],
    ) -> Result<Vec<PendingContact>, StoreError> {
        let (organization, connection) = self.reading();
        let ids: Vec<&str> = consumers.iter().map(ConsumerId::as_str).collect();
        let find = sqlx::query_file_as!(
            PendingContactRow,
            "sql/deliveries/pending_contacts.sql",
            organization,
            texts(&ids) as _
        );
        all(find.fetch_all(connection).with_timeout().await?)
    }
}

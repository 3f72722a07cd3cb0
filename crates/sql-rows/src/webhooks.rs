//! What Fanfare's webhooks are signed with, and what is made of them.

use std::collections::BTreeMap;

use fanfare_domain::connection::SealedKey;
use fanfare_domain::events::{EventSettings, EventType, WebhookSecrets};
use fanfare_domain::ports::StoreError;
use fanfare_domain::writing::MetricName;

use crate::columns::{from_json, json, to_u32};
use crate::db_timestamp::DbTimestamp;
use crate::json_text::JsonText;

/// A row of `webhook_secrets`.
#[derive(Debug)]
#[expect(missing_docs, reason = "the columns' names say it")]
pub struct WebhookSecretsRow {
    pub master_key_version: i64,
    pub sealed_secret: Vec<u8>,
    pub previous_master_key_version: Option<i64>,
    pub previous_sealed_secret: Option<Vec<u8>>,
    pub previous_until: Option<DbTimestamp>,
}

impl TryFrom<WebhookSecretsRow> for WebhookSecrets {
    type Error = StoreError;

    fn try_from(row: WebhookSecretsRow) -> Result<Self, StoreError> {
        let sealed = |form, bytes| {
            let form = to_u32(form, "webhook_secrets.master_key_version")?;
            Ok(SealedKey { form, bytes })
        };
        let previous = match (
            row.previous_master_key_version,
            row.previous_sealed_secret,
            row.previous_until,
        ) {
            (Some(form), Some(bytes), Some(until)) => Some((sealed(form, bytes)?, until.0)),
            _ => None,
        };
        Ok(Self {
            current: sealed(row.master_key_version, row.sealed_secret)?,
            previous,
        })
    }
}

/// A row of `event_settings`.
#[derive(Debug)]
#[expect(missing_docs, reason = "the columns' names say it")]
pub struct EventSettingsRow {
    pub enabled: bool,
    pub metrics: JsonText,
}

impl TryFrom<EventSettingsRow> for EventSettings {
    type Error = StoreError;

    fn try_from(row: EventSettingsRow) -> Result<Self, StoreError> {
        let metrics: BTreeMap<String, Option<MetricName>> =
            from_json(&row.metrics.0, "event_settings.metrics")?;
        // A type that this version does not know is a newer one's.
        let known = metrics
            .into_iter()
            .filter_map(|(name, metric)| Some((EventType::parse(&name)?, metric)));
        Ok(Self {
            enabled: row.enabled,
            metrics: known.collect(),
        })
    }
}

/// The chosen metrics as their column holds them.
pub fn metrics_json(settings: &EventSettings) -> JsonText {
    let metrics: BTreeMap<&str, Option<&MetricName>> = settings
        .metrics
        .iter()
        .map(|(event_type, metric)| (event_type.as_str(), metric.as_ref()))
        .collect();
    JsonText(json(&metrics))
}

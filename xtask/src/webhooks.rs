//! Fanfare's part: webhooks, signed as Fanfare signs them.

use std::fmt::Write;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use hmac::{Hmac, KeyInit, Mac};
use serde::Deserialize;
use serde_json::{Value, json};
use sha2::Sha256;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::services::api::Api;

/// An organization's webhooks: where they go, and what signs them.
#[derive(Clone)]
pub(crate) struct Webhooks {
    /// The path of their address.
    path: String,
    organization: String,
    secret: String,
}

/// What became of a webhook that was answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Answered {
    /// It is durable.
    Taken,
    /// It had come before.
    Duplicate,
    /// It was not taken, with this status, and is to be sent again.
    NotTaken(u16),
}

impl Webhooks {
    /// Makes the secret that an organization's webhooks are signed with from now on.
    pub(crate) fn of(api: &Api) -> Result<Self> {
        #[derive(Deserialize)]
        struct Made {
            url: String,
            secret: String,
        }
        let made: Made = api.post("/api/settings/fanfare-webhook", &json!({}))?;
        // Its host is the one that Fanfare sees. Tasks use the address that they have started.
        let path = made.url.find("/api/").map(|at| made.url[at..].to_owned());
        let path = path.context("the address of the webhooks is none of the API")?;
        let organization = path.rsplit('/').next().unwrap_or_default().to_owned();
        Ok(Self {
            path,
            organization,
            secret: made.secret,
        })
    }

    /// The body of a webhook that tells of an act at a time. `data` is without the time.
    pub(crate) fn body(
        &self,
        id: &str,
        type_name: &str,
        mut data: Value,
        at: OffsetDateTime,
    ) -> String {
        let at = at.format(&Rfc3339).unwrap_or_default();
        data[time_field(type_name)] = at.clone().into();
        json!({"id": id, "type": type_name, "timestamp": at, "organizationId": self.organization, "data": data})
            .to_string()
    }

    /// Signs a body and sends it to the API at this address. An error says that no answer came: whether it was taken is not known.
    pub(crate) fn send(&self, agent: &ureq::Agent, address: &str, body: &str) -> Result<Answered> {
        let timestamp = now().unix_timestamp().to_string();
        let mut answer = agent
            .post(format!("{address}{}", self.path))
            .header("content-type", "application/json")
            .header("user-agent", "Fanfare-Webhooks/1.0")
            .header("x-fanfare-timestamp", &timestamp)
            .header("x-fanfare-signature", self.sign(&timestamp, body))
            .send(body)?;
        let status = answer.status();
        if !status.is_success() {
            return Ok(Answered::NotTaken(status.as_u16()));
        }
        let told: Value = answer.body_mut().read_json()?;
        if told["accepted"] != true {
            bail!("a webhook is taken for another organization's: {told}");
        }
        Ok(if told["duplicate"] == true {
            Answered::Duplicate
        } else {
            Answered::Taken
        })
    }

    fn sign(&self, timestamp: &str, body: &str) -> String {
        // A key of any length will do.
        let mac = Hmac::<Sha256>::new_from_slice(self.secret.as_bytes());
        let code = mac.map(|mac| {
            let mac = mac
                .chain_update(timestamp)
                .chain_update(".")
                .chain_update(body);
            mac.finalize().into_bytes()
        });
        let mut signature = "sha256=".to_owned();
        for byte in code.iter().flatten() {
            // A text takes whatever is written.
            let _ = write!(signature, "{byte:02x}");
        }
        signature
    }
}

/// The time by this machine's clock.
#[expect(
    clippy::disallowed_methods,
    reason = "Fanfare's clock is none of the service's"
)]
pub(crate) fn now() -> OffsetDateTime {
    OffsetDateTime::now_utc()
}

/// A client that sends webhooks one after the other. It hangs up before the API does.
pub(crate) fn agent() -> ureq::Agent {
    let config = ureq::Agent::config_builder()
        .http_status_as_error(false)
        .timeout_global(Some(Duration::from_secs(30)))
        .max_idle_age(Duration::from_secs(2))
        .proxy(None)
        .build();
    config.into()
}

/// The member of an event's data that says when the act was.
fn time_field(type_name: &str) -> &'static str {
    match type_name.rsplit('.').next() {
        Some("admitted") => "admittedAt",
        Some("completed") => "completedAt",
        Some("left") => "leftAt",
        Some("won") => "wonAt",
        Some("lost") => "lostAt",
        _ => "enteredAt",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_webhook_is_signed_over_its_time_and_body() {
        let webhooks = Webhooks {
            path: String::new(),
            organization: "org_1".to_owned(),
            secret: "whsec_test".to_owned(),
        };
        // echo -n '1733044500.{}' | openssl dgst -sha256 -hmac whsec_test
        let expected = "sha256=d4629936016af5adc3360e8e0980508f55c0a3eff41fb01ab1076ac1fb510874";
        assert_eq!(webhooks.sign("1733044500", "{}"), expected);
    }

    #[test]
    fn a_body_tells_when_the_act_was_under_the_name_of_its_type() {
        let webhooks = Webhooks {
            path: String::new(),
            organization: "org_1".to_owned(),
            secret: String::new(),
        };
        let data = json!({"consumerId": "cons_1"});
        let body = webhooks.body(
            "whk_1",
            "draw.consumer.won",
            data,
            OffsetDateTime::UNIX_EPOCH,
        );
        let body: Value = serde_json::from_str(&body).unwrap();
        assert_eq!(body["organizationId"], "org_1");
        assert_eq!(body["data"]["wonAt"], "1970-01-01T00:00:00Z");
        assert_eq!(body["data"]["consumerId"], "cons_1");
    }
}

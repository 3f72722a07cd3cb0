//! The HTTP API, as tasks use it.

use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use ureq::http::{Request, StatusCode};

/// How often a request is repeated that the API or Klaviyo has no time for.
const TRIES: u32 = 5;

/// The API, signed in to as one organization.
pub(crate) struct Api {
    /// `http://HOST:PORT`
    pub(crate) address: String,
    /// The organization's secret key.
    pub(crate) key: String,
    agent: ureq::Agent,
}

/// An answer: its status and its body, `null` where it had none.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) body: Value,
    retry_after: Option<u64>,
}

impl Api {
    pub(crate) fn new(address: &str, key: &str) -> Self {
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(Duration::from_secs(30)))
            .proxy(None)
            // The API hangs up on connections that were idle for some seconds: not while we ask.
            .max_idle_connections(0)
            .build();
        Self {
            address: address.to_owned(),
            key: key.to_owned(),
            agent: config.into(),
        }
    }

    pub(crate) fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T> {
        self.expect("GET", path, None)
    }

    pub(crate) fn post<T: DeserializeOwned>(&self, path: &str, body: &Value) -> Result<T> {
        self.expect("POST", path, Some(body))
    }

    pub(crate) fn put<T: DeserializeOwned>(&self, path: &str, body: &Value) -> Result<T> {
        self.expect("PUT", path, Some(body))
    }

    /// Sends a request, and again where the answer says to come back later.
    pub(crate) fn send(&self, method: &str, path: &str, body: Option<&Value>) -> Result<Answer> {
        let mut tries = 1;
        loop {
            let answer = self.send_once(method, path, body);
            let answer = answer.with_context(|| format!("{method} {path} got no answer"))?;
            let Some(seconds) = answer.retry_after.filter(|_| tries < TRIES) else {
                return Ok(answer);
            };
            tries += 1;
            std::thread::sleep(Duration::from_secs(seconds.clamp(1, 60)));
        }
    }

    fn expect<T: DeserializeOwned>(
        &self,
        method: &str,
        path: &str,
        body: Option<&Value>,
    ) -> Result<T> {
        let answer = self.send(method, path, body)?;
        if !answer.status.is_success() {
            bail!("{method} {path} was answered {}", answer.explain());
        }
        serde_json::from_value(answer.body)
            .with_context(|| format!("{method} {path} was answered in another shape"))
    }

    /// Sends a request once, whatever is answered.
    pub(crate) fn send_once(
        &self,
        method: &str,
        path: &str,
        body: Option<&Value>,
    ) -> Result<Answer> {
        let request = Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.address))
            .header("authorization", format!("Bearer {}", self.key));
        let mut response = match body {
            Some(body) => {
                let request = request.header("content-type", "application/json");
                self.agent.run(request.body(serde_json::to_vec(body)?)?)?
            }
            None => self.agent.run(request.body(())?)?,
        };
        let retry_after = response.headers().get("retry-after");
        let retry_after = retry_after.and_then(|value| value.to_str().ok()?.parse().ok());
        let text = response.body_mut().read_to_string()?;
        let body = serde_json::from_str(&text).unwrap_or(Value::Null);
        Ok(Answer {
            status: response.status(),
            body,
            retry_after,
        })
    }
}

impl Answer {
    /// The status and the message in the body.
    pub(crate) fn explain(&self) -> String {
        let said: Vec<&str> = ["error", "message"]
            .iter()
            .filter_map(|name| self.body[*name].as_str())
            .collect();
        format!("{}: {}", self.status.as_u16(), said.join(". "))
    }
}

/// A run, as far as tasks look at it.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Run {
    pub(crate) id: String,
    pub(crate) audience_id: String,
    pub(crate) status: String,
    /// Claims since the last page.
    pub(crate) attempt: u32,
    pub(crate) queued_at: Option<String>,
    pub(crate) started_at: Option<String>,
    pub(crate) finished_at: Option<String>,
    pub(crate) progress: Progress,
    pub(crate) error: Option<RunError>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Progress {
    pub(crate) total: Option<u64>,
    pub(crate) processed: u64,
    pub(crate) created: u64,
    pub(crate) updated: u64,
    pub(crate) unchanged: u64,
    pub(crate) skipped: u64,
    pub(crate) members_added: u64,
    pub(crate) members_removed: u64,
    pub(crate) profiles_per_second: Option<f64>,
}

#[derive(Debug, Clone, Deserialize)]
pub(crate) struct RunError {
    pub(crate) code: String,
    pub(crate) message: String,
}

impl Run {
    pub(crate) fn is_active(&self) -> bool {
        matches!(self.status.as_str(), "PENDING" | "SYNCING")
    }

    /// How long it took, in seconds, where it has ended.
    pub(crate) fn seconds(&self) -> Option<f64> {
        seconds_between(self.started_at.as_deref()?, self.finished_at.as_deref()?)
    }

    /// The same with the time that it waited for a worker.
    pub(crate) fn seconds_since_click(&self) -> Option<f64> {
        seconds_between(self.queued_at.as_deref()?, self.finished_at.as_deref()?)
    }

    pub(crate) fn has_succeeded(&self) -> bool {
        self.status == "SUCCESS"
    }
}

fn seconds_between(begin: &str, end: &str) -> Option<f64> {
    let at = |time| OffsetDateTime::parse(time, &Rfc3339).ok();
    Some((at(end)? - at(begin)?).as_seconds_f64())
}

/// A page of something.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Page<T> {
    pub(crate) data: Vec<T>,
    pub(crate) page_info: PageInfo,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PageInfo {
    pub(crate) end_cursor: Option<String>,
}

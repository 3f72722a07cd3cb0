//! The HTTP API, as the demo uses it.

use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use ureq::http::{Request, StatusCode};

/// How often a request is repeated that the API or Klaviyo has no time for.
const TRIES: u32 = 5;

/// The API, signed in to as one organization.
pub(super) struct Api {
    /// `http://HOST:PORT`
    pub(super) address: String,
    /// The organization's secret key.
    pub(super) key: String,
    agent: ureq::Agent,
}

/// An answer: its status and its body, `null` where it had none.
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) body: Value,
    retry_after: Option<u64>,
}

impl Api {
    pub(super) fn new(address: &str, key: &str) -> Self {
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(Duration::from_secs(30)))
            .proxy(None)
            .build();
        Self {
            address: address.to_owned(),
            key: key.to_owned(),
            agent: config.into(),
        }
    }

    pub(super) fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T> {
        self.expect("GET", path, None)
    }

    pub(super) fn post<T: DeserializeOwned>(&self, path: &str, body: &Value) -> Result<T> {
        self.expect("POST", path, Some(body))
    }

    pub(super) fn put<T: DeserializeOwned>(&self, path: &str, body: &Value) -> Result<T> {
        self.expect("PUT", path, Some(body))
    }

    /// Sends a request, and again where the answer says to come back later.
    pub(super) fn send(&self, method: &str, path: &str, body: Option<&Value>) -> Result<Answer> {
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

    fn send_once(&self, method: &str, path: &str, body: Option<&Value>) -> Result<Answer> {
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
    /// The status and what the body says, for people.
    pub(super) fn explain(&self) -> String {
        let said: Vec<&str> = ["error", "message"]
            .iter()
            .filter_map(|name| self.body[*name].as_str())
            .collect();
        format!("{}: {}", self.status.as_u16(), said.join(". "))
    }
}

/// A run, as far as the demo looks at it.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Run {
    pub(super) id: String,
    pub(super) audience_id: String,
    pub(super) status: String,
    pub(super) started_at: Option<String>,
    pub(super) finished_at: Option<String>,
    pub(super) progress: Progress,
    pub(super) error: Option<RunError>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Progress {
    pub(super) total: Option<u64>,
    pub(super) processed: u64,
    pub(super) created: u64,
    pub(super) updated: u64,
    pub(super) unchanged: u64,
    pub(super) skipped: u64,
    pub(super) profiles_per_second: Option<f64>,
}

#[derive(Debug, Clone, Deserialize)]
pub(super) struct RunError {
    pub(super) code: String,
    pub(super) message: String,
}

impl Run {
    pub(super) fn is_active(&self) -> bool {
        matches!(self.status.as_str(), "PENDING" | "SYNCING")
    }

    pub(super) fn has_succeeded(&self) -> bool {
        self.status == "SUCCESS"
    }
}

/// A page of something.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Page<T> {
    pub(super) data: Vec<T>,
    pub(super) page_info: PageInfo,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct PageInfo {
    pub(super) end_cursor: Option<String>,
}

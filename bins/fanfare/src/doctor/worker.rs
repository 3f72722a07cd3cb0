//! Whether a worker answers where the settings say.

use std::time::Duration;

use super::{Check, CheckStatus};

/// How long the worker may take to answer its health check.
const HEALTH_TIMEOUT: Duration = Duration::from_secs(10);

const SUBJECT: &str = "worker";

pub(super) async fn check(address: &str) -> Check {
    let Some(address) = reachable(address) else {
        return Check::new(
            SUBJECT,
            CheckStatus::NotChecked,
            "it took a free port (FANFARE_WORKER_ADDR ends in :0), which is not known here",
        );
    };
    let url = format!("http://{address}/readyz");
    let asked = tokio::task::spawn_blocking(move || ask(&url));
    let (status, finding) = match asked.await {
        Ok(Ok(())) => (CheckStatus::Passed, format!("it works, at {address}")),
        Ok(Err(why)) => (CheckStatus::Failed, why),
        Err(_) => (CheckStatus::Failed, "it could not be asked".to_owned()),
    };
    Check::new(SUBJECT, status, finding)
}

/// The address at which the worker can be reached from here: a worker that listens on all interfaces
/// answers on the loopback address.
fn reachable(address: &str) -> Option<String> {
    let (host, port) = address.rsplit_once(':')?;
    if port.parse() == Ok(0_u16) {
        return None;
    }
    let host = match host {
        "0.0.0.0" => "127.0.0.1",
        "[::]" => "[::1]",
        host => host,
    };
    Some(format!("{host}:{port}"))
}

fn ask(url: &str) -> Result<(), String> {
    let config = ureq::Agent::config_builder()
        .http_status_as_error(false)
        .timeout_global(Some(HEALTH_TIMEOUT))
        .proxy(None)
        .build();
    let asked = ureq::Agent::from(config).get(url).call();
    let answer = asked.map_err(|error| {
        format!(
            "none answers at {url} ({error}): start fanfare-worker, or set FANFARE_WORKER_ADDR to \
             where it listens"
        )
    })?;
    let status = answer.status();
    if status.is_success() {
        Ok(())
    } else {
        Err(format!("{url} answers {status}; see the worker's log"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_worker_that_listens_everywhere_is_asked_here() {
        let reached = |address| reachable(address);
        assert_eq!(reached("0.0.0.0:80").as_deref(), Some("127.0.0.1:80"));
        assert_eq!(reached("[::]:80").as_deref(), Some("[::1]:80"));
        assert_eq!(reached("worker:80").as_deref(), Some("worker:80"));
        assert_eq!(reached("127.0.0.1:0"), None);
    }
}

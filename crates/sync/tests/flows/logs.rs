//! What a run logs, and what it never logs.

use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use fanfare_domain::ports::KlaviyoError;
use fanfare_domain::quota::RetryAfter;
use fanfare_sync::engine::SliceEnd;
use fanfare_testkit::build::{list, profile};
use fanfare_testkit::fake_klaviyo::FakeKlaviyo;
use serde_json::Value;

use crate::test_organization::{LEASE, TestOrganization, poll_until};

/// A log kept in memory.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Log {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }

    /// The lines about runs, each with its message.
    fn runs(&self) -> Vec<(String, Value)> {
        let text = self.text();
        let lines = text
            .lines()
            .map(|line| serde_json::from_str::<Value>(line).unwrap());
        lines
            .filter_map(|line| {
                let message = line["fields"]["message"]
                    .as_str()?
                    .strip_prefix("run ")?
                    .to_owned();
                Some((message, line))
            })
            .collect()
    }
}

fn capture() -> (Log, tracing::subscriber::DefaultGuard) {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .json()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(move || writer.clone())
        .finish();
    (log, tracing::subscriber::set_default(subscriber))
}

/// A Klaviyo whose members have values that must not appear in a log.
fn with_private_values() -> FakeKlaviyo {
    let members = (0..4).map(|n| {
        let member = profile(&format!("P{n}")).email(&format!("canary{n}@x.io"));
        member.first_name("Canary").phone("+15550001234")
    });
    FakeKlaviyo::default()
        .page_size(2)
        .with(list("L1"), "VIP", members)
}

#[tokio::test(start_paused = true)]
async fn a_run_logs_one_line_for_each_change_of_its_status_with_counts_and_duration() {
    let (log, _guard) = capture();
    let klaviyo = with_private_values();
    let org = TestOrganization::on(&klaviyo).await;
    let run = org.imported(&list("L1")).await;
    klaviyo.fail_members([None, Some(KlaviyoError::Throttled(RetryAfter::Seconds(30)))]);
    assert!(matches!(org.work(&run).await, SliceEnd::Paused(_)));
    tokio::time::advance(Duration::from_secs(30)).await;
    org.work_to_end(&run).await;

    let lines = log.runs();

    let messages: Vec<&str> = lines.iter().map(|(message, _)| message.as_str()).collect();
    assert_eq!(messages, ["started", "paused", "resumed", "ended"]);
    let source = org.run(&run).await.source;
    for (message, line) in &lines {
        let (fields, span) = (&line["fields"], &line["span"]);
        assert_eq!(span["processor"], "klaviyo/sync-list");
        assert_eq!(span["organizationId"], org.organization.as_str());
        assert_eq!(span["runId"], run.as_str());
        assert_eq!(span["syncSourceId"], source.as_str());
        for count in [
            "processed",
            "created",
            "updated",
            "unchanged",
            "skipped",
            "durationMs",
        ] {
            assert!(fields[count].is_u64(), "{count} of {message}");
        }
    }
    assert_eq!(lines[1].1["fields"]["processed"], 2);
    assert_eq!(lines[1].1["fields"]["waitMs"], 30_000);
    assert_eq!(lines[3].1["fields"]["processed"], 4);
    assert_eq!(lines[3].1["fields"]["durationMs"], 30_000);
    assert_eq!(lines[3].1["fields"]["status"], "SUCCESS");
}

#[tokio::test(start_paused = true)]
async fn a_run_that_is_cancelled_logs_its_end_too() {
    let (log, _guard) = capture();
    let org = TestOrganization::on(&with_private_values()).await;
    let run = org.imported(&list("L1")).await;

    org.integration
        .cancel_run(&org.organization, &run)
        .await
        .unwrap();

    let lines = log.runs();
    assert_eq!(lines.len(), 1);
    let (message, line) = &lines[0];
    assert_eq!(
        (message.as_str(), &line["fields"]["code"]),
        ("ended", &Value::from("cancelled"))
    );
    assert_eq!(line["span"]["runId"], run.as_str());
}

#[tokio::test(start_paused = true)]
async fn no_line_holds_a_key_an_email_a_phone_number_or_a_name() {
    let (log, _guard) = capture();
    let klaviyo = with_private_values();
    let org = TestOrganization::unconnected(&klaviyo).await;
    org.connect("pk_canary_key").await.unwrap();
    let run = org.imported(&list("L1")).await;
    klaviyo.fail_members([None, Some(KlaviyoError::Invalid("not JSON".to_owned()))]);
    assert!(matches!(org.work(&run).await, SliceEnd::Paused(_)));
    tokio::time::advance(Duration::from_secs(61)).await;
    let before = klaviyo.member_calls().len();
    let mut worker = org.worker(&run);
    poll_until(&mut worker, || klaviyo.member_calls().len() > before);
    drop(worker);
    tokio::time::advance(LEASE).await;
    let done = org.work_to_end(&run).await;
    klaviyo.fail_members([Some(KlaviyoError::KeyRejected)]);
    org.resynced(&done, false).await;

    let text = log.text();

    assert!(text.lines().count() >= 8, "too few lines were logged");
    let lower = text.to_lowercase();
    for private in ["canary", "5550001234"] {
        assert!(!lower.contains(private), "{private} in {text}");
    }
}

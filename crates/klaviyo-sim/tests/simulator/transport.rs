//! What happens below HTTP, seen from a bare socket.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use fanfare_klaviyo_sim::{Effect, Fault, Latency, Quota, Simulator, StartError};

use crate::support::{Fixture, KEY, account, members_path};

/// Everything that comes after a request, and how it ended.
fn raw(fixture: &Fixture) -> (String, Option<ErrorKind>) {
    let mut socket = TcpStream::connect(fixture.simulator.address).unwrap();
    let request = format!(
        "GET {} HTTP/1.1\r\nhost: klaviyo.test\r\nauthorization: Klaviyo-API-Key {KEY}\r\n\
         revision: 2026-07-15\r\nconnection: close\r\n\r\n",
        members_path()
    );
    socket.write_all(request.as_bytes()).unwrap();
    let mut bytes = Vec::new();
    let end = socket
        .read_to_end(&mut bytes)
        .err()
        .map(|error| error.kind());
    (String::from_utf8(bytes).unwrap(), end)
}

fn fixture(effect: Effect) -> Fixture {
    Fixture::with(account(), |plan| plan.fault(Fault::new(effect)))
}

fn announced(text: &str) -> (usize, usize) {
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    let length = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length: "));
    (length.unwrap().parse().unwrap(), body.len())
}

#[test]
fn links_lead_to_the_host_that_was_asked() {
    let (text, _) = raw(&Fixture::new());
    assert!(text.starts_with("HTTP/1.1 200 OK"));
    assert!(text.contains("\"self\":\"http://klaviyo.test/api/lists/"));
    let (announced, came) = announced(&text);
    assert_eq!(announced, came);
}

#[test]
fn a_truncated_answer_ends_in_its_middle() {
    let fixture = fixture(Effect::Truncate);
    let (text, end) = raw(&fixture);
    let (announced, came) = announced(&text);
    assert_eq!(came, announced / 2);
    assert_eq!(end, None, "closed and not reset");
    assert_eq!(fixture.simulator.requests()[0].status, None);
    assert!(raw(&fixture).0.ends_with('}'));
}

#[test]
fn a_reset_connection_gives_no_answer() {
    let fixture = fixture(Effect::Reset);
    assert_eq!(
        raw(&fixture),
        (String::new(), Some(ErrorKind::ConnectionReset))
    );
    assert!(raw(&fixture).0.starts_with("HTTP/1.1 200 OK"));
}

#[test]
fn slow_and_stalled_answers_come_whole_in_the_end() {
    for effect in [
        Effect::Slow(Duration::from_millis(30)),
        Effect::Stall(Duration::from_millis(30)),
    ] {
        let fixture = fixture(effect);
        let (text, end) = raw(&fixture);
        let (announced, came) = announced(&text);
        assert_eq!((came, end), (announced, None));
    }
    let fixture = Fixture::with(account(), |mut plan| {
        plan.latency = Latency {
            least: Duration::from_millis(10),
            jitter: Duration::from_millis(10),
        };
        plan
    });
    assert!(raw(&fixture).0.starts_with("HTTP/1.1 200 OK"));
}

#[test]
fn many_clients_are_answered_at_once() {
    let fixture = Fixture::with(account(), |plan| plan.quota(Quota::Unlimited));
    std::thread::scope(|scope| {
        for _ in 0..20 {
            scope.spawn(|| {
                for _ in 0..5 {
                    assert_eq!(fixture.client.get(&members_path(), &[]).ids().len(), 20);
                }
            });
        }
    });
    assert_eq!(fixture.simulator.requests().len(), 100);
}

#[test]
fn a_taken_address_is_an_error_and_is_free_again_at_the_end() {
    let first = Fixture::new();
    let address = first.simulator.address;
    let plan = || {
        let mut plan = fanfare_klaviyo_sim::Plan::new([account()]);
        plan.address = address;
        plan
    };
    let error = Simulator::start(plan()).unwrap_err();
    assert!(matches!(error, StartError::Listen { address: taken, .. } if taken == address));
    drop(first);
    assert_eq!(Simulator::start(plan()).unwrap().address, address);
}

#[test]
fn too_many_profiles_are_refused() {
    let plan = fanfare_klaviyo_sim::Plan::new([account().list("HuGeLi", "Huge", 5_000_000)]);
    assert!(matches!(Simulator::start(plan), Err(StartError::Plan(_))));
}

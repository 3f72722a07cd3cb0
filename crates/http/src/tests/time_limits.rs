//! Callers that send or read slowly or never, over sockets.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::time::Duration;

use actix_web::dev::ServerHandle;
use actix_web::web::Data;
use fanfare_domain::organization::Role;
use fanfare_domain::paging::Page;
use serde_json::json;
use socket2::{Domain, SockRef, Socket, Type};

use super::fixture::{Fixture, path};
use crate::server::{TimeLimits, listen};

/// The API on a socket that keeps little of an answer in the system's buffers.
fn serve(fixture: &Fixture, time_limits: TimeLimits) -> (String, ServerHandle) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    SockRef::from(&listener)
        .set_send_buffer_size(4_096)
        .unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let mut parts = fixture.parts.clone();
    parts.time_limits = Data::new(time_limits);
    let server = listen(listener, parts).unwrap();
    let handle = server.handle();
    tokio::spawn(server);
    (address, handle)
}

/// Sends a request, by a connection that takes little of the answer unless it is read.
fn send(address: &str, request: &str) -> TcpStream {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    socket.set_recv_buffer_size(4_096).unwrap();
    let address: std::net::SocketAddr = address.parse().unwrap();
    socket.connect(&address.into()).unwrap();
    let mut stream = TcpStream::from(socket);
    stream.write_all(request.as_bytes()).unwrap();
    stream
}

fn post(fixture: &Fixture) -> String {
    let key = fixture.own.key(Role::Owner);
    format!(
        "POST /api/audiences/import/klaviyo HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {key}\r\n\
         Content-Type: application/json\r\nContent-Length: 100\r\n\r\n{{"
    )
}

fn get(fixture: &Fixture, path: &str) -> String {
    let key = fixture.own.key(Role::Owner);
    format!("GET {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {key}\r\n\r\n")
}

/// What comes until the other side closes; a reset is such an end, too.
async fn rest(mut stream: TcpStream) -> String {
    let read = move || {
        let mut bytes = Vec::new();
        let _ = stream.read_to_end(&mut bytes);
        String::from_utf8_lossy(&bytes).into_owned()
    };
    tokio::task::spawn_blocking(read).await.unwrap()
}

#[actix_web::test]
async fn a_body_that_does_not_come_is_given_up() {
    let fixture = Fixture::connected().await;
    let limits = TimeLimits {
        body: Duration::from_millis(50),
        ..TimeLimits::default()
    };
    let (address, server) = serve(&fixture, limits);

    let answer = rest(send(&address, &post(&fixture))).await;

    assert!(answer.starts_with("HTTP/1.1 408"), "{answer}");
    assert!(answer.contains("REQUEST_TIMEOUT"), "{answer}");
    server.stop(false).await;
}

#[actix_web::test]
async fn headers_that_do_not_come_are_given_up() {
    let fixture = Fixture::connected().await;
    let limits = TimeLimits {
        headers: Duration::from_millis(50),
        ..TimeLimits::default()
    };
    let (address, server) = serve(&fixture, limits);

    let nothing = rest(send(&address, "")).await;
    let begun = rest(send(
        &address,
        "GET /api/audiences HTTP/1.1\r\nHost: x\r\nA",
    ))
    .await;

    for answer in [nothing, begun] {
        assert!(
            answer.is_empty() || answer.starts_with("HTTP/1.1 408"),
            "{answer}"
        );
    }
    server.stop(false).await;
}

/// A client without a key could send such a body for ever.
#[actix_web::test]
async fn a_body_in_chunks_that_nobody_reads_ends_with_the_answer() {
    let fixture = Fixture::connected().await;
    let (address, server) = serve(&fixture, TimeLimits::default());
    let key = fixture.own.key(Role::Owner).to_owned();
    for (path, key, status) in [
        ("/api/audiences/import/klaviyo", "sk_live_unknown", 401),
        ("/api/settings", key.as_str(), 405),
        ("/api/nowhere", key.as_str(), 404),
        ("/nowhere", key.as_str(), 404),
    ] {
        let request = format!(
            "POST {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {key}\r\n\
             Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n{{\r\n"
        );

        // It comes to an end though no last chunk is ever sent.
        let answer = rest(send(&address, &request)).await;

        assert!(
            answer.starts_with(&format!("HTTP/1.1 {status}")),
            "{path}: {answer}"
        );
    }
    server.stop(false).await;
}

#[actix_web::test]
async fn a_body_in_chunks_is_read_like_any_other_and_the_connection_goes_on() {
    let fixture = Fixture::connected().await;
    let (address, server) = serve(&fixture, TimeLimits::default());
    let key = fixture.own.key(Role::Owner);
    let import = format!(
        "POST /api/audiences/import/klaviyo HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {key}\r\n\
         Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n\
         4\r\n{{\"li\r\nc\r\nstIds\":[]   \r\n1\r\n}}\r\n0\r\n\r\n"
    );
    let health = "GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";

    let answers = rest(send(&address, &format!("{import}{health}"))).await;

    assert!(answers.starts_with("HTTP/1.1 200"), "{answers}");
    assert_eq!(answers.matches("HTTP/1.1 200").count(), 2, "{answers}");
    server.stop(false).await;
}

#[actix_web::test]
async fn a_connection_is_idle_but_while_a_known_caller_has_a_request_under_way() {
    let fixture = Fixture::connected().await;
    let (address, server) = serve(&fixture, TimeLimits::default());
    let idle = async |want: usize| {
        while fixture.parts.connections.idle() != want {
            tokio::task::yield_now().await;
        }
    };

    let silent: Vec<TcpStream> = (0..3).map(|_| send(&address, "")).collect();
    idle(3).await;
    let waiting: Vec<TcpStream> = (0..2).map(|_| send(&address, &post(&fixture))).collect();
    while fixture.parts.concurrency.requests_of(&fixture.own.id) < 2 {
        tokio::task::yield_now().await;
    }
    idle(3).await;
    drop(silent);
    idle(0).await;
    drop(waiting);
    idle(0).await;
    server.stop(false).await;
}

#[actix_web::test]
async fn bytes_under_way_are_limited_for_one_organization_and_not_for_another() {
    let (fixture, imported) = Fixture::imported().await;
    let audience = path("/api/audiences/{id}", &imported["audienceId"]);
    let large = json!({"description": "x".repeat(200_000)});
    assert_eq!(fixture.put(&audience).json(&json!({})).await.status, 200);
    let shares = &fixture.parts.concurrency;
    let hold = |organization, bytes| shares.hold_bytes(organization, 0, bytes);
    let (own, other) = (&fixture.own.id, &fixture.other.id);

    let held: Vec<_> = (0..32)
        .map(|_| hold(own, 1_048_576 + 65_536).unwrap())
        .collect();

    assert!(hold(own, 70_000).is_err());
    assert!(
        hold(own, 65_536).unwrap().is_none(),
        "a small one needs no room"
    );
    assert!(hold(other, 70_000).unwrap().is_some());
    let refused = fixture.put(&audience).json(&large).await;
    refused.refuses(429, "Rate limit exceeded", "RATE_LIMIT_EXCEEDED");
    assert!(
        refused.body["message"]
            .as_str()
            .unwrap()
            .contains("33554432 bytes")
    );
    let document = fixture.get("/api/audiences").send().await;
    assert_eq!(document.status, 200);

    drop(held);
    assert!(hold(own, 70_000).unwrap().is_some());
}

#[actix_web::test]
async fn requests_under_way_are_limited_for_one_organization_and_not_for_another() {
    let fixture = Fixture::connected().await;
    let (address, server) = serve(&fixture, TimeLimits::default());
    let bodiless: Vec<TcpStream> = (0..80).map(|_| send(&address, &post(&fixture))).collect();

    until(&fixture, 429).await;
    let refused = fixture.get("/api/audiences").send().await;

    refused.refuses(429, "Rate limit exceeded", "RATE_LIMIT_EXCEEDED");
    assert_eq!(refused.header("retry-after"), "1");
    let other = fixture
        .get("/api/audiences")
        .by(fixture.other.key(Role::Viewer));
    assert_eq!(other.send().await.status, 200);

    drop(bodiless);
    until(&fixture, 200).await;
    server.stop(false).await;
}

#[actix_web::test]
async fn an_answer_that_is_not_read_is_given_up() {
    let (fixture, imported) = Fixture::imported().await;
    let other = fixture.import("XyZaBc").await;
    for audience in [&imported["audienceId"], &other["audienceId"]] {
        let large = json!({"description": "\u{1f980}".repeat(10_000)});
        let audience = path("/api/audiences/{id}", audience);
        assert_eq!(fixture.put(&audience).json(&large).await.status, 200);
    }
    let limits = TimeLimits {
        answer: Duration::from_millis(300),
        ..TimeLimits::default()
    };
    let (address, server) = serve(&fixture, limits);
    let unread = send(&address, &get(&fixture, "/api/audiences"));

    // It has begun to come, and then the service takes it for ended.
    unread.set_nonblocking(true).unwrap();
    while !matches!(unread.peek(&mut [0; 12]), Ok(12)) {
        tokio::task::yield_now().await;
    }
    while fixture.parts.concurrency.requests_of(&fixture.own.id) > 0 {
        tokio::task::yield_now().await;
    }

    unread.set_nonblocking(false).unwrap();
    let answer = rest(unread).await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert!(!answer.ends_with('}'), "a whole answer came");
    server.stop(false).await;
}

/// Asks until the API answers this.
async fn until(fixture: &Fixture, status: u16) {
    while fixture.get("/api/audiences").send().await.status != status {
        // The rate limit of a minute is not what these tests are about.
        fixture.wait_a_minute();
        tokio::task::yield_now().await;
    }
}

#[test]
fn a_page_of_large_items_is_cut_and_the_next_begins_where_it_ends() {
    let items: Vec<String> = (0..4).map(|n| n.to_string().repeat(900_000)).collect();
    let page = Page::of(items, |item| item[..1].to_owned());
    let shown = serde_json::to_value(crate::wire::Page::of(page, |item| item)).unwrap();
    assert_eq!(shown["data"].as_array().unwrap().len(), 2);
    let end = shown["pageInfo"]["endCursor"].as_str().unwrap();
    assert_eq!(crate::cursor::decode(end).as_deref(), Some("1"));
}

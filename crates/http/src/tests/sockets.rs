//! The servers, over sockets.

use std::net::TcpListener;
use std::sync::Arc;

use async_trait::async_trait;
use fanfare_domain::organization::Role;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio_util::sync::CancellationToken;

use super::fixture::Fixture;
use crate::{Readiness, serve, serve_health};

struct NotReady;

#[async_trait]
impl Readiness for NotReady {
    async fn check(&self) -> Result<(), String> {
        Err("The database is not there. Start it.".to_owned())
    }
}

fn listener() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    (listener, address)
}

/// What is answered until the other side closes.
async fn ask(address: &str, head: &str, body: &[u8]) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let head = format!("{head}\r\nHost: x\r\nConnection: close\r\n\r\n");
    stream.write_all(head.as_bytes()).await.unwrap();
    // A server that has read enough may have closed.
    let _ = stream.write_all(body).await;
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer).await;
    String::from_utf8(answer).unwrap()
}

#[actix_web::test]
async fn the_api_is_served_until_it_is_told_to_stop_and_streams_end() {
    let fixture = Fixture::connected().await;
    let imported = fixture.import("RtPqXs").await;
    let (listener, address) = listener();
    let server = tokio::spawn(serve(listener, fixture.api.clone()).unwrap());

    let health = ask(&address, "GET /healthz HTTP/1.1", b"").await;
    assert!(health.starts_with("HTTP/1.1 200"), "{health}");

    let key = fixture.own.key(Role::Owner);
    let large = vec![b' '; 1_500_000];
    let head = format!(
        "POST /api/audiences/import/klaviyo HTTP/1.1\r\nAuthorization: Bearer {key}\r\n\
         Content-Type: application/json\r\nContent-Length: {}",
        large.len()
    );
    let refused = ask(&address, &head, &large).await;
    assert!(refused.starts_with("HTTP/1.1 413"), "{refused}");

    let stream = TcpStream::connect(&address).await.unwrap();
    let mut stream = BufReader::new(stream);
    let run = imported["runId"].as_str().unwrap();
    let watch = format!(
        "GET /api/sync-runs/{run}/events HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {key}\r\n\r\n"
    );
    stream.write_all(watch.as_bytes()).await.unwrap();
    let mut line = String::new();
    while !line.starts_with("event: progress") {
        line.clear();
        assert_ne!(
            stream.read_line(&mut line).await.unwrap(),
            0,
            "the stream ended"
        );
    }

    fixture.shutdown.cancel();

    let mut rest = String::new();
    stream.read_to_string(&mut rest).await.unwrap();
    assert!(!rest.contains("event: done"), "{rest}");
    server.await.unwrap().unwrap();
    assert!(TcpStream::connect(&address).await.is_err());
}

#[actix_web::test]
async fn a_workers_server_tells_its_health_and_nothing_else() {
    let shutdown = CancellationToken::new();
    let (listener, address) = listener();
    let metrics = Arc::new(|| "fanfare_up 1\n".to_owned());
    let server = serve_health(listener, Arc::new(NotReady), metrics, shutdown.clone());
    let server = tokio::spawn(server.unwrap());

    let live = ask(&address, "GET /healthz HTTP/1.1", b"").await;
    assert!(live.starts_with("HTTP/1.1 200"), "{live}");
    let ready = ask(&address, "GET /readyz HTTP/1.1", b"").await;
    assert!(ready.starts_with("HTTP/1.1 503"), "{ready}");
    assert!(
        ready.contains("The database is not there. Start it."),
        "{ready}"
    );
    let metrics = ask(&address, "GET /metrics HTTP/1.1", b"").await;
    assert!(metrics.ends_with("fanfare_up 1\n"), "{metrics}");
    let api = ask(&address, "GET /api/audiences HTTP/1.1", b"").await;
    assert!(api.starts_with("HTTP/1.1 404"), "{api}");
    assert!(api.contains("ROUTE_NOT_FOUND"), "{api}");

    shutdown.cancel();
    server.await.unwrap().unwrap();
}

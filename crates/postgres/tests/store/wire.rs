//! A way to the cluster that can be made to swallow everything, as a server that is stopped does, or a
//! firewall that has forgotten a connection.

use std::future::pending;

use secrecy::{ExposeSecret, SecretString};
use sqlx::ConnectOptions;
use sqlx::postgres::PgConnectOptions;
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

/// The way, for as long as it is kept.
pub(crate) struct Wire {
    address: SecretString,
    stopped: watch::Sender<()>,
    _connections: JoinSet<()>,
}

impl Wire {
    /// A way to this address.
    pub(crate) async fn to(address: &SecretString) -> Self {
        let there: PgConnectOptions = address.expose_secret().parse().unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let here = there.clone().host("127.0.0.1").port(port);
        let stopped = watch::Sender::new(());
        let stop = stopped.clone();
        let mut connections = JoinSet::new();
        connections.spawn(async move {
            let mut connections = JoinSet::new();
            loop {
                let (near, _) = listener.accept().await.unwrap();
                let far = TcpStream::connect((there.get_host(), there.get_port())).await;
                connections.spawn(pass(near, far.unwrap(), stop.subscribe()));
            }
        });
        Self {
            address: SecretString::from(here.to_url_lossy().to_string()),
            stopped,
            _connections: connections,
        }
    }

    pub(crate) const fn address(&self) -> &SecretString {
        &self.address
    }

    /// Nothing goes through any connection that there is now. None of them ends; new ones work.
    pub(crate) fn stop_answering(&self) {
        self.stopped.send_replace(());
    }
}

async fn pass(mut near: TcpStream, mut far: TcpStream, mut stopped: watch::Receiver<()>) {
    tokio::select! {
        biased;
        _ = stopped.changed() => pending().await,
        _ = copy_bidirectional(&mut near, &mut far) => {}
    }
}

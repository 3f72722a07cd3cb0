//! Where a program listens.

use std::io::{self, Write};
use std::net::{SocketAddr, TcpListener};

use rustix::process::{Resource, getrlimit, setrlimit};

use crate::config::{Config, PublicUrl};
use crate::error::StartError;

/// A bound address. No server answers at it yet.
#[derive(Debug)]
pub struct Socket {
    pub(crate) listener: TcpListener,
    address: SocketAddr,
}

impl Socket {
    /// Takes the API's address. Warns if requests with secret keys would come from other machines without TLS.
    pub fn of_api(config: &Config) -> Result<Self, StartError> {
        let socket = Self::bind("FANFARE_API_ADDR", &config.api_addr)?;
        let has_tls = config.public_url.as_ref().is_some_and(PublicUrl::is_secure);
        if !socket.address.ip().is_loopback() && !has_tls {
            tracing::warn!(
                address = socket.address.to_string(),
                "the API can be reached from other machines, and speaks no TLS: whoever is on the way can read secret \
                 keys and people's data. Put TLS in front of it and set FANFARE_PUBLIC_URL to its https:// address, \
                 or listen on 127.0.0.1"
            );
        }
        Ok(socket)
    }

    /// Takes the worker's address. No secret is ever sent to it.
    pub fn of_worker(config: &Config) -> Result<Self, StartError> {
        Self::bind("FANFARE_WORKER_ADDR", &config.worker_addr)
    }

    /// Takes the address, which this setting named.
    fn bind(setting: &'static str, address: &str) -> Result<Self, StartError> {
        allow_connections();
        let bound = TcpListener::bind(address).and_then(|listener| {
            let address = listener.local_addr()?;
            Ok(Self { listener, address })
        });
        bound.map_err(|source| {
            let address = address.to_owned();
            if source.kind() == io::ErrorKind::AddrInUse {
                StartError::AddressInUse { address, setting }
            } else {
                StartError::Listen {
                    address,
                    setting,
                    source,
                }
            }
        })
    }

    /// Prints the address, for an operator who started the program with port 0.
    pub(crate) fn announce(address: SocketAddr) {
        let mut output = io::stdout().lock();
        // A closed standard output is no reason not to serve.
        let _ = writeln!(output, "listening on http://{address}").and_then(|()| output.flush());
    }

    pub(crate) fn take(self) -> (TcpListener, SocketAddr) {
        (self.listener, self.address)
    }
}

/// Raises the limit of open files to the most that the system allows this process. A connection takes two,
/// and many systems begin at 1,024, which five hundred idle connections would use up.
fn allow_connections() {
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    if let Err(error) = setrlimit(Resource::Nofile, limit) {
        tracing::warn!(
            error = error.to_string(),
            "the limit of open files could not be raised"
        );
    }
}

//! Where a program listens.

use std::io::{self, Write};
use std::net::{SocketAddr, TcpListener};

use rustix::process::{Resource, getrlimit, setrlimit};

use crate::error::StartError;

/// A bound address. No server answers at it yet.
#[derive(Debug)]
pub struct Socket {
    pub(crate) listener: TcpListener,
    address: SocketAddr,
}

impl Socket {
    /// Takes the address, which this setting named.
    pub fn bind(setting: &'static str, address: &str) -> Result<Self, StartError> {
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

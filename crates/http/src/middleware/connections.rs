//! Connections for which no organization answers: those that send nothing, or nothing of a known caller's.
//!
//! A client that reaches the port can open thousands of them, and each takes memory. So only so many are kept. Beyond that the
//! one is closed that has been idle for longest, of the peer that has most of them: a peer that opens many closes its
//! own.

use std::collections::{BTreeMap, HashMap};
use std::net::{IpAddr, Ipv6Addr, Shutdown};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use actix_web::dev::Extensions;
use actix_web::rt::net::TcpStream;
use socket2::{SockRef, Socket};

/// How many connections may be open without a request of a known caller. An open connection takes some 20 KB.
const MAX_IDLE: usize = 1_024;

/// The idle connections of this process. Clones are the same.
#[derive(Debug, Clone, Default)]
pub(crate) struct Connections(Arc<Mutex<Idle>>);

#[derive(Debug, Default)]
struct Idle {
    /// Of each peer, the sockets by when they became idle.
    of_peers: HashMap<IpAddr, BTreeMap<u64, Arc<Socket>>>,
    count: usize,
    /// The next place in the order.
    next: u64,
}

/// An open connection. Clones are the same.
#[derive(Debug, Clone)]
pub(crate) struct Connection(Arc<Open>);

#[derive(Debug)]
struct Open {
    connections: Connections,
    peer: IpAddr,
    socket: Arc<Socket>,
    use_: Mutex<Use>,
}

/// What a connection is used for.
#[derive(Debug)]
enum Use {
    /// Nothing that an organization answers for, since this place in the order.
    Idle(u64),
    /// So many requests of known callers.
    Busy(usize),
}

/// A known caller's request, for as long as it is under way.
#[derive(Debug)]
pub(crate) struct Busy(Connection);

impl Connections {
    /// Prepares a connection that was accepted, and keeps it where its requests find it. The system ends it if its other
    /// side takes nothing for `limit`.
    pub(crate) fn accept(&self, stream: &TcpStream, extensions: &mut Extensions, limit: Duration) {
        let socket = SockRef::from(stream);
        // Without it, a connection is only limited by the other side's closing.
        let _ = socket.set_tcp_user_timeout(Some(limit));
        let (Ok(socket), Ok(peer)) = (socket.try_clone(), stream.peer_addr()) else {
            return;
        };
        let (peer, socket) = (network(peer.ip()), Arc::new(socket));
        let place = self.add(peer, &socket);
        extensions.insert(Connection(Arc::new(Open {
            connections: self.clone(),
            peer,
            socket,
            use_: Mutex::new(Use::Idle(place)),
        })));
    }

    /// Adds an idle connection, and closes another one if there are too many. Returns its place in the order.
    fn add(&self, peer: IpAddr, socket: &Arc<Socket>) -> u64 {
        let mut idle = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let place = idle.next;
        idle.next += 1;
        idle.count += 1;
        let of_peer = idle.of_peers.entry(peer).or_default();
        of_peer.insert(place, Arc::clone(socket));
        if idle.count > MAX_IDLE {
            idle.close_one();
        }
        place
    }

    fn remove(&self, peer: IpAddr, place: u64) {
        let mut idle = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        idle.remove(peer, place);
    }

    /// How many connections are idle.
    #[cfg(test)]
    pub(crate) fn idle(&self) -> usize {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).count
    }
}

impl Idle {
    fn close_one(&mut self) {
        let most = self
            .of_peers
            .iter()
            .max_by_key(|(_, sockets)| sockets.len());
        let Some((peer, sockets)) = most else { return };
        let Some((place, socket)) = sockets.first_key_value() else {
            return;
        };
        // It may be closed already. The server notices the end and drops the connection.
        let _ = socket.shutdown(Shutdown::Both);
        let (peer, place) = (*peer, *place);
        self.remove(peer, place);
    }

    fn remove(&mut self, peer: IpAddr, place: u64) {
        let Some(sockets) = self.of_peers.get_mut(&peer) else {
            return;
        };
        if sockets.remove(&place).is_some() {
            self.count -= 1;
        }
        if sockets.is_empty() {
            self.of_peers.remove(&peer);
        }
    }
}

impl Connection {
    /// Counts a known caller's request on the connection: until it ends, the connection is not idle.
    pub(crate) fn begin(&self) -> Busy {
        let mut use_ = self.0.use_.lock().unwrap_or_else(PoisonError::into_inner);
        match &mut *use_ {
            Use::Idle(place) => {
                self.0.connections.remove(self.0.peer, *place);
                *use_ = Use::Busy(1);
            }
            Use::Busy(requests) => *requests += 1,
        }
        Busy(self.clone())
    }

    /// Ends the connection. The server does not wake an answer that waits for the other side, so the socket is closed
    /// under it.
    pub(crate) fn close(&self) {
        // It may be closed already.
        let _ = self.0.socket.shutdown(Shutdown::Both);
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        let open = &self.0.0;
        let mut use_ = open.use_.lock().unwrap_or_else(PoisonError::into_inner);
        match &mut *use_ {
            Use::Busy(requests) if *requests > 1 => *requests -= 1,
            _ => *use_ = Use::Idle(open.connections.add(open.peer, &open.socket)),
        }
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        let use_ = self.use_.get_mut().unwrap_or_else(PoisonError::into_inner);
        if let Use::Idle(place) = use_ {
            self.connections.remove(self.peer, *place);
        }
    }
}

/// The network that stands for a peer: one host has a whole /64 of IPv6.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => {
            let prefix = address.to_bits() & !u128::from(u64::MAX);
            IpAddr::V6(Ipv6Addr::from_bits(prefix))
        }
        address @ IpAddr::V4(_) => address,
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;
    use std::net::{TcpListener, TcpStream};

    use super::*;

    /// A connection: the socket that a server has of it, and its other side.
    fn connect(listener: &TcpListener) -> (Arc<Socket>, TcpStream) {
        let other = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (own, _) = listener.accept().unwrap();
        (Arc::new(Socket::from(own)), other)
    }

    fn is_closed(other: &mut TcpStream) -> bool {
        other.set_nonblocking(true).unwrap();
        matches!(other.read(&mut [0]), Ok(0))
    }

    #[test]
    fn the_peer_with_most_idle_connections_loses_its_oldest() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let connections = Connections::default();
        let [greedy, modest] = ["192.0.2.1", "192.0.2.2"].map(|ip| ip.parse().unwrap());
        let (first, mut modest_other) = connect(&listener);
        connections.add(modest, &first);
        let (oldest, mut oldest_other) = connect(&listener);
        connections.add(greedy, &oldest);
        let (second, mut second_other) = connect(&listener);
        for _ in 0..MAX_IDLE - 1 {
            connections.add(greedy, &second);
        }

        assert_eq!(connections.idle(), MAX_IDLE);
        assert!(is_closed(&mut oldest_other));
        assert!(!is_closed(&mut second_other) && !is_closed(&mut modest_other));
    }

    #[test]
    fn a_host_has_one_place_whatever_its_address() {
        let network = |ip: &str| network(ip.parse().unwrap()).to_string();
        assert_eq!(network("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::");
        assert_eq!(network("::ffff:192.0.2.1"), "192.0.2.1");
        assert_eq!(network("192.0.2.1"), "192.0.2.1");
    }
}

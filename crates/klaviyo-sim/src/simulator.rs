//! Starts and stops a simulator.

use std::net::{SocketAddr, TcpListener};
use std::ops::Deref;
use std::sync::{Arc, mpsc};
use std::thread::{self, JoinHandle};

use actix_web::dev::ServerHandle;
use actix_web::web::Data;
use actix_web::{App, HttpServer, rt, web};

use crate::control;
use crate::handle::Handle;
use crate::plan::{Plan, PlanError};
use crate::server::{self, Socket};
use crate::service::Service;

/// Why a simulator could not be started.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The address cannot be listened on.
    #[error("cannot listen on {address}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// Why not.
        source: std::io::Error,
    },
    /// The server cannot be run.
    #[error("the server cannot be run")]
    Serve(#[source] std::io::Error),
    /// The plan cannot be carried out.
    #[error(transparent)]
    Plan(#[from] PlanError),
}

/// Starts simulators.
#[derive(Debug)]
pub struct Simulator;

impl Simulator {
    /// Starts a simulator on threads of its own. It needs no runtime, and shares none.
    pub fn start(plan: Plan) -> Result<RunningSimulator, StartError> {
        let address = plan.address;
        let unbound = |source| StartError::Listen { address, source };
        let listener = TcpListener::bind(address).map_err(unbound)?;
        let address = listener.local_addr().map_err(unbound)?;
        let allows_breaches = plan.allows_breaches;
        let service = Arc::new(Service::new(plan)?);
        let (sender, receiver) = mpsc::channel();
        let shared = Arc::clone(&service);
        let thread = thread::spawn(move || serve(listener, shared, &sender));
        match receiver.recv() {
            Ok(Ok(server)) => Ok(RunningSimulator {
                address,
                handle: Handle::new(service),
                allows_breaches,
                server,
                thread: Some(thread),
            }),
            Ok(Err(error)) => Err(StartError::Serve(error)),
            Err(_) => Err(StartError::Serve(std::io::Error::other("its thread ended"))),
        }
    }
}

/// Connections are kept longer than any client's pool keeps them, so that none breaks under a request.
const KEEP_ALIVE: std::time::Duration = std::time::Duration::from_mins(5);

/// More than any body may have, so that the service itself refuses it.
const MOST_BYTES: usize = 32 << 20;

fn serve(
    listener: TcpListener,
    service: Arc<Service>,
    started: &mpsc::Sender<std::io::Result<ServerHandle>>,
) {
    rt::System::new().block_on(async {
        let service = Data::new(service);
        let server = HttpServer::new(move || {
            App::new()
                .app_data(service.clone())
                .app_data(web::PayloadConfig::new(MOST_BYTES))
                .configure(control::configure)
                .default_service(web::to(server::handle))
        })
        .on_connect(|connection, extensions| {
            if let Some(socket) = Socket::of(connection) {
                extensions.insert(socket);
            }
        })
        .workers(2)
        .keep_alive(KEEP_ALIVE)
        .disable_signals()
        .listen(listener);
        let running = match server {
            Ok(server) => server.run(),
            Err(error) => {
                let _ = started.send(Err(error));
                return;
            }
        };
        // The thread that started the server may be gone by now; then the answer has no reader.
        let _ = started.send(Ok(running.handle()));
        let _ = running.await;
    });
}

/// A running simulator. Dropping it stops it, and reads its journals: it panics if a client has done what none of ours may do,
/// unless its plan allows that. So every test with a simulator proves that too.
pub struct RunningSimulator {
    /// Where it listens.
    pub address: SocketAddr,
    handle: Handle,
    allows_breaches: bool,
    server: ServerHandle,
    thread: Option<JoinHandle<()>>,
}

impl RunningSimulator {
    /// `http://HOST:PORT`
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// A handle that reads and changes its state. Clones see the same state.
    pub fn handle(&self) -> Handle {
        self.handle.clone()
    }
}

impl Deref for RunningSimulator {
    type Target = Handle;

    fn deref(&self) -> &Handle {
        &self.handle
    }
}

impl Drop for RunningSimulator {
    fn drop(&mut self) {
        // The command is sent at once; only its completion would have to be awaited.
        drop(self.server.stop(false));
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
        // A test that has failed already says why.
        if !self.allows_breaches && !thread::panicking() {
            let breaches = self.handle.breaches_at_last();
            assert!(
                breaches.is_empty(),
                "Klaviyo was asked for what must never be asked for: {}",
                breaches.join("; ")
            );
        }
    }
}

impl std::fmt::Debug for RunningSimulator {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RunningSimulator")
            .field("address", &self.address)
            .finish_non_exhaustive()
    }
}

//! The port under test.

use std::{future::pending, net::SocketAddr, sync::Arc, sync::OnceLock, thread};
use tokio::{net::TcpListener, runtime::Builder};
use web::{Mode, Options, demo::demo, serve};

/// The demonstration application, started once for all tests.
pub(crate) fn start_port() -> SocketAddr {
    static PORT: OnceLock<SocketAddr> = OnceLock::new();
    *PORT.get_or_init(|| start(Mode::ZeroCopy))
}

/// The same with the document's copies.
pub(crate) fn start_copying() -> SocketAddr {
    static PORT: OnceLock<SocketAddr> = OnceLock::new();
    *PORT.get_or_init(|| start(Mode::Copying))
}

fn start(mode: Mode) -> SocketAddr {
    let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
    listener.set_nonblocking(true).unwrap();
    let address = listener.local_addr().unwrap();
    let service = Arc::new(demo(mode).unwrap().finish());
    let options = Options { mode, ..Options::default() };
    thread::spawn(move || {
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let listener = TcpListener::from_std(listener).unwrap();
            serve(listener, service, options, pending::<()>()).await.unwrap();
        });
    });
    address
}

//! Real sockets.

mod clients;
mod handover;
mod memory;
mod panics;
mod patience;

use aqueduct::Pool;
use aqueduct_testkit::Serving;
use std::{
    future::Future,
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    sync::Arc,
    time::Duration,
};
use tokio::{net::TcpListener, sync::oneshot};
use web::{Mode, Options, Reply, Request, Service, Timeouts, serve};

/// A server on a thread of its own, with blocks of its own.
pub struct Served {
    pub address: SocketAddr,
    pub pool: Pool,
    pub serving: Serving<oneshot::Sender<()>>,
}

impl Served {
    pub fn new(service: impl Service, timeouts: Timeouts) -> Self {
        let options = Options { timeouts, pool: Pool::new(), ..Options::default() };
        Self::with(service, options)
    }

    pub fn with(service: impl Service, options: Options) -> Self {
        let ((stop, stopped), pool) = (oneshot::channel(), options.pool.clone());
        let (address, serving) = Serving::start(stop, move |tell| {
            run(async move {
                let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
                tell.send(listener.local_addr().unwrap()).unwrap();
                serve(listener, Arc::new(service), options, stopped).await.unwrap();
            });
        });
        Self { address, pool, serving }
    }

    pub fn connect(&self) -> TcpStream {
        let socket = TcpStream::connect(self.address).unwrap();
        socket.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        socket.set_nodelay(true).unwrap();
        socket
    }

    /// What comes back for these bytes until the server closes.
    pub fn last(&self, bytes: &[u8]) -> String {
        let mut socket = self.connect();
        socket.write_all(bytes).unwrap();
        rest(&mut socket)
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        if self.serving.end().is_some() {
            assert_eq!(self.pool.outstanding(), 0);
        }
    }
}

pub fn run(future: impl Future<Output = ()>) {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future);
}

/// Everything up to the end.
pub fn rest(socket: &mut TcpStream) -> String {
    let mut out = Vec::new();
    socket.read_to_end(&mut out).unwrap();
    String::from_utf8(super::http::machine::undated(out)).unwrap()
}

/// One answer with a body of known length.
pub fn answer(socket: &mut TcpStream, len: usize) -> String {
    let mut out = vec![0; len];
    socket.read_exact(&mut out).unwrap();
    String::from_utf8(super::http::machine::undated(out)).unwrap()
}

/// Says `hello`.
pub fn hello(_: &Request<'_>, reply: &mut Reply<'_>) {
    reply.body(b"hello");
}

pub const GET: &[u8] = b"GET / HTTP/1.1\r\nhost: a\r\n\r\n";
pub const CLOSE: &[u8] = b"GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n";
pub const HELLO: &str = "HTTP/1.1 200 OK\r\ndate: D\r\ncontent-length: 5\r\n\r\nhello";
/// With the date.
pub const HELLO_LEN: usize = HELLO.len() + 28;

pub const MODES: [Mode; 2] = [Mode::ZeroCopy, Mode::Copying];

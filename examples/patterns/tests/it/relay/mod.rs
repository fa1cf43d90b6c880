//! The relay, over real sockets.

mod limits;
mod program;
mod resets;
mod traffic;

use std::{future::Future, net::SocketAddr, time::Duration};

use aqueduct::{Pool, meter};
use aqueduct_testkit::Serving;
use patterns::relay::{Mode, Options, Totals, serve};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpSocket, TcpStream},
    runtime::Builder,
    sync::oneshot,
    time::timeout,
};

const MODES: [Mode; 3] = [Mode::Copying, Mode::Pipe, Mode::Splice];

/// Longer than anything here takes.
const PATIENCE: Duration = Duration::from_secs(20);

/// A relay on a thread of its own, with blocks of its own.
struct Relayed {
    address: SocketAddr,
    pool: Pool,
    serving: Serving<oneshot::Sender<()>, Done>,
}

/// What a relay did, and what its thread copied.
struct Done {
    totals: Totals,
    copied: u64,
}

impl Relayed {
    fn new(options: Options) -> Self {
        Self::with(Options { pool: Pool::new(), ..options })
    }

    fn with(options: Options) -> Self {
        let ((stop, stopped), pool) = (oneshot::channel(), options.pool.clone());
        let (address, serving) = Serving::start(stop, move |tell| {
            let before = meter::thread();
            let totals = run(async move {
                let listener = listener().await;
                tell.send(listener.local_addr().unwrap()).unwrap();
                serve(listener, options, stopped).await.unwrap()
            });
            Done { totals, copied: (meter::thread() - before).bytes }
        });
        Relayed { address, pool, serving }
    }

    /// To where `target` listens.
    fn to(target: &TcpListener, mode: Mode) -> Self {
        Self::new(Options::new(target.local_addr().unwrap(), mode))
    }

    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    /// Stops it, and waits until it has let everybody go.
    fn stop(mut self) -> Done {
        let done = self.serving.end().unwrap();
        assert_eq!(self.pool.outstanding(), 0);
        done
    }

    /// Waits until it holds no block.
    async fn holds_none(&self) {
        let wait = async {
            while self.pool.outstanding() > 0 {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        };
        timeout(PATIENCE, wait).await.expect("blocks are held");
    }
}

/// Runs a test's own side of all sockets on this thread.
fn run<T>(test: impl Future<Output = T>) -> T {
    Builder::new_current_thread().enable_all().build().unwrap().block_on(test)
}

/// A port of this machine, where more can wait than any test has: else they would be asked to come again in
/// a second, or three.
async fn listener() -> TcpListener {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind(([127, 0, 0, 1], 0).into()).unwrap();
    socket.listen(4096).unwrap()
}

/// A client of the relay, and its other end.
async fn pair(relay: &Relayed, target: &TcpListener) -> (TcpStream, TcpStream) {
    let connect =
        async { tokio::join!(relay.connect(), async { target.accept().await.unwrap().0 }) };
    timeout(PATIENCE, connect).await.expect("no connection")
}

/// All up to the end.
async fn rest(socket: &mut TcpStream) -> Vec<u8> {
    let mut bytes = Vec::new();
    timeout(PATIENCE, socket.read_to_end(&mut bytes)).await.expect("no end").expect("a clean end");
    bytes
}

/// So many bytes.
async fn exactly(socket: &mut TcpStream, count: usize) -> Vec<u8> {
    let mut bytes = vec![0; count];
    let read = timeout(PATIENCE, socket.read_exact(&mut bytes)).await;
    read.expect("too few bytes").expect("no error");
    bytes
}

async fn send(socket: &mut TcpStream, bytes: &[u8]) {
    timeout(PATIENCE, socket.write_all(bytes)).await.expect("nobody reads").expect("no error");
}

/// Both directions work.
async fn talk(client: &mut TcpStream, target: &mut TcpStream) {
    send(client, b"to the target").await;
    assert_eq!(exactly(target, 13).await, b"to the target");
    send(target, b"to the client").await;
    assert_eq!(exactly(client, 13).await, b"to the client");
}

/// Whether the other end has reset the connection, and not ended it.
async fn is_reset(socket: &mut TcpStream) -> bool {
    let mut some = [0; 4096];
    loop {
        match timeout(PATIENCE, socket.read(&mut some)).await.expect("it goes on") {
            Ok(0) => return false,
            Ok(_) => {}
            Err(error) => return error.kind() == std::io::ErrorKind::ConnectionReset,
        }
    }
}

/// Closes a socket so that its peer sees a reset.
fn reset(socket: TcpStream) {
    rustix::net::sockopt::set_socket_linger(&socket, Some(Duration::ZERO)).unwrap();
}

//! [`Listener`] and [`Stream`]: the three transports.

use crate::Address;
use aqueduct::{Duplex, Options, Pool, Reader, Writer, duplex};
use std::{
    collections::BTreeMap,
    io::{self, ErrorKind},
    os::unix::{fs::FileTypeExt, net::UnixStream as Probe},
    path::PathBuf,
    pin::Pin,
    sync::{Mutex, MutexGuard, PoisonError},
    task::{Context, Poll},
    time::Duration,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream, UnixListener, UnixStream, lookup_host},
    sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel},
};

/// Where clients connect. A listener that is dropped frees its address.
#[derive(Debug)]
pub struct Listener(Kind);

#[derive(Debug)]
enum Kind {
    Tcp(TcpListener),
    Ipc(UnixListener, PathBuf),
    Inproc(UnboundedReceiver<Duplex>, String),
}

/// The names that are listened to within this process.
static NAMES: Mutex<BTreeMap<String, UnboundedSender<Duplex>>> = Mutex::new(BTreeMap::new());

fn names() -> MutexGuard<'static, BTreeMap<String, UnboundedSender<Duplex>>> {
    // One step each, so that a panic leaves nothing half done.
    NAMES.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Listener {
    /// Listens, in a tokio runtime. Port 0 is any.
    ///
    /// # Errors
    ///
    /// The system's; `AddrInUse` for what another listener has.
    pub async fn bind(address: &Address) -> io::Result<Self> {
        Ok(Self(match address {
            Address::Tcp(at) => {
                let at = at.replacen('*', "0.0.0.0", 1);
                let first = lookup_host(at).await?.next().ok_or(ErrorKind::NotFound)?;
                Kind::Tcp(TcpListener::from_std(example_common::listen(first)?)?)
            }
            Address::Ipc(path) => {
                // A socket on which nobody listens any more was left behind.
                let is_socket = path.metadata().is_ok_and(|found| found.file_type().is_socket());
                let left = || {
                    Probe::connect(path).is_err_and(|e| e.kind() == ErrorKind::ConnectionRefused)
                };
                if is_socket && left() {
                    std::fs::remove_file(path)?;
                }
                Kind::Ipc(UnixListener::bind(path)?, path.clone())
            }
            Address::Inproc(name) => {
                let (sender, receiver) = unbounded_channel();
                let mut names = names();
                if names.contains_key(name) {
                    return Err(ErrorKind::AddrInUse.into());
                }
                names.insert(name.clone(), sender);
                Kind::Inproc(receiver, name.clone())
            }
        }))
    }

    /// Where it listens, with the port that it got.
    ///
    /// # Errors
    ///
    /// The system's.
    pub fn address(&self) -> io::Result<Address> {
        Ok(match &self.0 {
            Kind::Tcp(listener) => Address::Tcp(listener.local_addr()?.to_string()),
            Kind::Ipc(_, path) => Address::Ipc(path.clone()),
            Kind::Inproc(_, name) => Address::Inproc(name.clone()),
        })
    }

    pub(crate) async fn accept(&mut self) -> io::Result<Stream> {
        match &mut self.0 {
            Kind::Tcp(listener) => {
                let (socket, _) = listener.accept().await?;
                // It is only slower without.
                let _ = socket.set_nodelay(true);
                Ok(Stream::Tcp(socket))
            }
            Kind::Ipc(listener, _) => Ok(Stream::Ipc(listener.accept().await?.0)),
            Kind::Inproc(arriving, _) => {
                let pipes = arriving.recv().await.ok_or(ErrorKind::NotConnected)?;
                Ok(Stream::Inproc(Box::new(pipes)))
            }
        }
    }
}

impl From<TcpListener> for Listener {
    fn from(listener: TcpListener) -> Self {
        Self(Kind::Tcp(listener))
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        match &self.0 {
            Kind::Tcp(_) => {}
            // It may be gone already.
            Kind::Ipc(_, path) => drop(std::fs::remove_file(path)),
            Kind::Inproc(_, name) => drop(names().remove(name)),
        }
    }
}

/// A connection, whatever it goes over.
#[derive(Debug)]
pub(crate) enum Stream {
    Tcp(TcpStream),
    Ipc(UnixStream),
    Inproc(Box<Duplex>),
}

/// How long a peer may go on sending when it is told that this was all, so that it reads all.
const LINGER: Duration = Duration::from_secs(1);

impl Stream {
    pub(crate) async fn connect(address: &Address, pool: &Pool) -> io::Result<Self> {
        Ok(match address {
            Address::Tcp(at) => {
                let socket = TcpStream::connect(at).await?;
                let _ = socket.set_nodelay(true);
                Self::Tcp(socket)
            }
            Address::Ipc(path) => Self::Ipc(UnixStream::connect(path).await?),
            Address::Inproc(name) => {
                // With a pause, as a socket's buffers have.
                let options = Options::builder().pool(pool).build().unwrap_or_default();
                let (here, there) = duplex(options);
                let refused = || io::Error::from(ErrorKind::ConnectionRefused);
                names().get(name).ok_or_else(refused)?.send(there).map_err(|_| refused())?;
                Self::Inproc(Box::new(here))
            }
        })
    }

    /// Receives once into `to`, at most so many bytes that are not handed over as they are; 0 at the end.
    pub(crate) fn poll_receive(
        &mut self,
        context: &mut Context<'_>,
        to: &mut Writer,
        most: usize,
    ) -> Poll<io::Result<usize>> {
        let most = most as u64;
        match self {
            Self::Tcp(socket) => to.poll_fill_from(context, Pin::new(&mut socket.take(most))),
            Self::Ipc(socket) => to.poll_fill_from(context, Pin::new(&mut socket.take(most))),
            Self::Inproc(pipes) => pipes.reader.poll_copy_to(context, to).map_err(io::Error::from),
        }
    }

    /// Sends once what is in `from`, gathered; 0 at its end.
    pub(crate) fn poll_send(
        &mut self,
        context: &mut Context<'_>,
        from: &mut Reader,
    ) -> Poll<io::Result<usize>> {
        match self {
            Self::Tcp(socket) => from.poll_drain_to(context, Pin::new(socket)),
            Self::Ipc(socket) => from.poll_drain_to(context, Pin::new(socket)),
            Self::Inproc(pipes) => {
                from.poll_copy_to(context, &mut pipes.writer).map_err(io::Error::from)
            }
        }
    }

    /// Says that this was all, and drops what still comes: a socket that is closed with unread bytes
    /// takes back what its peer has not read.
    pub(crate) async fn close(mut self, mut received: (Writer, Reader)) {
        let shut = match &mut self {
            Self::Tcp(socket) => socket.shutdown().await,
            Self::Ipc(socket) => socket.shutdown().await,
            Self::Inproc(pipes) => {
                pipes.finish();
                Ok(())
            }
        };
        let all = std::future::poll_fn(|context| {
            loop {
                if let Ok(Some(read)) = received.1.try_read() {
                    let view = read.into_view();
                    let len = view.len();
                    view.consume(len);
                }
                match self.poll_receive(context, &mut received.0, usize::MAX) {
                    Poll::Ready(Ok(1..)) => {}
                    Poll::Ready(_) => return Poll::Ready(()),
                    Poll::Pending => return Poll::Pending,
                }
            }
        });
        if shut.is_ok() {
            let _ = tokio::time::timeout(LINGER, all).await;
        }
    }
}

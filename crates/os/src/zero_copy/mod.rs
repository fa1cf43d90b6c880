//! [`ZeroCopySender`]: slices that the kernel sends from where they are.

mod choice;
mod in_flight;
mod keeper;
#[cfg(test)]
mod tests;
#[cfg(feature = "tokio")]
mod waiting;
mod watch;

pub use choice::{SendWay, ZeroCopyAnswer, ZeroCopyChoice};

use crate::sys::zero_copy as sys;
use aqueduct_sequence::{Sequence, SequenceRef};
use aqueduct_slice::Slice;
use in_flight::InFlight;
use rustix::{
    io::Errno,
    net::{getpeername, getsockname},
};
use std::{
    fmt,
    io::{self, ErrorKind},
    mem,
    net::{IpAddr, SocketAddr},
    os::fd::{AsFd, BorrowedFd},
    time::{Duration, Instant},
};
use watch::Watch;

/// Sends sequences on a TCP socket with `MSG_ZEROCOPY`, where that pays (Linux).
///
/// The kernel sends such bytes from where they are, at any time until the peer has acknowledged them.
/// So the sender holds on to them until the kernel says, in the socket's *error queue*, that it is done.
/// It looks there before each send; [`settle`](Self::settle) waits for it.
///
/// ```
/// use aqueduct_os::ZeroCopySender;
/// use aqueduct_pool::Pool;
/// use aqueduct_sequence::Sequence;
/// # use std::{io::Read, net::{TcpListener, TcpStream}};
/// # let listener = TcpListener::bind("127.0.0.1:0")?;
/// # let socket = TcpStream::connect(listener.local_addr()?)?;
/// # let mut peer = listener.accept()?.0;
///
/// let mut block = Pool::global().get(64 * 1024);
/// block.resize(64 * 1024, b'x');
/// let mut data = Sequence::from(block);
///
/// let mut sender = ZeroCopySender::new(socket)?;
/// # let receiving = std::thread::spawn(move || peer.read_exact(&mut [0; 64 * 1024]));
/// sender.send(&mut data)?; // takes off the front what it has sent
/// assert!(data.is_empty());
/// sender.settle(None)?; // now the block is free, or somebody else's
/// # receiving.join().unwrap()?;
/// # Ok::<(), std::io::Error>(())
/// ```
///
/// # When it copies
///
/// [`ZeroCopyChoice`] says which calls are sent plainly: short ones, and all to a peer on this machine,
/// since what goes over loopback is always copied (and so it is on every way where the kernel must touch
/// the bytes: a packet capture, a device without scatter-gather, most virtual ones). Where the kernel
/// says that it copied after all, or that it does not know how, the sender sends plainly from then on.
/// Where it has no room for one more notification, or may not lock more memory, it sends that one call
/// plainly.
///
/// The bytes are the same either way, and no byte is copied in this process.
///
/// # When the sender is dropped
///
/// What is in flight stays in memory, and the socket open, until the kernel is done with it: a block
/// that came back to its pool would be filled by others, and *their* bytes would go to this peer.
/// A thread of its own, one per process, waits for it. So the end of the connection may come a round trip
/// later than that of a plain socket, and a peer that takes nothing is dropped by the kernel after a
/// minute, or after what `TCP_USER_TIMEOUT` was set to. [`settle`](Self::settle) before dropping avoids
/// both; shutting the socket down for writing tells the peer at once that no more will come. Where the
/// system has no descriptor or thread for the waiting, the blocks are leaked.
///
/// # What must not be done
///
/// The numbers that the kernel gives to sends belong to the socket. Nobody else may send on it with
/// `MSG_ZEROCOPY` or read its error queue, through another descriptor or [`socket`](Self::socket): blocks
/// might be let go too early, and the peer get bytes that are not meant for it. A second sender for a
/// socket is refused. Reading, and plain writing between sends, are fine. But once something was sent
/// without a copy, tokio's own sockets take news in the error queue for the end of writing: their waits
/// for room are then always over at once, and a task that writes through them spins. Write through the
/// sender.
///
/// `S` owns the socket, and names the same one always.
pub struct ZeroCopySender<S: AsFd + Send + 'static> {
    /// 1. Taken only by the destructor.
    socket: Socket<S>,
    /// 2. All calls with the flag that this socket ever made and that are not done are in it.
    in_flight: InFlight,
    choice: ZeroCopyChoice,
    peer_is_local: bool,
    answer: ZeroCopyAnswer,
    stats: ZeroCopyStats,
    /// Made by the first wait.
    watch: Option<Watch>,
    #[cfg(feature = "tokio")]
    async_watch: Option<::tokio::io::unix::AsyncFd<Watch>>,
}

/// What a sender did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ZeroCopyStats {
    /// Bytes handed to the kernel without a copy, what it copied later included.
    pub zero_copy_bytes: u64,
    /// Bytes that the kernel copied at the call.
    pub plain_bytes: u64,
    /// Calls that were sent plainly because the kernel had no room for another notification.
    pub no_room: u64,
}

impl<S: AsFd + Send + 'static> ZeroCopySender<S> {
    /// A sender for a connected TCP socket. (Any other stream socket is sent on plainly.)
    ///
    /// # Errors
    ///
    /// When the socket is not connected, or has a sender or had one (`AlreadyExists`): it would not
    /// know which numbers were given.
    pub fn new(socket: S) -> io::Result<Self> {
        Self::with_choice(socket, ZeroCopyChoice::default())
    }

    /// As [`new`](Self::new), with a choice of your own.
    ///
    /// # Errors
    ///
    /// As [`new`](Self::new).
    pub fn with_choice(socket: S, choice: ZeroCopyChoice) -> io::Result<Self> {
        let descriptor = socket.as_fd();
        let peer_is_local = is_local(descriptor)?;
        let answer = match enable(descriptor) {
            Ok(()) => ZeroCopyAnswer::None,
            Err(error) if error.kind() == ErrorKind::AlreadyExists => return Err(error),
            Err(_) => ZeroCopyAnswer::Unsupported,
        };
        Ok(Self {
            socket: Socket(Some(socket)),
            in_flight: InFlight::default(),
            choice,
            peer_is_local,
            answer,
            stats: ZeroCopyStats::default(),
            watch: None,
            #[cfg(feature = "tokio")]
            async_watch: None,
        })
    }

    /// The socket: to read from, or to shut down.
    #[must_use]
    pub fn socket(&self) -> &S {
        self.socket.get()
    }

    /// What the kernel has said so far.
    #[must_use]
    pub fn answer(&self) -> ZeroCopyAnswer {
        self.answer
    }

    /// What was sent so far.
    #[must_use]
    pub fn stats(&self) -> ZeroCopyStats {
        self.stats
    }

    /// Calls whose bytes the kernel may still read, as far as it was asked.
    #[must_use]
    pub fn in_flight(&self) -> usize {
        self.in_flight.len()
    }

    /// Sends all of `data` and takes off its front what was sent, also when it fails. Waits for room,
    /// as `write_all` does.
    ///
    /// The blocks of a sequence come back together, when the kernel is done with its last byte. Who wants
    /// some earlier sends shorter sequences.
    ///
    /// # Errors
    ///
    /// When the connection is over; `WouldBlock` when the socket does not wait, or as long as its limit
    /// for writing says.
    pub fn send(&mut self, data: &mut Sequence) -> io::Result<()> {
        while !data.is_empty() {
            self.send_some(data, true)?;
        }
        Ok(())
    }

    /// Sends, with one call and without waiting, as much of `data` as there is room for, takes it off
    /// the front, and says how many bytes it was.
    ///
    /// # Errors
    ///
    /// `WouldBlock` when there is no room, or what is wrong with the connection.
    pub fn try_send(&mut self, data: &mut Sequence) -> io::Result<usize> {
        self.send_some(data, false)
    }

    /// Waits until the kernel is done with all that was sent, or so long. Says whether it is.
    ///
    /// That is when the peer has acknowledged all of it, or the connection is over.
    ///
    /// # Errors
    ///
    /// When the system cannot watch or read the socket's error queue.
    pub fn settle(&mut self, most: Option<Duration>) -> io::Result<bool> {
        let end = most.and_then(|most| Instant::now().checked_add(most));
        loop {
            self.drain()?;
            if self.in_flight.is_empty() {
                return Ok(true);
            }
            let watch = match &mut self.watch {
                Some(watch) => watch,
                none => none.insert(Watch::new(self.socket.as_fd())?),
            };
            let left = end.map(|end| end.saturating_duration_since(Instant::now()));
            if !watch.wait(left)? {
                return Ok(false);
            }
        }
    }

    fn send_some(&mut self, data: &mut Sequence, wait: bool) -> io::Result<usize> {
        if data.is_empty() {
            return Ok(0);
        }
        self.drain()?;
        let (len, pieces) = first_pieces(data.as_ref());
        let way = self.choice.way(len, pieces, self.peer_is_local, self.answer);
        // So few bytes lie in the handle, which moves.
        let sent = match way {
            SendWay::ZeroCopy if data.len() > Slice::INLINE => self.send_held(data, len, wait)?,
            _ => self.send_plainly(data, len, wait)?,
        };
        data.advance(sent);
        Ok(sent)
    }

    fn send_plainly(&mut self, data: &Sequence, len: usize, wait: bool) -> io::Result<usize> {
        let sent = call(self.socket.as_fd(), data.as_ref().slice(..len), false, wait)?;
        self.stats.plain_bytes += sent as u64;
        Ok(sent)
    }

    /// Sends the first `len` bytes without a copy, or plainly if that cannot be now.
    fn send_held(&mut self, data: &Sequence, len: usize, wait: bool) -> io::Result<usize> {
        // A clone shares the list with what `data` goes on to be, so that nobody changes that, and the
        // short pieces in it stay where they are.
        let held = data.clone();
        let bytes = held.as_ref().slice(..len);
        let result = call(self.socket.as_fd(), bytes, true, wait);
        if let Ok(sent) = result {
            self.in_flight.hold(held);
            self.stats.zero_copy_bytes += sent as u64;
            return Ok(sent);
        }
        match result.as_ref().err().and_then(Errno::from_io_error) {
            Some(Errno::NOBUFS) => self.stats.no_room += 1,
            Some(Errno::OPNOTSUPP) => self.answer = ZeroCopyAnswer::Unsupported,
            _ => return result,
        }
        self.send_plainly(data, len, wait)
    }

    /// Takes what is there off the error queue, and lets go of what the kernel is done with.
    fn drain(&mut self) -> io::Result<()> {
        let Self { socket, in_flight, answer, .. } = self;
        drain(socket.as_fd(), in_flight, |copied| {
            if copied {
                *answer = ZeroCopyAnswer::Copied;
            } else if *answer == ZeroCopyAnswer::None {
                *answer = ZeroCopyAnswer::Sent;
            }
        })
    }
}

impl<S: AsFd + Send + 'static> Drop for ZeroCopySender<S> {
    fn drop(&mut self) {
        if let Some(socket) = self.socket.0.take().filter(|_| !self.in_flight.is_empty()) {
            keeper::keep(Box::new(socket), mem::take(&mut self.in_flight));
        }
    }
}

impl<S: AsFd + Send + 'static> fmt::Debug for ZeroCopySender<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ZeroCopySender")
            .field("socket", &self.socket.as_fd())
            .field("in_flight", &self.in_flight.len())
            .field("choice", &self.choice)
            .field("peer_is_local", &self.peer_is_local)
            .field("answer", &self.answer)
            .field("stats", &self.stats)
            .finish_non_exhaustive()
    }
}

/// A socket that the destructor can take out.
struct Socket<S>(Option<S>);

impl<S> Socket<S> {
    fn get(&self) -> &S {
        let Some(socket) = &self.0 else { unreachable!("only the destructor takes it") };
        socket
    }
}

impl<S: AsFd> AsFd for Socket<S> {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.get().as_fd()
    }
}

/// The bytes that one call can send, and how many pieces they are.
fn first_pieces(data: SequenceRef<'_>) -> (usize, usize) {
    let pieces = data.segments().take(sys::PIECES);
    pieces.fold((0, 0), |(len, pieces), piece| (len + piece.len(), pieces + 1))
}

/// One call for bytes that are not none, repeated when it is interrupted.
fn call(
    socket: BorrowedFd<'_>,
    bytes: SequenceRef<'_>,
    zero_copy: bool,
    wait: bool,
) -> io::Result<usize> {
    loop {
        match sys::send(socket, bytes, zero_copy, wait) {
            Ok(0) => return Err(ErrorKind::WriteZero.into()),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            result => return result,
        }
    }
}

/// Takes all notifications off the queue, tells of each whether bytes were copied, and lets go of what
/// they name.
fn drain(
    socket: BorrowedFd<'_>,
    in_flight: &mut InFlight,
    mut tell: impl FnMut(bool),
) -> io::Result<()> {
    in_flight.release();
    while !in_flight.is_empty()
        && let Some(said) = sys::next_notification(socket)?
    {
        tell(said.copied);
        in_flight.complete(said);
    }
    Ok(())
}

/// Asks for `SO_ZEROCOPY`, which nobody has before.
fn enable(socket: BorrowedFd<'_>) -> io::Result<()> {
    if sys::is_enabled(socket)? {
        let why = "the socket has SO_ZEROCOPY set: it has a zero-copy sender, or had one";
        return Err(io::Error::new(ErrorKind::AlreadyExists, why));
    }
    sys::enable(socket)
}

/// Whether what is sent goes to this machine itself: over loopback, or to an address of its own.
pub(crate) fn is_local(socket: BorrowedFd<'_>) -> io::Result<bool> {
    let Some(peer) = getpeername(socket)? else { return Ok(true) };
    let (peer, own) = (SocketAddr::try_from(peer), SocketAddr::try_from(getsockname(socket)?));
    let (Ok(peer), Ok(own)) = (peer, own) else { return Ok(true) };
    let peer: IpAddr = peer.ip().to_canonical();
    Ok(peer.is_loopback() || peer == own.ip().to_canonical())
}

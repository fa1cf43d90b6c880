//! [`Watched`]: a socket that says when its peer is gone, or sends what is no message, before timely panics
//! about it.

use std::{
    io::{self, Read, Write},
    net::{Shutdown, TcpStream},
    ops::Range,
    panic,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    time::Instant,
};
use timely::communication::allocator::zero_copy::stream::Stream;

/// In front of each of timely's messages: channel, source, first target, last target and one, length,
/// number; each of eight bytes. One of zeros alone is the last.
const HEAD: usize = 48;
/// The longest message. A lie takes no memory before that much has come.
const LONGEST: u64 = 1 << 40;
/// What is missing of a message is filled up to this length.
const FILLED: u64 = 64 << 20;

/// What became of the peers, and of this process.
#[derive(Debug, Default)]
pub(super) struct Losses {
    state: Mutex<Known>,
    over: Condvar,
}

#[derive(Debug, Default)]
struct Known {
    sockets: Vec<TcpStream>,
    /// A peer that is gone, and how it was found.
    lost: Option<(usize, String)>,
    /// A peer that has said its last, and when.
    ended: Option<(usize, Instant)>,
    /// This process has failed itself: nobody is lost any more.
    broken: bool,
    /// No worker is left.
    over: bool,
}

impl Losses {
    fn state(&self) -> MutexGuard<'_, Known> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn lost(&self) -> Option<(usize, String)> {
        self.state().lost.clone()
    }

    pub(super) fn ended(&self) -> Option<(usize, Instant)> {
        self.state().ended
    }

    /// Lets peers know at once that this process has failed.
    pub(super) fn break_off(&self) {
        let mut state = self.state();
        state.broken = true;
        for socket in state.sockets.drain(..) {
            // What else could be wrong with it does not matter any more.
            let _ = socket.shutdown(Shutdown::Both);
        }
    }

    /// Lets threads end that wait since they lost their peers: nobody hears them any more.
    pub(super) fn over(&self) {
        self.state().over = true;
        self.over.notify_all();
    }

    /// Says that a peer is lost, and waits until no worker hears what comes then.
    fn lose(&self, peer: usize, why: String) {
        let mut state = self.state();
        if !state.broken {
            state.lost.get_or_insert((peer, why));
        }
        while !state.over {
            state = self.over.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

/// How far a stream of messages is.
#[derive(Clone, Debug)]
struct Frames {
    head: [u8; HEAD],
    /// Bytes of a head that are here.
    filled: usize,
    /// Bytes of a message that are still to come.
    left: u64,
    ended: bool,
    /// Workers at both ends.
    theirs: Range<u64>,
    own: Range<u64>,
}

impl Frames {
    /// Goes over bytes that have come, and says whether messages can be like that.
    fn go(&mut self, mut bytes: &[u8]) -> Result<(), &'static str> {
        while !bytes.is_empty() {
            if self.ended {
                return Err("there is more behind its end");
            }
            let most = if self.left > 0 { self.left } else { (HEAD - self.filled) as u64 };
            let (some, rest) =
                bytes.split_at(usize::try_from(most).unwrap_or(usize::MAX).min(bytes.len()));
            bytes = rest;
            if self.left > 0 {
                self.left -= some.len() as u64;
                continue;
            }
            self.head[self.filled..].iter_mut().zip(some).for_each(|(to, byte)| *to = *byte);
            self.filled += some.len();
            if self.filled == HEAD {
                self.filled = 0;
                self.checked()?;
            }
        }
        Ok(())
    }

    fn checked(&mut self) -> Result<(), &'static str> {
        let word = |at: usize| {
            self.head[8 * at..8 * at + 8].iter().fold(0, |n, byte| n << 8 | u64::from(*byte))
        };
        let [source, first, behind, length] = [1, 2, 3, 4].map(word);
        (self.left, self.ended) = (length, length == 0);
        match length {
            0 if self.head == [0; HEAD] => Ok(()),
            0 => Err("a message without a length"),
            _ if length > LONGEST => Err("a message of more than a tebibyte"),
            _ if !self.theirs.contains(&source) => {
                Err("a message of a worker that it does not have")
            }
            _ if first >= behind || first < self.own.start || behind > self.own.end => {
                Err("a message to workers that are not here")
            }
            _ => Ok(()),
        }
    }

    /// Zeros that bring a stream that was cut off to its end, some at a time; 0 at the end.
    fn fill(&mut self, buffer: &mut [u8]) -> usize {
        if self.ended {
            return 0;
        }
        if self.left > FILLED {
            // Ends this thread without a word: all is said.
            panic::resume_unwind(Box::new("cut off in a long message"));
        }
        let most = if self.left > 0 { self.left } else { (HEAD - self.filled) as u64 };
        let most = usize::try_from(most).unwrap_or(usize::MAX).min(buffer.len());
        buffer[..most].fill(0);
        // A head that was cut off may be any: nobody is left to whom it matters.
        let _ = self.go(&buffer[..most]);
        most
    }
}

/// A socket to a peer. Once the peer is lost, or this process has failed, it waits until no worker is left,
/// and then lets timely's threads come to their end in order.
#[derive(Debug)]
pub(super) struct Watched {
    socket: TcpStream,
    peer: usize,
    losses: Arc<Losses>,
    frames: Frames,
    cut: bool,
}

impl Watched {
    /// A socket between one of the processes and this one, of so many workers each.
    pub(super) fn new(
        socket: TcpStream,
        [peer, own]: [usize; 2],
        workers: usize,
        losses: &Arc<Losses>,
    ) -> io::Result<Self> {
        losses.state().sockets.push(socket.try_clone()?);
        let range = |process: usize| (process * workers) as u64..((process + 1) * workers) as u64;
        let (head, theirs, own) = ([0; HEAD], range(peer), range(own));
        let frames = Frames { head, filled: 0, left: 0, ended: false, theirs, own };
        Ok(Self { socket, peer, losses: losses.clone(), frames, cut: false })
    }

    fn lose(&mut self, why: String) {
        self.losses.lose(self.peer, why);
        self.cut = true;
    }
}

impl Read for Watched {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.cut {
            return Ok(self.frames.fill(buffer));
        }
        let before = self.frames.clone();
        let why = match self.socket.read(buffer) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => return self.read(buffer),
            Err(error) => format!("it is gone: {error}"),
            Ok(0) if self.frames.ended => return Ok(0),
            Ok(0) => "it is gone".to_owned(),
            Ok(read) => match self.frames.go(&buffer[..read]) {
                Ok(()) => {
                    if self.frames.ended {
                        self.losses.state().ended.get_or_insert((self.peer, Instant::now()));
                    }
                    return Ok(read);
                }
                Err(why) => format!("what it sends is damaged: {why}"),
            },
        };
        self.frames = before;
        self.lose(why);
        self.read(buffer)
    }
}

impl Write for Watched {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.cut {
            return Ok(bytes.len());
        }
        match self.socket.write(bytes) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => self.write(bytes),
            Err(error) => {
                self.lose(format!("it is gone: {error}"));
                Ok(bytes.len())
            }
            written => written,
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Stream for Watched {
    fn try_clone(&self) -> io::Result<Self> {
        let (socket, losses) = (self.socket.try_clone()?, self.losses.clone());
        Ok(Self { socket, peer: self.peer, losses, frames: self.frames.clone(), cut: self.cut })
    }

    fn set_nonblocking(&self, yes: bool) -> io::Result<()> {
        self.socket.set_nonblocking(yes)
    }

    fn shutdown(&self, how: Shutdown) -> io::Result<()> {
        // A peer that has read the end may be gone before.
        match self.socket.shutdown(how) {
            Err(error) if !self.cut && error.kind() != io::ErrorKind::NotConnected => Err(error),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
#[allow(clippy::disallowed_methods, reason = "tests make what they compare")]
mod tests {
    use super::*;

    fn frames() -> Frames {
        Frames { head: [0; HEAD], filled: 0, left: 0, ended: false, theirs: 0..2, own: 2..4 }
    }

    #[test]
    fn t19_messages_cut_at_every_byte_are_known_and_filled_up() {
        let head = |length: u64| [7, 1, 2, 4, length, 9].map(u64::to_be_bytes).concat();
        let whole = [head(5), vec![1; 5], head(300), vec![2; 300], vec![0; HEAD]].concat();
        for cut in 0..=whole.len() {
            let (mut at_once, mut by_byte) = (frames(), frames());
            assert_eq!(at_once.go(&whole[..cut]), Ok(()));
            assert!(whole[..cut].chunks(1).all(|byte| by_byte.go(byte).is_ok()));
            assert_eq!(at_once.ended, cut == whole.len());
            let same = |frames: &Frames| (frames.filled, frames.left, frames.ended);
            assert_eq!(same(&at_once), same(&by_byte));
            let mut filled = 0;
            loop {
                match at_once.fill(&mut [1; 20]) {
                    0 => break,
                    more => filled += more,
                }
            }
            assert!(at_once.ended && filled < 1000, "{cut}: {filled}");
        }
        assert!(frames().go(&[whole, vec![0]].concat()).is_err());
    }
}

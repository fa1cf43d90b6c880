//! [`Watched`]: a socket that says when its peer is gone, before timely panics about it.

use std::{
    io::{self, Read, Write},
    net::{Shutdown, TcpStream},
    sync::{Arc, Mutex, PoisonError},
    thread,
};
use timely::communication::allocator::zero_copy::stream::Stream;

/// A message of timely's without a body, which is the last of a stream: this many zeros.
const LAST: usize = 48;

/// Which peer is gone, and how it was found.
#[derive(Debug, Default)]
pub(super) struct Losses {
    lost: Mutex<Option<(usize, String)>>,
    /// A peer that has ended, in order as it seems.
    ended: Mutex<Option<usize>>,
    /// This process has failed itself: others must not take what follows for an orderly end.
    broken: std::sync::atomic::AtomicBool,
}

impl Losses {
    pub(super) fn lost(&self) -> Option<(usize, String)> {
        self.lost.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn ended(&self) -> Option<usize> {
        *self.ended.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn break_off(&self) {
        self.broken.store(true, std::sync::atomic::Ordering::SeqCst);
    }

    fn broken(&self) -> bool {
        self.broken.load(std::sync::atomic::Ordering::SeqCst)
    }
}

/// A socket to a peer. Once the peer is lost, or this process has failed, it does nothing any more: its
/// thread sleeps until the process ends, which is what a failed run leads to.
#[derive(Debug)]
pub(super) struct Watched {
    socket: TcpStream,
    peer: usize,
    losses: Arc<Losses>,
    /// Zeros that the last bytes were.
    zeros: usize,
}

impl Watched {
    pub(super) fn new(socket: TcpStream, peer: usize, losses: Arc<Losses>) -> Self {
        Self { socket, peer, losses, zeros: 0 }
    }

    fn lose(&self, why: &str) -> ! {
        let mut lost = self.losses.lost.lock().unwrap_or_else(PoisonError::into_inner);
        lost.get_or_insert((self.peer, why.to_owned()));
        drop(lost);
        self.stay()
    }

    fn stay(&self) -> ! {
        // What else could be wrong with it does not matter any more.
        let _ = self.socket.shutdown(Shutdown::Both);
        loop {
            thread::park();
        }
    }
}

impl Read for Watched {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = match self.socket.read(buffer) {
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => return self.read(buffer),
            Err(_) if self.losses.broken() => self.stay(),
            Err(error) => self.lose(&format!("it is gone: {error}")),
        };
        if read == 0 {
            if self.losses.broken() {
                self.stay();
            }
            if self.zeros < LAST {
                self.lose("it is gone");
            }
            let mut ended = self.losses.ended.lock().unwrap_or_else(PoisonError::into_inner);
            *ended = Some(self.peer);
            return Ok(0);
        }
        let zeros = buffer[..read].iter().rev().take_while(|byte| **byte == 0).count();
        self.zeros = if zeros == read { self.zeros + read } else { zeros };
        Ok(read)
    }
}

impl Write for Watched {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.losses.broken() {
            self.stay();
        }
        match self.socket.write(bytes) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => self.write(bytes),
            Err(error) => self.lose(&format!("it is gone: {error}")),
            written => written,
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Stream for Watched {
    fn try_clone(&self) -> io::Result<Self> {
        Ok(Self::new(self.socket.try_clone()?, self.peer, self.losses.clone()))
    }

    fn set_nonblocking(&self, yes: bool) -> io::Result<()> {
        self.socket.set_nonblocking(yes)
    }

    fn shutdown(&self, how: Shutdown) -> io::Result<()> {
        // A peer that has read the end may be gone before.
        match self.socket.shutdown(how) {
            Err(error) if error.kind() != io::ErrorKind::NotConnected => Err(error),
            _ => Ok(()),
        }
    }
}

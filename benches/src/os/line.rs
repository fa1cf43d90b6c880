//! A TCP connection over loopback, with both its ends on the calling thread.
//!
//! A message is sent, and then taken. With a thread at each end the figures would be of something else: how
//! long a processor sleeps when it has nothing to do, how many messages there are when the other one wakes,
//! and how fast a window grows, which differ fourfold from one connection to the next.

use std::io::{self, ErrorKind, Read};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::Arc;
use std::time::Instant;

use rustix::net::sockopt::{
    set_socket_recv_buffer_size, set_socket_send_buffer_size, socket_send_buffer_size,
};

use super::{Spent, since};
use crate::clock::{reading_cost, thread_cpu};

/// What either end's socket is to hold. They would grow by themselves, each at its own pace.
const BUFFER: usize = 4 << 20;

/// What the receiver reads into.
const ROOM: usize = 256 << 10;

/// Both ends.
pub(super) struct Line {
    pub(super) socket: Arc<TcpStream>,
    end: TcpStream,
    room: Vec<u8>,
    /// What a look at the clock costs.
    look: u64,
}

impl Line {
    /// A connection that holds a message of so many bytes.
    pub(super) fn new(len: usize) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let socket = TcpStream::connect(listener.local_addr()?)?;
        let (end, _) = listener.accept()?;
        socket.set_nodelay(true)?;
        set_socket_send_buffer_size(&socket, BUFFER)?;
        set_socket_recv_buffer_size(&end, BUFFER)?;
        // Half of it is for the books.
        if socket_send_buffer_size(&socket)? / 2 < len {
            let why = format!("a socket here does not hold {len} bytes (net.core.wmem_max)");
            return Err(io::Error::new(ErrorKind::Unsupported, why));
        }
        Ok(Self { socket: Arc::new(socket), end, room: vec![0; ROOM], look: reading_cost() })
    }

    /// Has `send` send so many messages of so many bytes each, and takes one after the other.
    pub(super) fn sample(
        &mut self,
        count: u64,
        len: usize,
        mut send: impl FnMut(&Arc<TcpStream>) -> io::Result<()>,
    ) -> io::Result<Spent> {
        let (begun, mut spent) = (Instant::now(), Spent::default());
        for _ in 0..count {
            let before = thread_cpu();
            send(&self.socket)?;
            let sent = thread_cpu();
            self.take(len)?;
            spent.cpu += (sent - before).saturating_sub(self.look);
            spent.receiver += (thread_cpu() - sent).saturating_sub(self.look);
        }
        Ok(Spent { wall: since(begun), ..spent })
    }

    fn take(&mut self, mut len: usize) -> io::Result<()> {
        while len > 0 {
            let room = len.min(self.room.len());
            match self.end.read(&mut self.room[..room])? {
                0 => return Err(ErrorKind::UnexpectedEof.into()),
                count => len -= count,
            }
        }
        Ok(())
    }
}

//! A load for a proxy: connections on each of which a message goes through it to the other end, and the
//! next one as soon as that has arrived whole.
//!
//! Both ends are on the calling thread, with one epoll. What arrives is counted and dropped within the
//! kernel (`MSG_TRUNC`), so that the load copies once for each byte where the proxy's kernel copies twice:
//! it is not what is measured. Its first messages are read and compared. Nothing is allocated once it is
//! connected.

use std::fmt;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use rustix::buffer::spare_capacity;
use rustix::event::{Timespec, epoll};
use rustix::io::retry_on_intr;
use rustix::net::{RecvFlags, recv, sockopt::set_socket_send_buffer_size};

use crate::clock::thread_cpu;

/// How long a message may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// Where the connections of a load end, before there are any.
#[derive(Debug)]
pub struct Ends(TcpListener);

impl Ends {
    /// On some port of this machine.
    ///
    /// # Errors
    ///
    /// When there is no port.
    pub fn listen() -> io::Result<Self> {
        TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).map(Self)
    }

    /// The target of a proxy.
    ///
    /// # Errors
    ///
    /// The system's.
    pub fn address(&self) -> io::Result<SocketAddr> {
        self.0.local_addr()
    }
}

/// Connections through one proxy, which stay open between runs.
pub struct Load {
    epoll: OwnedFd,
    events: Vec<epoll::Event>,
    pairs: Vec<Pair>,
    message: Vec<u8>,
    /// Room that is named to the kernel, and not written.
    room: Vec<u8>,
    /// CPU time of this thread that went into sending, and into receiving, in nanoseconds; counted where
    /// it was set to zero first.
    pub spent: Option<[u64; 2]>,
}

struct Pair {
    client: TcpStream,
    end: TcpStream,
    sent: Instant,
    have: usize,
}

impl fmt::Debug for Load {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Load").field("connections", &self.pairs.len()).finish_non_exhaustive()
    }
}

impl Load {
    /// Opens so many connections through the proxy, for messages of so many bytes, and compares one on
    /// each.
    ///
    /// # Errors
    ///
    /// The system's; `InvalidData` where what arrives is not what was sent.
    pub fn connect(
        proxy: SocketAddr,
        ends: &Ends,
        connections: usize,
        bytes: usize,
    ) -> io::Result<Self> {
        let epoll = epoll::create(epoll::CreateFlags::CLOEXEC)?;
        let message: Vec<u8> = (b' '..=b'~').cycle().take(bytes).collect();
        let mut pairs = Vec::with_capacity(connections);
        for number in 0..connections {
            let mut pair = Pair::connect(proxy, ends)?;
            pair.compare(&message)?;
            let data = epoll::EventData::new_u64(number as u64);
            epoll::add(&epoll, &pair.end, data, epoll::EventFlags::IN)?;
            pairs.push(pair);
        }
        let (events, room) = (Vec::with_capacity(connections), vec![0; bytes]);
        Ok(Self { epoll, events, pairs, message, room, spent: None })
    }

    /// Sends so many messages and waits until all have arrived; how long each took, in nanoseconds, goes
    /// into `latencies`.
    ///
    /// # Errors
    ///
    /// The system's; `TimedOut` where nothing arrives for ten seconds. No further run makes sense then.
    pub fn run(&mut self, messages: u64, latencies: &mut Histogram<u64>) -> io::Result<()> {
        let (mut unsent, mut missing) = (messages, messages);
        for number in 0..self.pairs.len() {
            if unsent > 0 {
                self.send(number)?;
                unsent -= 1;
            }
        }
        while missing > 0 {
            self.events.clear();
            let patience = Timespec::try_from(PATIENCE).map_err(io::Error::other)?;
            let events = &mut self.events;
            if retry_on_intr(|| {
                epoll::wait(&self.epoll, spare_capacity(&mut *events), Some(&patience))
            })? == 0
            {
                return Err(io::Error::new(ErrorKind::TimedOut, "a message did not arrive"));
            }
            for event in 0..self.events.len() {
                let number = usize::try_from(self.events[event].data.u64());
                let number = number.map_err(io::Error::other)?;
                if self.receive(number)? {
                    let taken = self.pairs[number].sent.elapsed().as_nanos();
                    latencies.saturating_record(u64::try_from(taken).unwrap_or(u64::MAX));
                    missing -= 1;
                    if unsent > 0 {
                        self.send(number)?;
                        unsent -= 1;
                    }
                }
            }
        }
        Ok(())
    }

    fn send(&mut self, number: usize) -> io::Result<()> {
        let pair = &mut self.pairs[number];
        (pair.sent, pair.have) = (Instant::now(), 0);
        let (client, message) = (&mut pair.client, &self.message);
        counted(&mut self.spent, 0, || client.write_all(message))
    }

    /// Drops what is there, and says whether that was the rest of the message.
    fn receive(&mut self, number: usize) -> io::Result<bool> {
        let pair = &mut self.pairs[number];
        let (end, room) = (&pair.end, &mut self.room[pair.have..]);
        let receive = || retry_on_intr(|| recv(end, &mut *room, RecvFlags::TRUNC));
        let (_, count) = counted(&mut self.spent, 1, receive)?;
        if count == 0 {
            return Err(io::Error::new(ErrorKind::UnexpectedEof, "the proxy has closed"));
        }
        pair.have += count;
        Ok(pair.have == self.message.len())
    }
}

/// Does it, and adds what it takes to that side, where that is counted.
fn counted<T>(spent: &mut Option<[u64; 2]>, side: usize, what: impl FnOnce() -> T) -> T {
    let before = spent.map(|_| thread_cpu());
    let done = what();
    if let (Some(spent), Some(before)) = (spent, before) {
        spent[side] += thread_cpu() - before;
    }
    done
}

impl Pair {
    fn connect(proxy: SocketAddr, ends: &Ends) -> io::Result<Self> {
        let client = TcpStream::connect(proxy)?;
        let (end, _) = ends.0.accept()?;
        for socket in [&client, &end] {
            socket.set_nodelay(true)?;
            // They are used only when they are ready, so these are for a proxy that stops in the middle.
            socket.set_read_timeout(Some(PATIENCE))?;
            socket.set_write_timeout(Some(PATIENCE))?;
        }
        // A whole message is taken at once.
        set_socket_send_buffer_size(&client, 1 << 20)?;
        Ok(Self { client, end, sent: Instant::now(), have: 0 })
    }

    fn compare(&mut self, message: &[u8]) -> io::Result<()> {
        let mut got = vec![0; message.len()];
        self.client.write_all(message)?;
        self.end.read_exact(&mut got)?;
        if got == message {
            return Ok(());
        }
        Err(io::Error::new(ErrorKind::InvalidData, "what arrived is not what was sent"))
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;
    use crate::clock::latencies;

    /// A proxy that changes what it passes on, if so it is told.
    fn proxy(target: SocketAddr, key: u8) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        thread::spawn(move || {
            let (mut client, _) = listener.accept().expect("a client");
            let mut target = TcpStream::connect(target).expect("it listens");
            let mut some = [0; 1000];
            while let Ok(count @ 1..) = client.read(&mut some) {
                some[..count].iter_mut().for_each(|byte| *byte ^= key);
                target.write_all(&some[..count]).expect("it reads");
            }
        });
        address
    }

    #[test]
    fn all_messages_arrive() {
        let ends = Ends::listen().expect("a port");
        let proxy = proxy(ends.address().expect("an address"), 0);
        let mut load = Load::connect(proxy, &ends, 1, 10_000).expect("it passes them on");
        let mut latencies = latencies();
        load.run(20, &mut latencies).expect("it passes them on");
        assert_eq!((latencies.len(), load.spent), (20, None));
        load.spent = Some([0; 2]);
        load.run(20, &mut latencies).expect("it passes them on");
        assert!(load.spent.is_some_and(|spent| spent.iter().all(|spent| *spent > 0)));
    }

    #[test]
    fn a_proxy_that_changes_bytes_is_an_error() {
        let ends = Ends::listen().expect("a port");
        let proxy = proxy(ends.address().expect("an address"), 1);
        let refused = Load::connect(proxy, &ends, 1, 10_000).expect_err("other bytes");
        assert_eq!(refused.kind(), ErrorKind::InvalidData);
    }
}

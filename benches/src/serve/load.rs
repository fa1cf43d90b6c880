//! A load for a file server: clients that each get a file, and again as soon as they have it whole.
//!
//! All are on the calling thread, with one epoll. What comes is read, as a client does who wants it: where a
//! sender does not copy, the receiver's copy is the price. The first client's first file is
//! compared. Nothing is allocated once they are connected.
//!
//! Where there is another processor for the server, the thread looks again and again instead of sleeping.
//! Whoever sends over loopback wakes who sleeps, which took 25 us of the sender's time on a virtual machine,
//! three times what sending 64 KiB takes: the figures would be of how often that happens.

use std::fmt;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::fd::OwnedFd;
use std::thread::available_parallelism;
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use memchr::memmem;
use rustix::buffer::spare_capacity;
use rustix::event::{Timespec, epoll};
use rustix::io::retry_on_intr;

use super::NAME;
use crate::clock::thread_cpu;
use crate::folder::is_file;
use crate::ports::memory;

/// How long a client waits for something.
const PATIENCE: Duration = Duration::from_secs(10);

/// What is read into. A client's turn is over when it was filled once.
const ROOM: usize = 256 << 10;

/// Bytes between two looks at the process's memory.
const LOOK: usize = 16 << 20;

/// Clients of one server, which stay connected between runs.
pub struct Load {
    epoll: OwnedFd,
    events: Vec<epoll::Event>,
    clients: Vec<Client>,
    room: Vec<u8>,
    /// Bytes of the file.
    len: usize,
    /// Bytes since the last look.
    unseen: usize,
    spins: bool,
    /// CPU time that went into reading, in nanoseconds; counted where it was set to zero first.
    pub spent: Option<u64>,
    /// The most memory of its own that the process was seen to hold, in bytes, with no file's pages; looked
    /// at where it was set to something first.
    pub most: Option<u64>,
}

struct Client {
    stream: TcpStream,
    request: String,
    sent: Instant,
    /// Bytes of the file that are still to come; none while its head is.
    left: Option<usize>,
}

impl fmt::Debug for Load {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Load").field("clients", &self.clients.len()).finish_non_exhaustive()
    }
}

impl Load {
    /// Connects so many clients, and has each get a file of so many bytes, which the first one compares.
    ///
    /// # Errors
    ///
    /// The system's; `InvalidData` for anything but that file.
    pub fn connect(address: SocketAddr, clients: usize, len: usize) -> io::Result<Self> {
        let epoll = epoll::create(epoll::CreateFlags::CLOEXEC)?;
        let mut room = vec![0; ROOM];
        let mut connected = Vec::with_capacity(clients);
        for number in 0..clients {
            let mut client = Client::connect(address)?;
            client.first(len, &mut room, |bytes, at| number > 0 || is_file(bytes, at))?;
            let data = epoll::EventData::new_u64(number as u64);
            epoll::add(&epoll, &client.stream, data, epoll::EventFlags::IN)?;
            connected.push(client);
        }
        Ok(Self {
            epoll,
            events: Vec::with_capacity(clients),
            clients: connected,
            room,
            len,
            unseen: 0,
            spins: available_parallelism().is_ok_and(|processors| processors.get() > 1),
            spent: None,
            most: None,
        })
    }

    /// Gets so many files; how long each took, in nanoseconds, goes into `latencies`.
    ///
    /// # Errors
    ///
    /// As [`connect`](Self::connect); `TimedOut` where nothing comes for ten seconds. No further run makes
    /// sense then.
    pub fn run(&mut self, files: u64, latencies: &mut Histogram<u64>) -> io::Result<()> {
        let (mut unasked, mut missing) = (files, files);
        for client in &mut self.clients {
            if unasked > 0 {
                client.ask()?;
                unasked -= 1;
            }
        }
        while missing > 0 {
            self.wait()?;
            for event in 0..self.events.len() {
                let number = usize::try_from(self.events[event].data.u64());
                let client = &mut self.clients[number.map_err(io::Error::other)?];
                let before = self.spent.map(|_| thread_cpu());
                let count = client.receive(self.len, &mut self.room)?;
                if let (Some(spent), Some(before)) = (&mut self.spent, before) {
                    *spent += thread_cpu() - before;
                }
                self.unseen += count;
                if client.left == Some(0) {
                    let taken = u64::try_from(client.sent.elapsed().as_nanos());
                    latencies.saturating_record(taken.unwrap_or(u64::MAX));
                    client.left = None;
                    missing -= 1;
                    if unasked > 0 {
                        client.ask()?;
                        unasked -= 1;
                    }
                }
            }
            self.look();
        }
        Ok(())
    }

    fn wait(&mut self) -> io::Result<()> {
        self.events.clear();
        let at_most = if self.spins { Duration::ZERO } else { PATIENCE };
        let timeout = Timespec::try_from(at_most).map_err(io::Error::other)?;
        let begun = Instant::now();
        loop {
            let (epoll, events) = (&self.epoll, &mut self.events);
            let wait = || epoll::wait(epoll, spare_capacity(&mut *events), Some(&timeout));
            if retry_on_intr(wait)? > 0 {
                return Ok(());
            }
            if begun.elapsed() >= PATIENCE {
                return Err(io::Error::new(ErrorKind::TimedOut, "a file did not arrive"));
            }
        }
    }

    fn look(&mut self) {
        if let Some(most) = &mut self.most
            && self.unseen >= LOOK
        {
            self.unseen = 0;
            *most = memory("RssAnon").max(*most);
        }
    }
}

impl Client {
    fn connect(address: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        let request = format!("GET /{NAME} HTTP/1.1\r\nHost: localhost\r\n\r\n");
        Ok(Self { stream, request, sent: Instant::now(), left: None })
    }

    fn ask(&mut self) -> io::Result<()> {
        self.sent = Instant::now();
        self.stream.write_all(self.request.as_bytes())
    }

    /// Reads what is there, once. How many bytes of the file that is: they are at the end of what was read.
    fn receive(&mut self, len: usize, room: &mut [u8]) -> io::Result<usize> {
        let read = self.stream.read(room)?;
        let head = if self.left.is_some() { 0 } else { head(&room[..read], len)? };
        let count = read - head;
        let left = self.left.unwrap_or(len).checked_sub(count);
        self.left = Some(left.ok_or_else(|| wrong("more bytes than the file has"))?);
        match read {
            0 => Err(wrong("an end before that of the file")),
            _ => Ok(count),
        }
    }

    /// Gets a file whose parts, with their offsets, are right.
    fn first(
        &mut self,
        len: usize,
        room: &mut [u8],
        is_right: impl Fn(&[u8], usize) -> bool,
    ) -> io::Result<()> {
        self.ask()?;
        let mut at = 0;
        while self.left != Some(0) {
            // The file's bytes are the last ones; a head is in front of the first.
            let begins = self.left.is_none();
            let count = self.receive(len, room)?;
            let start = if begins { head(room, len)? } else { 0 };
            if !is_right(&room[start..start + count], at) {
                return Err(wrong("another file"));
            }
            at += count;
        }
        self.left = None;
        Ok(())
    }
}

/// The length of an answer's head, which is there whole: it goes out before the file.
fn head(answer: &[u8], len: usize) -> io::Result<usize> {
    let end = memmem::find(answer, b"\r\n\r\n").ok_or_else(|| wrong("no head"))?;
    let head = &answer[..end + 2];
    let length = format!("\r\ncontent-length: {len}\r\n");
    if head.starts_with(b"HTTP/1.1 200") && memmem::find(head, length.as_bytes()).is_some() {
        return Ok(end + 4);
    }
    Err(wrong(&format!("not the file, but {}", String::from_utf8_lossy(head))))
}

fn wrong(what: &str) -> io::Error {
    io::Error::new(ErrorKind::InvalidData, format!("the server sent {what}"))
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;
    use std::thread;

    use super::*;

    /// What becomes of a client that is answered so, once.
    fn answered(answer: &'static str) -> io::Result<Load> {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        let server = thread::spawn(move || {
            let (mut stream, _) = listener.accept().expect("a client");
            let mut request = [0; 1000];
            let _ = stream.read(&mut request).expect("a request");
            stream.write_all(answer.as_bytes()).expect("it reads");
        });
        let load = Load::connect(address, 1, 5);
        server.join().expect("no panic");
        load
    }

    #[test]
    fn only_the_file_will_do() {
        answered("HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n !\"#$").expect("the file");
        for (answer, why) in [
            ("HTTP/1.1 404 Not Found\r\ncontent-length: 5\r\n\r\n !\"#$", "404"),
            ("HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\n !\"#", "content-length: 4"),
            ("HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n !\"##", "another file"),
            ("HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n !\"", "an end"),
            ("HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n !\"#$%", "more bytes"),
            ("", "no head"),
        ] {
            let error = answered(answer).expect_err(why);
            assert!(error.to_string().contains(why), "{error}");
        }
    }
}

//! A load: connections that each send their next request as soon as the last one is answered.
//!
//! It runs on the calling thread with one epoll, a read and a write for each request, and allocates
//! nothing once it is connected: what it shares a process or a machine with is hardly disturbed.

use std::fmt;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use memchr::memmem;
use rustix::buffer::spare_capacity;
use rustix::event::{Timespec, epoll};
use rustix::io::retry_on_intr;

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// The longest answer, head and body.
const LONGEST: usize = 4 << 10;

/// A request, and the one answer to it that is right.
#[derive(Clone, Copy, Debug)]
pub struct Exchange {
    /// The whole request.
    pub request: &'static str,
    /// What the answer begins with.
    pub status: &'static str,
    /// The whole body of the answer.
    pub body: &'static str,
}

/// Connections to one server, which stay open between runs.
pub struct Load {
    epoll: OwnedFd,
    events: Vec<epoll::Event>,
    clients: Vec<Client>,
    exchanges: Vec<Exchange>,
}

#[derive(Debug)]
struct Client {
    stream: TcpStream,
    /// Which of the exchanges is its turn.
    turn: usize,
    sent: Instant,
    answer: Box<[u8; LONGEST]>,
    have: usize,
}

impl fmt::Debug for Load {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Load").field("connections", &self.clients.len()).finish_non_exhaustive()
    }
}

impl Load {
    /// Opens so many connections, each of which goes through the exchanges in turn.
    ///
    /// # Errors
    ///
    /// The system's.
    pub fn connect(
        address: SocketAddr,
        connections: usize,
        exchanges: &[Exchange],
    ) -> io::Result<Self> {
        let epoll = epoll::create(epoll::CreateFlags::CLOEXEC)?;
        let mut clients = Vec::with_capacity(connections);
        for number in 0..connections {
            let client = Client::connect(address, number % exchanges.len())?;
            let data = epoll::EventData::new_u64(number as u64);
            epoll::add(&epoll, &client.stream, data, epoll::EventFlags::IN)?;
            clients.push(client);
        }
        let events = Vec::with_capacity(connections);
        Ok(Self { epoll, events, clients, exchanges: exchanges.to_vec() })
    }

    /// Sends so many requests and waits for all the answers; how long each took, in nanoseconds, goes
    /// into `latencies`.
    ///
    /// # Errors
    ///
    /// The system's; `InvalidData` for an answer that is not the right one, with its text; `TimedOut`
    /// where none comes for ten seconds. No further run makes sense after that.
    pub fn run(&mut self, requests: u64, latencies: &mut Histogram<u64>) -> io::Result<()> {
        let (mut unsent, mut unanswered) = (requests, requests);
        for client in &mut self.clients {
            if unsent > 0 {
                client.send(&self.exchanges, Instant::now())?;
                unsent -= 1;
            }
        }
        while unanswered > 0 {
            self.events.clear();
            wait(&self.epoll, &mut self.events)?;
            for event in &self.events {
                let number = usize::try_from(event.data.u64()).map_err(io::Error::other)?;
                let client = &mut self.clients[number];
                if !client.receive(&self.exchanges)? {
                    continue;
                }
                let now = Instant::now();
                let taken = u64::try_from((now - client.sent).as_nanos()).unwrap_or(u64::MAX);
                latencies.saturating_record(taken);
                unanswered -= 1;
                if unsent > 0 {
                    client.send(&self.exchanges, now)?;
                    unsent -= 1;
                }
            }
        }
        Ok(())
    }
}

fn wait(epoll: &OwnedFd, events: &mut Vec<epoll::Event>) -> io::Result<()> {
    let patience = Timespec::try_from(PATIENCE).map_err(io::Error::other)?;
    match retry_on_intr(|| epoll::wait(epoll, spare_capacity(events), Some(&patience)))? {
        0 => Err(io::Error::new(ErrorKind::TimedOut, "a request was not answered")),
        _ => Ok(()),
    }
}

impl Client {
    fn connect(address: SocketAddr, turn: usize) -> io::Result<Self> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        // It is read only when there is something, so these are for a server that stops in the middle.
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        Ok(Self { stream, turn, sent: Instant::now(), answer: Box::new([0; LONGEST]), have: 0 })
    }

    fn send(&mut self, exchanges: &[Exchange], now: Instant) -> io::Result<()> {
        self.sent = now;
        self.stream.write_all(exchanges[self.turn].request.as_bytes())
    }

    /// Reads what is there, and says whether that was the rest of the answer.
    fn receive(&mut self, exchanges: &[Exchange]) -> io::Result<bool> {
        let read = self.stream.read(&mut self.answer[self.have..])?;
        self.have += read;
        let answer = &self.answer[..self.have];
        let complete = complete(answer, &exchanges[self.turn])?;
        if read == 0 && !complete {
            return Err(wrong("the server has closed the connection after", answer));
        }
        if complete {
            self.have = 0;
            self.turn = (self.turn + 1) % exchanges.len();
        }
        Ok(complete)
    }
}

/// Whether all of the answer is there; an error as soon as it cannot become the right one.
fn complete(answer: &[u8], exchange: &Exchange) -> io::Result<bool> {
    let status = exchange.status.as_bytes();
    let seen = answer.len().min(status.len());
    if answer[..seen] != status[..seen] {
        return Err(wrong("not the status that was expected:", answer));
    }
    let Some(head) = memmem::find(answer, b"\r\n\r\n") else {
        return Ok(false);
    };
    let body = &answer[head + 4..];
    if !exchange.body.as_bytes().starts_with(body) {
        return Err(wrong("not the body that was expected:", answer));
    }
    Ok(body.len() == exchange.body.len())
}

fn wrong(what: &str, answer: &[u8]) -> io::Error {
    let text = format!("{what} {}", String::from_utf8_lossy(answer));
    io::Error::new(ErrorKind::InvalidData, text)
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;
    use std::thread;

    use super::*;
    use crate::clock::latencies;

    const PING: Exchange = Exchange {
        request: "GET /ping HTTP/1.1\r\nhost: x\r\n\r\n",
        status: "HTTP/1.1 200",
        body: "pong",
    };

    #[test]
    fn an_answer_is_complete_at_its_last_byte() {
        let whole = b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\npong";
        for end in 0..whole.len() {
            assert!(!complete(&whole[..end], &PING).expect("nothing is wrong yet"), "{end}");
        }
        assert!(complete(whole, &PING).expect("nothing is wrong"));
    }

    #[test]
    fn wrong_answers_are_errors_at_once() {
        for wrong in [
            "HTTP/1.1 4",
            "HTTP/1.0 200 OK\r\n\r\npong",
            "HTTP/1.1 200 OK\r\n\r\npi",
            "HTTP/1.1 200 OK\r\n\r\npong!",
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n4",
        ] {
            let error = complete(wrong.as_bytes(), &PING).expect_err(wrong);
            assert_eq!(error.kind(), ErrorKind::InvalidData);
            assert!(error.to_string().ends_with(wrong), "{error}");
        }
    }

    /// Answers each request of one connection, in two writes.
    fn serve(listener: &TcpListener, answers: usize) -> usize {
        let (mut stream, _) = listener.accept().expect("a client");
        let mut request = [0; PING.request.len()];
        for _ in 0..answers {
            stream.read_exact(&mut request).expect("a request");
            assert_eq!(request, PING.request.as_bytes());
            stream.write_all(b"HTTP/1.1 200 OK\r\n\r\npo").expect("a reader");
            thread::yield_now();
            stream.write_all(b"ng").expect("a reader");
        }
        // What more was asked for.
        stream.read(&mut request).unwrap_or(0)
    }

    #[test]
    fn sends_as_many_requests_as_it_is_told_to() {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        let server = thread::spawn(move || serve(&listener, 5));
        let mut load = Load::connect(address, 1, &[PING]).expect("it listens");
        let mut latencies = latencies();
        load.run(3, &mut latencies).expect("three answers");
        load.run(2, &mut latencies).expect("two more over the same connection");
        assert_eq!(latencies.len(), 5);
        drop(load);
        assert_eq!(server.join().expect("no panic"), 0);
    }

    #[test]
    fn a_server_that_goes_away_is_an_error() {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        let server = thread::spawn(move || drop(listener.accept()));
        let mut load = Load::connect(address, 1, &[PING]).expect("it listens");
        assert!(load.run(1, &mut latencies()).is_err());
        server.join().expect("no panic");
    }
}

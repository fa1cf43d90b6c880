//! Sockets to all other processes, within a deadline, to those only that run the same graph.

use super::Cluster;
use crate::{Error, executor::Control, item::bincode};
use bincode::Options;
use serde::{Deserialize, Serialize};
use std::{
    io::{self, Read, Write},
    net::{SocketAddr, TcpListener, TcpStream, ToSocketAddrs},
    thread,
    time::{Duration, Instant},
};

const MAGIC: [u8; 8] = *b"AQWEAVE1";
/// Bytes of a hello.
const HELLO: usize = 36;
/// Between two tries to reach a process that may only be starting.
const AGAIN: Duration = Duration::from_millis(20);
/// How long somebody who connected may take to say who it is, while others wait.
const STRANGER: Duration = Duration::from_millis(500);

/// What each side says first.
#[derive(Serialize, Deserialize)]
struct Hello {
    magic: [u8; 8],
    graph: u64,
    index: u64,
    processes: u64,
    workers: u32,
}

impl Hello {
    fn of(cluster: &Cluster, graph: u64) -> Self {
        let [index, processes] = [cluster.index, cluster.addresses.len()].map(|n| n as u64);
        let workers = u32::try_from(cluster.workers).unwrap_or(u32::MAX);
        Self { magic: MAGIC, graph, index, processes, workers }
    }

    /// What is wrong with that of a peer of this index.
    fn checked(&self, theirs: &Self, index: u64) -> Result<(), String> {
        if theirs.magic != MAGIC {
            return Err("it is no streamweave".to_owned());
        }
        if theirs.index != index {
            return Err(format!("it says that it is process {}", theirs.index));
        }
        let same = [
            (self.graph == theirs.graph, "it runs another graph, or another mode"),
            (self.processes == theirs.processes, "it counts another number of processes"),
            (self.workers == theirs.workers, "it has another number of workers"),
        ];
        same.iter().find(|(same, _)| !same).map_or(Ok(()), |(_, why)| Err((*why).to_owned()))
    }
}

/// When they must have found one another; at once, when the run is to end.
#[derive(Clone, Copy)]
struct Until<'a> {
    at: Instant,
    control: &'a Control,
}

impl Until<'_> {
    fn left(&self) -> Option<Duration> {
        let left = self.at.saturating_duration_since(Instant::now());
        Some(left).filter(|left| !left.is_zero() && !self.control.ending())
    }
}

/// A socket for each process but this one.
pub(super) fn connect(
    cluster: &Cluster,
    graph: u64,
    control: &Control,
) -> Result<Vec<Option<TcpStream>>, Error> {
    let until = Until { at: Instant::now() + cluster.deadline, control };
    let own = Hello::of(cluster, graph);
    let count = cluster.addresses.len();
    let mut sockets: Vec<Option<TcpStream>> = (0..count).map(|_| None).collect();
    let listener = if cluster.index + 1 < count {
        let address = &cluster.addresses[cluster.index];
        let bound = TcpListener::bind(address).and_then(|listener| {
            listener.set_nonblocking(true)?;
            Ok(listener)
        });
        Some(
            bound
                .map_err(|error| Error::Cluster(format!("cannot listen at {address}: {error}")))?,
        )
    } else {
        None
    };
    for (index, socket) in sockets.iter_mut().enumerate().take(cluster.index) {
        let reached = reach(&cluster.addresses[index], &own, index as u64, until);
        *socket = Some(reached.map_err(|why| cluster.peer(index, why))?);
    }
    if let Some(listener) = listener {
        await_others(&listener, cluster, &own, &mut sockets, until)?;
    }
    Ok(sockets)
}

/// Connects to a process of a smaller index, which may not listen yet.
fn reach(address: &str, own: &Hello, index: u64, until: Until<'_>) -> Result<TcpStream, String> {
    let addresses: Vec<SocketAddr> =
        address.to_socket_addrs().map_err(|error| error.to_string())?.collect();
    let mut why = "no such address".to_owned();
    while let Some(left) = until.left() {
        for address in &addresses {
            match TcpStream::connect_timeout(address, left) {
                Ok(mut socket) => {
                    let answer = talk(&mut socket, own, until);
                    let theirs = answer.map_err(|error| format!("it does not answer: {error}"))?;
                    return own.checked(&theirs, index).map(|()| socket);
                }
                Err(error) => why = error.to_string(),
            }
        }
        thread::sleep(AGAIN);
    }
    Err(format!("it cannot be reached: {why}"))
}

/// Waits for all processes of larger indices. Who does not speak as they do is not one of them.
fn await_others(
    listener: &TcpListener,
    cluster: &Cluster,
    own: &Hello,
    sockets: &mut [Option<TcpStream>],
    until: Until<'_>,
) -> Result<(), Error> {
    let missing = |sockets: &[Option<TcpStream>]| {
        (cluster.index + 1..sockets.len()).find(|&index| sockets[index].is_none())
    };
    while let Some(first) = missing(sockets) {
        let Some(left) = until.left() else {
            return Err(cluster.peer(first, "it has not connected in time".to_owned()));
        };
        let Ok((mut socket, _)) = listener.accept() else {
            thread::sleep(AGAIN.min(left));
            continue;
        };
        let soon = Until { at: Instant::now() + STRANGER.min(left), ..until };
        let heard = socket.set_nonblocking(false).and_then(|()| talk(&mut socket, own, soon));
        let Ok(theirs) = heard else { continue };
        if theirs.magic != MAGIC {
            continue;
        }
        let index = usize::try_from(theirs.index).unwrap_or(usize::MAX);
        if index <= cluster.index || sockets.get(index).is_none_or(Option::is_some) {
            let why = format!("somebody who connected says that it is process {index}");
            return Err(Error::Cluster(why));
        }
        own.checked(&theirs, index as u64).map_err(|why| cluster.peer(index, why))?;
        sockets[index] = Some(socket);
    }
    Ok(())
}

/// Both say hello, until then at most, however slowly the other one speaks.
fn talk(socket: &mut TcpStream, own: &Hello, until: Until<'_>) -> io::Result<Hello> {
    socket.set_nodelay(true)?;
    socket.write_all(&bincode().serialize(own).map_err(io::Error::other)?)?;
    let (mut theirs, mut filled) = ([0; HELLO], 0);
    while filled < HELLO {
        socket.set_read_timeout(Some(until.left().ok_or(io::ErrorKind::TimedOut)?))?;
        match socket.read(&mut theirs[filled..]) {
            Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(read) => filled += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            // What a read says that takes too long.
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                return Err(io::ErrorKind::TimedOut.into());
            }
            Err(error) => return Err(error),
        }
    }
    socket.set_read_timeout(None)?;
    bincode().deserialize(&theirs).map_err(io::Error::other)
}

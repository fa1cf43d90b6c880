//! Sockets to all other processes, within a deadline, to those only that run the same graph.

use super::Cluster;
use crate::Error;
use std::{
    io::{self, Read, Write},
    net::{SocketAddr, TcpListener, TcpStream, ToSocketAddrs},
    thread,
    time::{Duration, Instant},
};

/// What each side says first: this, then its graph's hash, its index, the number of processes, and the
/// workers of each.
const MAGIC: [u8; 8] = *b"AQWEAVE1";
const HELLO: usize = 36;
/// Between two tries to reach a process that may only be starting.
const AGAIN: Duration = Duration::from_millis(20);
/// How long somebody who connected may take to say who it is, while others wait.
const STRANGER: Duration = Duration::from_millis(500);

type Hello = [u8; HELLO];

fn hello(cluster: &Cluster, graph: u64) -> Hello {
    let numbers = [cluster.index, cluster.addresses.len(), cluster.workers];
    let mut hello = [0; HELLO];
    let words = [graph].into_iter().chain(numbers.map(|number| number as u64));
    let bytes = MAGIC.into_iter().chain(words.take(3).flat_map(u64::to_le_bytes));
    hello.iter_mut().zip(bytes).for_each(|(to, byte)| *to = byte);
    let workers = u32::try_from(cluster.workers).unwrap_or(u32::MAX).to_le_bytes();
    hello[32..].iter_mut().zip(workers).for_each(|(to, byte)| *to = byte);
    hello
}

/// What is wrong with a peer's hello, given one's own.
fn checked(own: &Hello, theirs: &Hello, index: u64) -> Result<(), String> {
    let same = |range: std::ops::Range<usize>| own[range.clone()] == theirs[range];
    if !same(0..8) {
        return Err("it is no streamweave".to_owned());
    }
    if theirs[16..24] != index.to_le_bytes() {
        return Err(format!("it says that it is process {}", number(theirs)));
    }
    match (same(8..16), same(24..32), same(32..36)) {
        (false, ..) => Err("it runs another graph, or another mode".to_owned()),
        (_, false, _) => Err("it counts another number of processes".to_owned()),
        (.., false) => Err("it has another number of workers".to_owned()),
        _ => Ok(()),
    }
}

fn number(hello: &Hello) -> u64 {
    hello[16..24].iter().rev().fold(0, |number, byte| number << 8 | u64::from(*byte))
}

/// A socket for each process but this one.
pub(super) fn connect(cluster: &Cluster, graph: u64) -> Result<Vec<Option<TcpStream>>, Error> {
    let until = Instant::now() + cluster.deadline;
    let own = hello(cluster, graph);
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

fn left(until: Instant) -> Option<Duration> {
    Some(until.saturating_duration_since(Instant::now())).filter(|left| !left.is_zero())
}

/// Connects to a process of a smaller index, which may not listen yet.
fn reach(address: &str, own: &Hello, index: u64, until: Instant) -> Result<TcpStream, String> {
    let addresses: Vec<SocketAddr> =
        address.to_socket_addrs().map_err(|error| error.to_string())?.collect();
    let mut why = "no such address".to_owned();
    while let Some(left) = left(until) {
        for address in &addresses {
            match TcpStream::connect_timeout(address, left) {
                Ok(mut socket) => {
                    let answer = talk(&mut socket, own, until);
                    let theirs = answer.map_err(|error| format!("it does not answer: {error}"))?;
                    return checked(own, &theirs, index).map(|()| socket);
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
    until: Instant,
) -> Result<(), Error> {
    let missing = |sockets: &[Option<TcpStream>]| {
        (cluster.index + 1..sockets.len()).find(|&index| sockets[index].is_none())
    };
    while let Some(first) = missing(sockets) {
        let Some(left) = left(until) else {
            return Err(cluster.peer(first, "it has not connected in time".to_owned()));
        };
        let Ok((mut socket, _)) = listener.accept() else {
            thread::sleep(AGAIN.min(left));
            continue;
        };
        let heard = socket
            .set_nonblocking(false)
            .and_then(|()| talk(&mut socket, own, Instant::now() + STRANGER.min(left)));
        let Ok(theirs) = heard else { continue };
        if theirs[..8] != MAGIC {
            continue;
        }
        let index = usize::try_from(number(&theirs)).unwrap_or(usize::MAX);
        if index <= cluster.index || sockets.get(index).is_none_or(Option::is_some) {
            let why = format!("somebody who connected says that it is process {index}");
            return Err(Error::Cluster(why));
        }
        checked(own, &theirs, index as u64).map_err(|why| cluster.peer(index, why))?;
        sockets[index] = Some(socket);
    }
    Ok(())
}

/// Both say hello, until then at most, however slowly the other one speaks.
fn talk(socket: &mut TcpStream, own: &Hello, until: Instant) -> io::Result<Hello> {
    socket.set_nodelay(true)?;
    socket.write_all(own)?;
    let (mut theirs, mut filled) = ([0; HELLO], 0);
    while filled < HELLO {
        socket.set_read_timeout(Some(left(until).ok_or(io::ErrorKind::TimedOut)?))?;
        match socket.read(&mut theirs[filled..])? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            read => filled += read,
        }
    }
    socket.set_read_timeout(None)?;
    Ok(theirs)
}

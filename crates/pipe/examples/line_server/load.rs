//! The load: clients that check every answer, one that never reads, and many that say nothing.

use crate::server::{LONGEST, Status};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use std::{
    io,
    net::SocketAddr,
    time::{Duration, Instant},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpSocket, TcpStream},
    task::JoinSet,
    time::{sleep, timeout},
};

/// Files that the test's own business needs beside its connections.
const SPARE: usize = 100;

/// As many connections of `wanted` as this process may have; one printed line if that is fewer.
pub fn affordable(wanted: usize) -> usize {
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    let raised = setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum }).is_ok();
    let limit = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
    let limit = usize::try_from(limit).unwrap_or(usize::MAX).saturating_sub(SPARE);
    if limit < wanted {
        println!("{limit} connections instead of {wanted}: the limit of files (raised: {raised})");
    }
    limit.min(wanted)
}

/// Where a server listens.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    pub address: SocketAddr,
    pub control: SocketAddr,
}

impl Target {
    pub async fn status(&self) -> io::Result<Status> {
        let (mut socket, mut line) = (TcpStream::connect(self.control).await?, String::new());
        socket.read_to_string(&mut line).await?;
        Status::parse(&line).ok_or_else(|| io::Error::other(format!("not a status: {line}")))
    }

    /// Asks until the status is as it should be, for at most five seconds.
    pub async fn settles(&self, is: impl Fn(&Status) -> bool) -> io::Result<Status> {
        let start = Instant::now();
        loop {
            let status = self.status().await?;
            if is(&status) || start.elapsed() > Duration::from_secs(5) {
                return Ok(status);
            }
            sleep(Duration::from_millis(20)).await;
        }
    }

    /// Connects so many clients, some at a time.
    pub async fn connect(&self, count: usize) -> io::Result<Vec<TcpStream>> {
        let (mut sockets, mut joining) = (Vec::with_capacity(count), JoinSet::new());
        let mut started = 0;
        while sockets.len() < count {
            while started < count && joining.len() < 100 {
                joining.spawn(TcpStream::connect(self.address));
                started += 1;
            }
            if let Some(joined) = joining.join_next().await {
                sockets.push(joined??);
            }
        }
        Ok(sockets)
    }

    /// Every one of these sockets sends so many lines at the same time as the others, in writes
    /// that care nothing for lines, and checks each answer. Gives how many bytes were sent.
    pub async fn ask(&self, sockets: Vec<TcpStream>, lines: usize) -> io::Result<Asked> {
        let (start, mut clients) = (Instant::now(), JoinSet::new());
        for (seed, socket) in sockets.into_iter().enumerate() {
            clients.spawn(client(socket, seed, lines));
        }
        let mut asked = Asked::default();
        while let Some(done) = clients.join_next().await {
            let (socket, bytes) = done??;
            asked.bytes += bytes;
            asked.sockets.push(socket);
        }
        asked.took = start.elapsed();
        Ok(asked)
    }

    /// Sends lines and never reads, until for a while nothing more is taken. Gives the socket and how
    /// many bytes it took.
    pub async fn stall(&self) -> io::Result<(TcpStream, usize)> {
        let socket = TcpSocket::new_v4()?;
        // Small buffers of the system: it is the server's that are to be seen.
        socket.set_send_buffer_size(64 << 10)?;
        socket.set_recv_buffer_size(64 << 10)?;
        let mut socket = socket.connect(self.address).await?;
        let (line, mut sent) = ([b'x'; 99].into_iter().chain([b'\n']).collect::<Vec<_>>(), 0);
        while let Ok(wrote) = timeout(Duration::from_millis(500), socket.write_all(&line)).await {
            wrote?;
            sent += line.len();
        }
        Ok((socket, sent))
    }
}

/// What [`Target::ask`] did.
#[derive(Debug, Default)]
pub struct Asked {
    pub sockets: Vec<TcpStream>,
    pub bytes: usize,
    pub took: Duration,
}

/// The lines that one client sends, and the answers that it wants.
fn script(seed: usize, lines: usize) -> (Vec<u8>, Vec<u8>) {
    let (mut sent, mut wanted) = (Vec::new(), Vec::new());
    for i in 0..lines {
        let random = (seed * 31 + i).wrapping_mul(2_654_435_761) >> 7;
        // Mostly short, now and then nearly as long as a line may be.
        let len = if random % 50 == 7 { random % (LONGEST - 1) } else { random % 120 };
        let mut line = aqueduct_testkit::pattern(len, i);
        line.iter_mut().filter(|byte| **byte == b'\n').for_each(|byte| *byte = b' ');
        line.push(b'\n');
        wanted.extend(format!("{len} ").bytes());
        wanted.extend(&line);
        sent.extend(line);
    }
    (sent, wanted)
}

async fn client(
    mut socket: TcpStream,
    seed: usize,
    lines: usize,
) -> io::Result<(TcpStream, usize)> {
    let (sent, wanted) = script(seed, lines);
    let (mut from, mut to) = socket.split();
    let send = async {
        for part in sent.chunks(1 + seed * 37 % 5000) {
            to.write_all(part).await?;
        }
        Ok(())
    };
    let check = async {
        let mut got = vec![0; wanted.len()];
        from.read_exact(&mut got).await?;
        if got == wanted { Ok(()) } else { Err(io::Error::other("a wrong answer")) }
    };
    tokio::try_join!(send, check)?;
    Ok((socket, sent.len()))
}

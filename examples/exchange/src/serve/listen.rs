//! The sockets: who is accepted, until when, and what comes and goes.

use super::Desk;
use aqueduct::{
    Options as PipeOptions, Reader, Slice,
    os::uring::{Provided, Receive, Ring},
    pipe,
};
use example_common::NO_MORE;
use rustix::net::sockopt::set_socket_send_buffer_size;
use std::{
    future::{Future, poll_fn},
    io,
    os::fd::{AsFd, BorrowedFd},
    pin::{Pin, pin},
    rc::Rc,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncWriteExt, ReadBuf},
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::watch,
    task::JoinSet,
    time::{sleep, timeout},
};

/// How long a client that is not listened to may go on sending, so that it reads why.
const LINGER: Duration = Duration::from_secs(1);
/// From the stop to the last answer.
const GRACE: Duration = Duration::from_secs(5);
/// Bytes of a block that is received into, and how few are not worth a read.
const BLOCK: usize = 64 << 10;
const LEAST: usize = 4 << 10;
/// Of those that the system fills by itself: half of them may wait for one connection.
const PROVIDED: (u16, usize) = (64, 16 << 10);
/// Operations that the system hears of at once.
const ENTRIES: u32 = 256;
/// Bytes of a connection's answers that the system holds, about.
const SENT: usize = 256 << 10;
/// Bytes of a connection's requests that wait at most, give or take a block. Where the system fills them, their
/// blocks are up to eight times as large, and four more.
const AHEAD: usize = 64 << 10;

/// Serves until `stop` is done, and then those who are connected to their last answer.
pub(super) async fn listen(
    listener: std::net::TcpListener,
    desk: Desk,
    stop: impl Future<Output = ()>,
) {
    let ended = run(listener, &desk, stop).await;
    let mut state = desk.state();
    state.ended = Some(ended);
    state.news.notify_one();
}

async fn run(
    listener: std::net::TcpListener,
    desk: &Desk,
    stop: impl Future<Output = ()>,
) -> io::Result<()> {
    listener.set_nonblocking(true)?;
    let listener = TcpListener::from_std(listener)?;
    let (is_wanted, pool) = {
        let state = desk.state();
        (state.options.uring, state.options.pool.clone())
    };
    let (count, len) = PROVIDED;
    let opened = is_wanted.then(|| {
        let ring = Ring::new(ENTRIES)?;
        let blocks = ring.provide(&pool, count, len)?;
        Ok::<_, io::Error>((ring, blocks))
    });
    match opened {
        Some(Ok((ring, blocks))) => {
            ring.run_until(accept(listener, desk, Some(blocks), stop)).await?
        }
        Some(Err(refused)) => {
            eprintln!("exchange: io_uring refused: {refused}; reading instead");
            accept(listener, desk, None, stop).await
        }
        None => accept(listener, desk, None, stop).await,
    }
}

async fn accept(
    listener: TcpListener,
    desk: &Desk,
    blocks: Option<Provided>,
    stop: impl Future<Output = ()>,
) -> io::Result<()> {
    let (most, pool) = {
        let state = desk.state();
        (state.options.connections, state.options.pool.clone())
    };
    let pipes = PipeOptions::builder().pool(&pool).pause(0).build().map_err(io::Error::other)?;
    let (tell, told) = watch::channel(false);
    let (mut stop, mut connections) = (pin!(stop), JoinSet::new());
    loop {
        tokio::select! {
            biased;
            () = &mut stop => break,
            Some(_) = connections.join_next() => {}
            accepted = listener.accept(), if connections.len() < most => match accepted {
                Ok((socket, _)) => {
                    let (writer, output) = pipe(pipes.clone());
                    let key = desk.state().join(writer);
                    let connection = Connection { desk: desk.clone(), key };
                    let (blocks, told) = (blocks.clone(), told.clone());
                    let task = connections.spawn_local(connection.serve(socket, blocks, output, told));
                    if let Some(client) = desk.state().client(key) {
                        client.task = Some(task);
                    }
                }
                Err(_) => sleep(NO_MORE).await,
            },
        }
    }
    drop(listener);
    let _ = tell.send(true);
    // Those that are left are dropped with their set.
    let _ = timeout(GRACE, async { while connections.join_next().await.is_some() {} }).await;
    Ok(())
}

/// A connection's task. However it ends, its client is gone then.
struct Connection {
    desk: Desk,
    key: u64,
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.desk.state().leave(self.key);
    }
}

impl Connection {
    async fn serve(
        self,
        socket: TcpStream,
        blocks: Option<Provided>,
        output: Reader,
        mut told: watch::Receiver<bool>,
    ) {
        // It is only slower without.
        let _ = (socket.set_nodelay(true), set_socket_send_buffer_size(&socket, SENT));
        let (read, write) = socket.into_split();
        let mut source = match blocks {
            Some(blocks) => Source::Provided(blocks.receive(&Arc::new(Half(read)))),
            None => Source::Socket(read),
        };
        let mut receiving = pin!(async {
            tokio::select! {
                biased;
                () = self.receive(&mut source) => {}
                _ = told.wait_for(|stop| *stop) => {}
            }
            self.desk.state().heard(self.key, Slice::new(), true);
        });
        let (mut sending, mut is_over) = (pin!(self.send(output, write)), false);
        loop {
            tokio::select! {
                () = &mut receiving, if !is_over => is_over = true,
                () = &mut sending => break,
            }
        }
        if !is_over {
            let _ = timeout(LINGER, receiving).await;
        }
    }

    /// Takes in what comes until the end, which a broken connection is, too, and one on which nothing is said.
    async fn receive(&self, source: &mut Source) {
        let idle = self.desk.state().options.idle;
        loop {
            self.room().await;
            let mut next = pin!(source.next(&self.desk));
            let received = loop {
                match timeout(idle, &mut next).await {
                    Ok(received) => break received,
                    Err(_) if self.desk.state().is_idle(self.key) => return,
                    // It waits for an answer.
                    Err(_) => {}
                }
            };
            match received {
                Ok(slice) if !slice.is_empty() => self.desk.state().heard(self.key, slice, false),
                _ => return,
            }
        }
    }

    /// Waits while too much of it waits.
    async fn room(&self) {
        loop {
            let room = match self.desk.state().client(self.key) {
                Some(client) if client.requests.len() >= AHEAD => Rc::clone(&client.room),
                _ => return,
            };
            room.notified().await;
        }
    }

    /// Sends what the client is told, until that is all, or it takes nothing of it.
    async fn send(&self, mut output: Reader, mut write: OwnedWriteHalf) {
        let patience = self.desk.state().options.write;
        loop {
            // Where there is nothing to send, nobody is waited for.
            drop(output.read().await);
            match timeout(patience, output.drain_to(&mut write)).await {
                Ok(Ok(1..)) => {}
                Ok(_) => break,
                Err(_) => {
                    self.desk.state().served.slow += 1;
                    break;
                }
            }
            if self.desk.state().sent(self.key) {
                output.release();
            }
        }
        let _ = write.shutdown().await;
    }
}

/// Where a connection's bytes come from.
enum Source {
    /// Blocks that the system filled.
    Provided(Receive),
    /// The rest of the block that all connections share.
    Socket(OwnedReadHalf),
}

impl Source {
    /// The next bytes, none at the end.
    async fn next(&mut self, desk: &Desk) -> io::Result<Slice> {
        match self {
            Self::Provided(receive) => receive.next().await.map(Option::unwrap_or_default),
            Self::Socket(read) => poll_fn(|context| poll_read(read, desk, context)).await,
        }
    }
}

fn poll_read(
    read: &mut OwnedReadHalf,
    desk: &Desk,
    context: &mut Context<'_>,
) -> Poll<io::Result<Slice>> {
    let mut state = desk.state();
    if state.block.spare_mut().len() < LEAST {
        state.block = state.options.pool.get(BLOCK);
    }
    let mut room = ReadBuf::new(state.block.spare_mut());
    ready!(Pin::new(read).poll_read(context, &mut room))?;
    let count = room.filled().len();
    state.block.commit(count);
    Poll::Ready(Ok(state.block.split_frozen(count)))
}

/// The half of a socket that is read, as a descriptor.
struct Half(OwnedReadHalf);

impl AsFd for Half {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_ref().as_fd()
    }
}

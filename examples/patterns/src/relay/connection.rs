//! A connection: both directions, its patience, and its end.

use std::{
    future::{Future, poll_fn},
    io,
    pin::pin,
    task::{Context, Poll},
    time::Duration,
};

use aqueduct::os::Fallback;
use tokio::{
    io::Interest,
    net::{TcpSocket, TcpStream},
    sync::watch,
    time::{Instant, sleep_until},
};

use super::{
    Mode, Options, Totals,
    chunks::Chunks,
    sockets::{Pair, reset},
    spliced::Spliced,
};

/// Everything that a connection needs beside its client: had before it is accepted, so that nobody is
/// accepted for whom there are no descriptors.
pub(super) struct Spare {
    socket: TcpSocket,
    ways: [Way; 2],
}

/// One direction, and whether its end was passed on.
struct Way {
    carrier: Carrier,
    is_over: bool,
}

enum Carrier {
    Chunks(Box<Chunks>),
    Spliced(Spliced),
}

impl Spare {
    pub(super) fn new(options: &Options) -> io::Result<Self> {
        let of = if options.target.is_ipv4() { TcpSocket::new_v4 } else { TcpSocket::new_v6 };
        Ok(Spare { socket: of()?, ways: [Way::new(options)?, Way::new(options)?] })
    }

    /// Connects a client to the target, and forwards between them until both have said all, one of them
    /// is broken, nothing came for too long, or `told` says so.
    pub(super) async fn relay(
        self,
        client: TcpStream,
        options: &Options,
        mut told: watch::Receiver<bool>,
    ) -> Totals {
        let Spare { socket, mut ways } = self;
        let mut stop = pin!(async move { told.wait_for(|stop| *stop).await.map(drop) });
        let connected = tokio::select! {
            connected = socket.connect(options.target) => connected,
            _ = &mut stop => Err(io::Error::other("stopped before there was one")),
        };
        let mut pair = match connected {
            Ok(target) => Pair { client, target, is_over: false },
            Err(error) => {
                eprintln!("relay: no connection to {}: {error}", options.target);
                reset(&client);
                return Totals { unreachable: 1, ..Totals::default() };
            }
        };
        // It only makes them slower if it cannot be had.
        let _ = (pair.client.set_nodelay(true), pair.target.set_nodelay(true));
        pair.is_over = forward(&pair, &mut ways, options.idle, stop).await;
        let [to_target, to_clients] = ways.each_ref().map(Way::forwarded);
        Totals {
            connections: 1,
            aborted: u64::from(!pair.is_over),
            to_target,
            to_clients,
            lines: ways.iter().map(Way::lines).sum(),
            fallback: ways.iter().find_map(Way::fallback),
            ..Totals::default()
        }
    }
}

/// Forwards in both directions, and says whether both came to their end: neither side was broken, said
/// nothing for too long, or was told to stop.
async fn forward(
    pair: &Pair,
    ways: &mut [Way; 2],
    idle: Option<Duration>,
    stop: impl Future,
) -> bool {
    let Pair { client, target, .. } = pair;
    // Who is not read from, because the other side is full, may be gone as well.
    let broken = async |socket: &TcpStream| drop(socket.ready(Interest::ERROR).await);
    let mut broken = [pin!(broken(client)), pin!(broken(target))];
    let mut stop = pin!(stop);
    let mut patience = idle.map(|idle| (idle, Box::pin(sleep_until(Instant::now() + idle))));
    poll_fn(|context| {
        let (before, [up, down]) = (moved(ways), &mut *ways);
        if up.poll(context, client, target).is_err() || down.poll(context, target, client).is_err()
        {
            return Poll::Ready(false);
        }
        if up.is_over && down.is_over {
            return Poll::Ready(true);
        }
        if broken.iter_mut().any(|broken| broken.as_mut().poll(context).is_ready())
            || stop.as_mut().poll(context).is_ready()
        {
            return Poll::Ready(false);
        }
        if let Some((idle, timer)) = &mut patience {
            if moved(ways) > before {
                timer.as_mut().reset(Instant::now() + *idle);
            }
            if timer.as_mut().poll(context).is_ready() {
                return Poll::Ready(false);
            }
        }
        Poll::Pending
    })
    .await
}

/// Bytes forwarded, both ways together.
fn moved(ways: &[Way; 2]) -> u64 {
    ways.iter().map(Way::forwarded).sum()
}

impl Way {
    fn new(options: &Options) -> io::Result<Self> {
        let carrier = match options.mode {
            Mode::Splice => Carrier::Spliced(Spliced::new()),
            _ => Carrier::Chunks(Box::new(Chunks::new(options)?)),
        };
        Ok(Way { carrier, is_over: false })
    }

    fn poll(
        &mut self,
        context: &mut Context<'_>,
        from: &TcpStream,
        to: &TcpStream,
    ) -> io::Result<()> {
        if self.is_over {
            return Ok(());
        }
        let polled = match &mut self.carrier {
            Carrier::Chunks(chunks) => chunks.poll(context, from, to),
            Carrier::Spliced(spliced) => spliced.poll(context, from, to),
        };
        match polled {
            Poll::Ready(ended) => {
                self.is_over = true;
                ended
            }
            Poll::Pending => Ok(()),
        }
    }

    fn forwarded(&self) -> u64 {
        match &self.carrier {
            Carrier::Chunks(chunks) => chunks.forwarded,
            Carrier::Spliced(spliced) => spliced.forwarded(),
        }
    }

    fn lines(&self) -> u64 {
        match &self.carrier {
            Carrier::Chunks(chunks) => chunks.lines,
            Carrier::Spliced(_) => 0,
        }
    }

    fn fallback(&self) -> Option<Fallback> {
        match &self.carrier {
            Carrier::Chunks(_) => None,
            Carrier::Spliced(spliced) => spliced.fallback(),
        }
    }
}

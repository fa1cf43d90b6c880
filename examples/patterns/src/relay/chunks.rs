//! One direction through this process: chunks between two sockets, in a pipe.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll, ready},
};

use aqueduct::{Reader, Writer, pipe};
use tokio::{
    io::{AsyncRead, ReadBuf},
    net::TcpStream,
};

use super::{
    LARGEST, Mode, Options, Xor,
    sockets::{Sink, Source, end},
};
use crate::copied;

/// One direction of a connection.
pub(super) struct Chunks {
    writer: Writer,
    reader: Reader,
    /// What the copying mode receives into, as long as the connection lasts.
    buffer: Option<Box<[u8]>>,
    transform: Option<Xor>,
    cap: usize,
    /// The source has said all.
    has_all: bool,
    pub(super) forwarded: u64,
    pub(super) lines: u64,
}

impl Chunks {
    pub(super) fn new(options: &Options) -> io::Result<Self> {
        let Options { mode, transform, cap, .. } = *options;
        let (writer, reader) = pipe(options.pipe()?);
        let buffer = (mode == Mode::Copying).then(|| vec![0; LARGEST.min(cap)].into_boxed_slice());
        let (forwarded, lines) = (0, 0);
        Ok(Chunks { writer, reader, buffer, transform, cap, has_all: false, forwarded, lines })
    }

    /// Forwards what there is until it would have to wait; ready when the end was passed on.
    pub(super) fn poll(
        &mut self,
        context: &mut Context<'_>,
        from: &TcpStream,
        to: &TcpStream,
    ) -> Poll<io::Result<()>> {
        loop {
            let mut waits = true;
            if !self.has_all
                && self.held() < self.cap
                && let Poll::Ready(received) = self.poll_receive(context, from)
            {
                (self.has_all, waits) = (received? == 0, false);
            }
            if self.held() > 0 {
                let mut sink = Sink(to);
                if let Poll::Ready(sent) = self.reader.poll_drain_to(context, Pin::new(&mut sink)) {
                    self.forwarded += sent? as u64;
                    waits = false;
                }
            } else {
                // The writer has let go of its block, too, when its socket had nothing; not where it was
                // only handed arrays, and has a block for the shortest.
                if self.buffer.is_some() {
                    self.writer.release();
                }
                self.reader.release();
                if self.has_all {
                    return Poll::Ready(end(to));
                }
            }
            if waits {
                return Poll::Pending;
            }
        }
    }

    /// Bytes received and not yet sent.
    fn held(&self) -> usize {
        self.reader.stats().buffered as usize
    }

    fn poll_receive(
        &mut self,
        context: &mut Context<'_>,
        from: &TcpStream,
    ) -> Poll<io::Result<usize>> {
        let most = self.cap - self.held();
        let Some(buffer) = &mut self.buffer else {
            let mut source =
                Source { socket: from, transform: self.transform, lines: &mut self.lines };
            return self.writer.poll_fill_from(context, Pin::new(&mut source));
        };
        let most = most.min(buffer.len());
        let mut room = ReadBuf::new(&mut buffer[..most]);
        let mut source = Source { socket: from, transform: None, lines: &mut self.lines };
        ready!(Pin::new(&mut source).poll_read(context, &mut room))?;
        let chunk = copied(room.filled());
        if chunk.is_empty() {
            return Poll::Ready(Ok(0));
        }
        let processed =
            self.transform.map_or_else(|| copied(&chunk), |transform| transform.to_array(&chunk));
        self.writer.push(processed).map_err(|refused| refused.error)?;
        self.writer.try_flush()?;
        Poll::Ready(Ok(chunk.len()))
    }
}

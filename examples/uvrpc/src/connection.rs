//! [`Connection`]: a stream on which a peer has greeted, and the loop that both sides of it run.

use crate::{
    Options,
    pulse::{Beat, Pulse},
    stream::Stream,
    zmtp::{Body, Event, Fault, GREETING, Own, Peer, Ping, Refusal, Session},
};
use aqueduct::{PipeError, Reader, Slice, Writer, pipe};
use std::{
    future::poll_fn,
    task::{Context, Poll},
    time::Duration,
};
use tokio::{task::coop::has_budget_remaining, time::timeout};

/// Bytes that are believed to come because a frame claims them: room for as many is asked for at once. What
/// has come of a frame makes it believable that as many more will.
const BELIEVED: usize = 32 << 10;
/// The largest room that is asked for at once: the pool's largest block.
const LARGEST_ROOM: usize = 1 << 20;
/// Bytes that may wait for a peer to take them before it gets no more PONGs: it is behind anyway.
const NO_PONGS: u64 = 64 << 10;

/// What is done with what a peer says.
pub(crate) trait Side {
    /// Whether others write to what is sent, so that it has to be watched when it is empty.
    const WATCHES: bool;

    /// So many bytes have come.
    fn received(&mut self, _count: usize) {}
    /// Whether another message may be handled.
    fn has_room(&self) -> bool;
    /// A call or a reply.
    fn envelope(&mut self, body: Body<'_>) -> Result<(), Fault>;
    /// A message that is neither.
    fn refused(&mut self, why: Refusal, id: u32) -> Result<(), Fault>;
    /// Writes a command between two messages.
    fn command(
        &mut self,
        write: impl FnOnce(&mut Writer) -> Result<(), PipeError>,
    ) -> Result<(), Fault>;
    /// Shows what was written to who sends it.
    fn flush(&mut self) -> Result<(), Fault>;
}

pub(crate) struct Connection {
    stream: Stream,
    received: (Writer, Reader),
    session: Session,
    /// Bytes left of the room that was made for the present frame.
    room: usize,
    pulse: Pulse,
    /// How many messages are handled before what they gave is sent.
    batch: usize,
}

/// Why messages are not handled any more.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Handled {
    /// There are none.
    All,
    /// There is no room for what they give.
    Full,
    /// Others are to have their turn.
    Some,
}

impl Connection {
    /// Greets, waits to be greeted, and says what this side is. Nothing else is sent before the peer has
    /// said the same.
    pub(crate) async fn open(stream: Stream, own: Own, options: &Options) -> Result<Self, Fault> {
        let mut connection = Self {
            stream,
            received: pipe(options.pipe()),
            session: Session::new(own.clone(), options.largest_frame()),
            room: 0,
            pulse: Pulse::new(options.heartbeat),
            batch: options.profile.batch(),
        };
        let greeted = timeout(options.handshake, connection.greet(&own, options)).await;
        let peer = greeted.unwrap_or(Err(Fault::Slow))?;
        if !peer.pings {
            connection.pulse = Pulse::new(Duration::ZERO);
        }
        connection.pulse.heard();
        Ok(connection)
    }

    async fn greet(&mut self, own: &Own, options: &Options) -> Result<Peer, Fault> {
        let (mut writer, mut sending) = pipe(options.pipe());
        writer.push(Slice::from_static(&GREETING)).map_err(PipeError::from)?;
        let mut found = None;
        loop {
            while found.is_none() {
                match self.session.advance(&mut self.received.1)? {
                    Event::Greeted => own.write_ready(&mut writer)?,
                    Event::Ready(peer) => found = Some(peer),
                    _ => break,
                }
            }
            writer.try_flush()?;
            let step = poll_fn(|context| {
                while sending.stats().buffered > 0 {
                    match self.stream.poll_send(context, &mut sending) {
                        Poll::Ready(sent) => _ = sent?,
                        Poll::Pending => break,
                    }
                }
                match &found {
                    Some(_) if sending.stats().buffered == 0 => Poll::Ready(Ok(true)),
                    Some(_) => Poll::Pending,
                    None => self.poll_receive(context).map_ok(|_| false),
                }
            });
            if step.await?
                && let Some(peer) = found.take()
            {
                return Ok(peer);
            }
        }
    }

    /// Receives once, into a block that the rest of the present message fits into, and no more than fits
    /// there of further ones that are as large as the last: while they are, none lies across the end of a
    /// block. What is longer than is believed fills the room that was made for it before it gets more.
    fn poll_receive(&mut self, context: &mut Context<'_>) -> Poll<Result<usize, Fault>> {
        let bytes = |count: u64| usize::try_from(count).unwrap_or(usize::MAX);
        let (have, last) = (bytes(self.received.1.stats().buffered), bytes(self.session.last()));
        let rest = match bytes(self.session.missing()) {
            0 => bytes(self.session.likely()).saturating_sub(have),
            missing => missing,
        };
        let believed = have.max(last).clamp(BELIEVED, LARGEST_ROOM);
        let mut most = usize::MAX;
        if rest <= believed {
            self.room = 0;
        } else if self.room == 0 {
            self.room = self.received.0.reserve(believed)?.len();
        }
        if rest > 0 && rest <= believed {
            let room = self.received.0.reserve(rest)?.len();
            if let Some(more) = room.checked_sub(rest).filter(|_| last > 0) {
                most = rest + more - more % last;
            }
        }
        match self.stream.poll_receive(context, &mut self.received.0, most) {
            Poll::Ready(Ok(count @ 1..)) => {
                self.room = self.room.saturating_sub(count);
                Poll::Ready(Ok(count))
            }
            Poll::Ready(Ok(0)) => Poll::Ready(Err(Fault::Closed)),
            Poll::Ready(Err(error)) => Poll::Ready(Err(error.into())),
            Poll::Pending => {
                if have == 0 {
                    // An idle pipe keeps none.
                    self.room = 0;
                }
                self.received.1.release();
                Poll::Pending
            }
        }
    }

    /// Handles what comes, and sends what there is, until there is nothing to do: that is pending. Ready
    /// when the connection cannot go on.
    ///
    /// Messages are handled in batches, each as long as the profile says, and what a batch gave is sent
    /// before the next one. Nothing is received while there is no room for what it would give.
    pub(crate) fn poll(
        &mut self,
        context: &mut Context<'_>,
        side: &mut impl Side,
        sending: &mut Reader,
        receive: bool,
    ) -> Poll<Fault> {
        match self.try_poll(context, side, sending, receive) {
            Ok(()) => Poll::Pending,
            Err(fault) => Poll::Ready(fault),
        }
    }

    fn try_poll<S: Side>(
        &mut self,
        context: &mut Context<'_>,
        side: &mut S,
        sending: &mut Reader,
        receive: bool,
    ) -> Result<(), Fault> {
        loop {
            let handled = self.handle(side, sending.stats().buffered)?;
            side.flush()?;
            while S::WATCHES || sending.stats().buffered > 0 {
                match self.stream.poll_send(context, sending) {
                    Poll::Ready(Ok(0)) => return Err(Fault::Closed),
                    Poll::Ready(sent) => _ = sent?,
                    Poll::Pending => break,
                }
            }
            let go_on = match handled {
                Handled::All if !receive => false,
                Handled::All => match self.poll_receive(context) {
                    Poll::Ready(received) => {
                        side.received(received?);
                        self.pulse.heard();
                        true
                    }
                    Poll::Pending => false,
                },
                Handled::Full => {
                    // It is not for the peer's silence that nothing is heard of it.
                    if sending.stats().buffered == 0 {
                        self.pulse.heard();
                    }
                    side.has_room()
                }
                Handled::Some => true,
            };
            if go_on && has_budget_remaining() {
                continue;
            }
            if go_on {
                // Others have their turn: until then nothing could be sent, and would only wait.
                context.waker().wake_by_ref();
                return Ok(());
            }
            // Last, when it is known whether the peer wants to be waited for.
            match self.pulse.poll(context) {
                Poll::Ready(Beat::Silent) => return Err(Fault::Silent),
                Poll::Ready(Beat::Ping(patience)) => {
                    side.command(|writer| Ping::write(writer, patience))?;
                }
                Poll::Pending => return Ok(()),
            }
        }
    }

    fn handle(&mut self, side: &mut impl Side, unsent: u64) -> Result<Handled, Fault> {
        for _ in 0..self.batch {
            if !side.has_room() {
                return Ok(Handled::Full);
            }
            match self.session.advance(&mut self.received.1)? {
                Event::Envelope(body) => side.envelope(body)?,
                Event::Refused(why, id) => side.refused(why, id)?,
                Event::Ping(ping) => {
                    self.pulse.wait_for(ping.patience);
                    if unsent < NO_PONGS {
                        side.command(|writer| ping.answer(writer))?;
                    }
                }
                Event::Wait => return Ok(Handled::All),
                Event::Greeted | Event::Ready(_) => {}
            }
        }
        Ok(Handled::Some)
    }

    /// Ends it, so that the peer gets all that was sent.
    pub(crate) async fn close(self) {
        self.stream.close(self.received).await;
    }
}

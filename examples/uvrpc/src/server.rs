//! [`serve()`]: connections, their calls, and the stop.

use crate::{
    Answer, Call, Listener, Mode, Options, Payload, Reply, Services,
    calls::caught,
    connection::{Connection, Side},
    envelope::CallHead,
    outgoing::write_reply,
    stream::Stream,
    zmtp::{self, Body, Fault, Refusal},
};
use aqueduct::{PipeError, Writer, pipe};
use example_common::Door;
use std::{
    future::{Future, poll_fn},
    pin::pin,
    sync::Arc,
    task::{Context, Poll},
};
use tokio::{sync::watch, task::JoinSet};

/// Bytes that may be received while replies wait: each reply may keep a block of them alive.
const MOST_RECEIVED: u64 = 16 << 20;
/// Bytes of replies that may wait for a client to take them, and of calls that may wait for theirs; the last
/// of them goes beyond.
const MOST_WAITING: u64 = 1 << 20;
/// Bytes of the names of a call that are put together without an allocation.
const NAMES: usize = 64;

/// Answers whoever connects, until `stop` is done: then no connection and no further call is accepted, and
/// what is under way is answered. One task for each connection.
///
/// A client that does not take its replies is not listened to until it does; it costs what the replies that
/// wait take, and nobody else's are lost or late for it.
pub async fn serve(
    listener: Listener,
    services: Arc<Services>,
    options: Options,
    stop: impl Future,
) {
    let door = Door { connections: options.connections, stop: options.stop };
    let serve = |stream, told| converse(stream, Arc::clone(&services), options.clone(), told);
    let accept = async |listener: &mut Listener| listener.accept().await;
    door.open(listener, accept, serve, stop).await;
}

/// How a connection ends is its client's affair.
async fn converse(
    stream: Stream,
    services: Arc<Services>,
    options: Options,
    mut told: watch::Receiver<bool>,
) {
    let mut stop = pin!(async move { told.wait_for(|stop| *stop).await.map(drop) });
    let opened = tokio::select! {
        opened = Connection::open(stream, options.own(zmtp::ROUTER), &options) => opened,
        _ = &mut stop => return,
    };
    let Ok(mut connection) = opened else { return };
    let (writer, mut sending) = pipe(options.pipe());
    let mut calls = Calls {
        services,
        mode: options.mode,
        largest: options.largest_data(),
        most: options.profile.high_water(),
        writer,
        waiting: 0,
        received: 0,
        later: JoinSet::new(),
        held: 0,
    };
    let mut stopping = false;
    let ended = poll_fn(|context| {
        if !stopping && stop.as_mut().poll(context).is_ready() {
            stopping = true;
        }
        // Whoever is to wake this is asked last, when all that was to be started is.
        loop {
            let ended = connection.poll(context, &mut calls, &mut sending, !stopping);
            if let Poll::Ready(fault) = ended {
                return Poll::Ready(Err(fault));
            }
            match calls.poll_later(context) {
                Ok(true) => {}
                Ok(false) => break,
                Err(fault) => return Poll::Ready(Err(fault)),
            }
        }
        let over = stopping && calls.later.is_empty() && sending.stats().buffered == 0;
        if over { Poll::Ready(Ok(())) } else { Poll::Pending }
    });
    if ended.await.is_ok() {
        connection.close().await;
    }
}

/// The calls of one client.
struct Calls {
    services: Arc<Services>,
    mode: Mode,
    largest: usize,
    /// Replies that may wait.
    most: usize,
    writer: Writer,
    /// Replies since all were sent.
    waiting: usize,
    /// Bytes received since then.
    received: u64,
    /// Those that are not there yet, with the bytes of the calls.
    later: JoinSet<(u32, usize, Reply)>,
    /// Bytes of those calls.
    held: usize,
}

impl Calls {
    /// Bytes of replies that wait.
    fn unsent(&self) -> u64 {
        self.writer.stats().buffered + self.writer.unflushed()
    }

    fn reply(&mut self, id: u32, reply: Reply) -> Result<(), Fault> {
        self.waiting = if self.unsent() == 0 { 1 } else { self.waiting + 1 };
        let len = reply.data.as_ref().map_or(0, Payload::len);
        let large = || Reply::error(Reply::ERROR, "Reply too large");
        let reply = if len > self.largest { large() } else { reply };
        Ok(write_reply(&mut self.writer, self.mode, id, reply)?)
    }

    /// Writes the replies that have come, and says whether there were any.
    fn poll_later(&mut self, context: &mut Context<'_>) -> Result<bool, Fault> {
        let mut any = false;
        while let Poll::Ready(Some(done)) = self.later.poll_join_next(context) {
            // Panics are caught, and nobody aborts them.
            if let Ok((id, len, reply)) = done {
                self.held -= len;
                self.reply(id, reply)?;
            }
            any = true;
        }
        Ok(any)
    }

    fn answer(&mut self, body: &Body<'_>) -> (u32, Answer) {
        let copied = |data: Payload| match self.mode {
            Mode::ZeroCopy => data,
            Mode::Copying => data.detach(),
        };
        let mut room = [0; NAMES];
        let head = match CallHead::read_in(body.bytes(), &mut room) {
            Ok(head) => head,
            Err(malformed) => {
                let id = malformed.id.unwrap_or(0);
                return (id, Reply::error(Reply::INVALID, "Malformed request").into());
            }
        };
        let Some(handler) = self.services.get(&head.service) else {
            return (head.id, Reply::error(Reply::NOT_FOUND, "Service not found").into());
        };
        let data = head.data.map(|len| copied(body.last(len)));
        let call = Call { method: &head.method, data };
        let answer = caught(|| handler(call)).unwrap_or_else(|| panicked().into());
        let answer = match answer {
            Answer::Now(reply) => Answer::Now(Reply { data: reply.data.map(copied), ..reply }),
            later => later,
        };
        (head.id, answer)
    }
}

fn panicked() -> Reply {
    Reply::error(Reply::ERROR, "The handler panicked")
}

impl Side for Calls {
    const WATCHES: bool = false;

    fn received(&mut self, count: usize) {
        self.received = if self.unsent() == 0 { 0 } else { self.received + count as u64 };
    }

    fn has_room(&self) -> bool {
        let bytes = self.unsent();
        let (waiting, received) = if bytes == 0 { (0, 0) } else { (self.waiting, self.received) };
        waiting + self.later.len() < self.most
            && bytes + (self.held as u64) < MOST_WAITING
            && received < MOST_RECEIVED
    }

    fn envelope(&mut self, body: Body<'_>) -> Result<(), Fault> {
        let (id, answer) = self.answer(&body);
        match answer {
            Answer::Now(reply) => self.reply(id, reply),
            Answer::Later(mut reply) => {
                let len = body.bytes().len();
                self.held += len;
                self.later.spawn(async move {
                    let poll = |context: &mut Context<'_>| {
                        let polled = caught(|| reply.as_mut().poll(context));
                        polled.unwrap_or_else(|| Poll::Ready(panicked()))
                    };
                    (id, len, poll_fn(poll).await)
                });
                Ok(())
            }
        }
    }

    fn refused(&mut self, why: Refusal, id: u32) -> Result<(), Fault> {
        self.reply(id, Reply::error(Reply::INVALID, why.text()))
    }

    fn command(
        &mut self,
        write: impl FnOnce(&mut Writer) -> Result<(), PipeError>,
    ) -> Result<(), Fault> {
        Ok(write(&mut self.writer)?)
    }

    fn flush(&mut self) -> Result<(), Fault> {
        Ok(_ = self.writer.try_flush()?)
    }
}

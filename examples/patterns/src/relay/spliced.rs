//! One direction past this process: from socket to socket within the kernel.

use std::{
    io::{self, ErrorKind},
    task::{Context, Poll, ready},
};

use aqueduct::os::{Fallback, Side, Step, Transfer, relay};
use tokio::{io::Interest, net::TcpStream, task::coop::poll_proceed};

use super::sockets::end;

/// One direction of a connection.
pub(super) struct Spliced(Transfer);

impl Spliced {
    pub(super) fn new() -> Self {
        Spliced(relay())
    }

    /// Forwards what there is until it would have to wait; ready when the end was passed on.
    pub(super) fn poll(
        &mut self,
        context: &mut Context<'_>,
        from: &TcpStream,
        to: &TcpStream,
    ) -> Poll<io::Result<()>> {
        loop {
            let turn = ready!(poll_proceed(context));
            let transfer = &mut self.0;
            // What came in goes out before more is asked for.
            let step = if transfer.pending() > 0 {
                ready!(to.poll_write_ready(context))?;
                try_side(to, Interest::WRITABLE, Side::Target, || transfer.step(from, to))
            } else {
                ready!(from.poll_read_ready(context))?;
                try_side(from, Interest::READABLE, Side::Source, || transfer.step(from, to))
            };
            turn.made_progress();
            if step? == Step::End {
                return Poll::Ready(end(to));
            }
        }
    }

    pub(super) fn forwarded(&self) -> u64 {
        self.0.done()
    }

    /// Why the bytes went through this process after all, if they did.
    pub(super) fn fallback(&self) -> Option<Fallback> {
        self.0.transferred().fallback
    }
}

/// Tries a step that finds this side not ready at most. Where it does, so it is known to tokio.
fn try_side(
    socket: &TcpStream,
    interest: Interest,
    side: Side,
    step: impl FnOnce() -> Result<Step, aqueduct::os::TransferError>,
) -> io::Result<Step> {
    let mut found = Step::Wait(side);
    let tried = socket.try_io(interest, || {
        found = step()?;
        if found == Step::Wait(side) { Err(ErrorKind::WouldBlock.into()) } else { Ok(()) }
    });
    match tried {
        Err(error) if error.kind() != ErrorKind::WouldBlock => Err(error),
        _ => Ok(found),
    }
}

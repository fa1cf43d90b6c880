//! The task that connects a client, and connects it again.

use crate::{
    Address, Options,
    calls::{Calls, caught},
    connection::Connection,
    stream::Stream,
    zmtp::{self, Fault},
};
use aqueduct::Reader;
use std::{future::poll_fn, mem, sync::Arc, task::Poll, time::Duration};
use tokio::time::{sleep, timeout};

/// How long to wait behind a connection or an attempt; twice as long behind each further attempt.
const FIRST_DELAY: Duration = Duration::from_millis(10);
/// And no longer than this.
const LONGEST_DELAY: Duration = Duration::from_secs(1);

/// Until it is aborted, or its runtime is gone; then nobody answers any more.
pub(crate) async fn run(calls: Closing, sending: Reader, address: Address, options: Options) {
    tokio::select! {
        () = calls.0.expire() => {}
        () = drive(&calls.0, sending, &address, &options) => {}
    }
}

/// Ends all calls when it is dropped, with the task or before that has run.
pub(crate) struct Closing(pub(crate) Arc<Calls>);

impl Drop for Closing {
    fn drop(&mut self) {
        self.0.close();
    }
}

async fn drive(calls: &Arc<Calls>, mut sending: Reader, address: &Address, options: &Options) {
    let mut delay = FIRST_DELAY;
    loop {
        if let Ok(mut connection) = connect(address, options).await {
            delay = FIRST_DELAY;
            calls.connected();
            let mut side = Arc::clone(calls);
            poll_fn(|context| {
                // An owner of data that was sent may panic as it is let go of.
                let polled = caught(|| connection.poll(context, &mut side, &mut sending, true));
                polled.unwrap_or(Poll::Ready(Fault::Closed))
            })
            .await;
            let Some(next) = calls.lost() else { return };
            let unsent = mem::replace(&mut sending, next);
            caught(|| drop(unsent));
        }
        sleep(delay).await;
        delay = (delay * 2).min(LONGEST_DELAY);
    }
}

async fn connect(address: &Address, options: &Options) -> Result<Connection, Fault> {
    let stream = timeout(options.handshake, Stream::connect(address, &options.pool)).await;
    let stream = stream.map_err(|_| Fault::Slow)??;
    Connection::open(stream, options.own(zmtp::DEALER), options).await
}
